import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Puts charges right: for each one a journal between the accounts of the charge, and a fact that says by which price.
///
/// What is posted is the difference as it is in the write transaction. Whoever asks again, or twice at the same time, finds
/// that there is none left.
enum RerateDecider {
    /// In one commit, so that calls that run do not wait for long.
    static let correctionsMax = 250

    static func step<State: ViewQueries & ~Copyable>(
        _ step: RerateStep, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        try Checks.shortText(step.reason, field: "reason")
        guard step.records.count <= correctionsMax else {
            throw AdminRejection.limitReached(field: "records", limit: UInt64(correctionsMax))
        }
        let rerater = try Rerater(step.terms, in: state)
        if let id = step.id, try state.version(of: id) == 0 { throw AdminRejection.notFound("re-rating", id.description) }
        let id = step.id ?? decision.newID()
        let first = try state.nextCorrectionNumber()
        var number = first
        var total: Int64 = 0
        var moved: [Posting] = []
        var seen: Set<UInt64> = []
        let now = decision.wall.microseconds
        var tally = UnitTally()
        // What is decided here is recorded when all of it is, so a record that came twice would be put right twice.
        for record in step.records where seen.insert(record).inserted {
            guard let cdr = try state.cdr(number: record), let call = CallID(cdr.callID),
                case .rated(let charge) = try rerater.verdict(on: cdr, in: state, &tally), charge.differenceMicros != 0
            else { continue }
            let (sum, overflow) = total.addingReportingOverflow(charge.differenceMicros)
            guard !overflow, charge.differenceMicros != .min else { throw tooLarge }
            total = sum
            let postings = [
                Posting(charge.original.payer, micros: -charge.differenceMicros),
                Posting(charge.original.payee, micros: charge.differenceMicros),
            ]
            moved += postings
            let journal = Data(decision.newID().bytes)
            decision.record(
                .journalPosted(
                    .with {
                        $0.id = journal
                        $0.kind = .rerating
                        $0.callID = cdr.callID
                        $0.reason = step.reason
                        $0.postings = postings
                    }), in: call.value)
            decision.record(
                .chargeCorrected(
                    .with {
                        $0.number = number
                        $0.cdrNumber = cdr.number
                        $0.callID = cdr.callID
                        $0.chargeIndex = charge.index
                        $0.ordinal = charge.corrections + 1
                        $0.rerateID = Data(id.bytes)
                        $0.journalID = journal
                        $0.charge = charge.corrected
                        $0.beforeMicros = charge.beforeMicros
                        $0.differenceMicros = charge.differenceMicros
                        $0.reason = step.reason
                        $0.correctedAt = now
                        $0.allowancesMoved = charge.moved
                    }), in: call.value)
            number += 1
        }
        // Nothing to put right is nothing to record.
        guard number > first else { return .platform }
        guard try state.overflow(of: moved) == nil else { throw tooLarge }
        decision.record(
            .rerateStepped(
                .with {
                    $0.rerateID = Data(id.bytes)
                    $0.deckID = step.terms.deck.data
                    $0.version = step.terms.version ?? 0
                    $0.from = step.terms.from.microseconds
                    $0.to = step.terms.to.microseconds
                    $0.customerID = step.terms.customer?.data ?? Data()
                    $0.chargedByDeckID = step.terms.chargedBy?.data ?? Data()
                    $0.reason = step.reason
                    $0.firstCorrection = first
                    $0.corrections = number - first
                    $0.differenceMicros = total
                    $0.currency = rerater.currency.code
                    $0.records = step.looked
                    $0.lastStartedAt = step.next?.at.microseconds ?? 0
                    $0.lastCdr = step.next?.number ?? 0
                    $0.isLast = step.next == nil
                }), in: id)
        return id
    }

    private static var tooLarge: AdminRejection { .invalid("deck_id", "the accounts cannot hold such differences") }
}
