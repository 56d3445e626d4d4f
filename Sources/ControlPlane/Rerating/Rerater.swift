import Foundation
package import Model
import Primitives
package import Projections
import Rating

/// Says what a call should have cost its customer, by the code that prices calls when they start and charges them when they end.
///
/// What counts of a charge is the charge with all its corrections, so that a difference that was posted is none any more.
package struct Rerater: Sendable {
    package let terms: RerateTerms
    package let deck: RateDeck
    package let currency: Currency
    private let patterns = RowPatterns()

    /// Checks that the terms make sense.
    package init<State: ViewQueries & ~Copyable>(_ terms: RerateTerms, in state: borrowing State) throws {
        guard let deck = try state.rateDeck(terms.deck) else {
            throw AdminRejection.unknownReference("deck_id", terms.deck.description)
        }
        guard !deck.providerID.isEmpty, let currency = Currency(deck.currency) else {
            throw AdminRejection.invalid("deck_id", "must be the deck of a provider: the platform's own charge no customer")
        }
        if let version = terms.version, try state.deckVersion(terms.deck, version) == nil {
            throw AdminRejection.unknownReference("version", String(version))
        }
        guard terms.from < terms.to else { throw AdminRejection.invalid("to", "must be later than from") }
        if let id = terms.customer {
            guard let customer = try state.customer(id), customer.providerID == deck.providerID else {
                throw AdminRejection.unknownReference("customer_id", id.description)
            }
        }
        if let id = terms.chargedBy, try state.rateDeck(id) == nil {
            throw AdminRejection.unknownReference("charged_by_deck_id", id.description)
        }
        self.terms = terms
        self.deck = deck
        self.currency = currency
    }

    /// - Parameter tally: of the calls that were set up before.
    package func verdict<State: ViewQueries & ~Copyable>(
        on cdr: Cdr, in state: borrowing State, _ tally: inout UnitTally
    ) throws -> RerateVerdict {
        try verdict(on: cdr, in: state) { charge in try tally.units(for: cdr, of: charge.payer, by: self, in: state) }
    }

    /// Which of the units that are left the call should have used, or, if it is not concerned, has used.
    func uses<State: ViewQueries & ~Copyable>(
        of cdr: Cdr, _ units: [AllowanceUse], in state: borrowing State
    ) throws -> [AllowanceUse] {
        switch try verdict(on: cdr, in: state, units: { _ in units }) {
        case .rated(let difference): return difference.corrected.allowances
        case .notConcerned, .unrated:
            let corrections = try state.corrections(ofRecord: cdr.number)
            return cdr.charges.enumerated().flatMap { index, charge in
                (corrections.last { $0.chargeIndex == UInt32(index) }?.charge ?? charge).allowances
            }
        }
    }

    private func verdict<State: ViewQueries & ~Copyable>(
        on cdr: Cdr, in state: borrowing State, units: (Charge) throws -> [AllowanceUse]
    ) throws -> RerateVerdict {
        guard cdr.startedAt >= terms.from.microseconds, cdr.startedAt < terms.to.microseconds,
            let index = cdr.charges.firstIndex(where: isConcerned)
        else { return .notConcerned }
        let original = cdr.charges[index]
        // A call from outside, or to a line, was not charged by what outside calls cost.
        guard cdr.direction == .outbound || original.deckID == deck.id else { return .notConcerned }
        guard original.currency == deck.currency else { return .unrated(.otherCurrency, original) }
        guard !cdr.calledE164.isEmpty else { return .unrated(.numberErased, original) }
        let started = WallTime(microseconds: cdr.startedAt)
        let rows = if let version = terms.version { try state.deckRows(terms.deck, version: version) } else { try state.deckRows(terms.deck, at: started) }
        guard let rows else { return .unrated(.noVersion, original) }
        guard
            var lock = try PriceLock.lock(
                deck, rows, edge: original.edge, e164: cdr.calledE164, payer: original.payer, payee: original.payee,
                patterns: patterns, in: state, at: started)
        else { return .unrated(.noPrice, original) }
        lock.timeLimitSeconds = original.timeLimitSeconds
        let corrections = try state.corrections(ofRecord: cdr.number).filter { $0.chargeIndex == UInt32(index) }
        var before: Int64? = original.amountMicros
        for correction in corrections { before = sum(before, correction.differenceMicros) }
        let free = try units(original)
        guard let corrected = try? Rater.charge(lock, milliseconds: cdr.durationMs, free: free), let before,
            case let (difference, overflow) = corrected.amountMicros.subtractingReportingOverflow(before), !overflow
        else { return .unrated(.tooLarge, original) }
        return .rated(
            ChargeDifference(
                original: original, index: UInt32(index), corrections: UInt32(corrections.count), beforeMicros: before,
                corrected: corrected,
                moved: moved(from: (corrections.last?.charge ?? original).allowances, to: corrected.allowances),
                differenceMicros: difference, costMicros: cost(of: cdr, to: original.payee.ownerID)))
    }

    /// What a customer of the deck's provider paid.
    private func isConcerned(_ charge: Charge) -> Bool {
        guard charge.edge == PriceLock.retail, charge.payee.ownerID == deck.providerID else { return false }
        if let customer = terms.customer, charge.payer.ownerID != customer.data { return false }
        if let chargedBy = terms.chargedBy, charge.deckID != chargedBy.data { return false }
        return true
    }

    private func cost(of cdr: Cdr, to provider: Data) -> Int64? {
        var cost: Int64?
        for charge in cdr.charges where charge.payer.ownerID == provider {
            guard charge.currency == deck.currency else { return nil }
            guard let total = sum(cost ?? 0, charge.amountMicros) else { return nil }
            cost = total
        }
        return cost
    }

    private func sum(_ a: Int64?, _ b: Int64) -> Int64? {
        guard let a, case let (sum, overflow) = a.addingReportingOverflow(b), !overflow else { return nil }
        return sum
    }
}
