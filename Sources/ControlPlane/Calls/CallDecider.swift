import Foundation
import Ledger
import Model
import Primitives
import Projections
import Rating
import SwiftProtobuf

/// The life of a call as facts: started, answered, updated, renewed, adopted, ended. One stream per call, one
/// CDR per call, whatever is repeated.
enum CallDecider {
    /// What a fact about a call came to.
    enum Verdict: Equatable {
        /// It is in the log, now or since an earlier delivery.
        case recorded
        /// Another worker carries the call, or it was closed without this one.
        case notOwner
        case unknownCall
        case malformed(String)
    }

    // MARK: - start

    static func start<State: ViewQueries & ~Copyable>(
        _ routing: inout Routing, in state: borrowing State, _ decision: inout Decision
    ) throws {
        guard let call = routing.started.flatMap({ CallID($0.callID) }), let started = exchange(&routing.started, with: nil) else { return }
        decision.record(.callStarted(started), in: call.value)
        guard case .refused(let refusal, _) = routing.outcome else { return }
        // A refused attempt is a record like any other.
        var ended = CallEnded()
        ended.callID = started.callID
        ended.endedAt = decision.wall.microseconds
        ended.cause = .refused
        ended.sipStatus = routing.status ?? refusal.sipStatus
        ended.refusal = refusal
        ended.refusalDetail = routing.detail
        ended.worker = started.worker
        var live = LiveCall()
        live.started = started
        live.worker = started.worker
        try close(call, live, ended, in: state, &decision)
    }

    // MARK: - facts from workers

    static func answered<State: ViewQueries & ~Copyable>(
        _ fact: CallAnswered, by worker: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> Verdict {
        guard let call = CallID(fact.callID) else { return .malformed("call_id") }
        guard let live = try state.closedLiveCall(call) else { return try late(call, by: worker, in: state) }
        guard live.worker == worker else { return .notOwner }
        guard live.answeredAt == 0 else { return .recorded }
        guard fact.gatewayID.isEmpty || GatewayID(fact.gatewayID) != nil else { return .malformed("gateway_id") }
        guard fact.subscriberID.isEmpty || SubscriberID(fact.subscriberID) != nil else {
            return .malformed("subscriber_id")
        }
        var fact = fact
        fact.answeredAt = clamped(fact.answeredAt, live.started.startedAt, decision.wall)
        decision.record(.callAnswered(fact), in: call.value)
        return .recorded
    }

    static func updated<State: ViewQueries & ~Copyable>(
        _ fact: CallUpdated, by worker: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> Verdict {
        guard let call = CallID(fact.callID) else { return .malformed("call_id") }
        guard let live = try state.liveCall(call) else { return try late(call, by: worker, in: state) }
        guard live.worker == worker else { return .notOwner }
        guard live.answeredAt != 0 else { return .malformed("the call is not answered") }
        if live.snapshot != fact.snapshot { decision.record(.callUpdated(fact), in: call.value) }
        return .recorded
    }

    static func finished<State: ViewQueries & ~Copyable>(
        _ fact: CallFinished, by worker: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> Verdict {
        guard let call = CallID(fact.ended.callID) else { return .malformed("call_id") }
        guard var live = try state.startedLiveCall(call) else { return try late(call, by: worker, in: state) }
        if live.worker != worker {
            guard sawAPartyHangUp(worker, live, fact.ended) else { return .notOwner }
            // Who goes on with it has nobody left to talk to.
            decision.announcements.append(
                .with {
                    $0.hangUp.worker = live.worker
                    $0.hangUp.callID = fact.ended.callID
                    $0.hangUp.cause = fact.ended.cause
                })
            live.worker = worker
        }
        var ended = fact.ended
        ended.worker = worker
        try close(call, live, ended, in: state, &decision)
        return .recorded
    }

    /// Whether the worker that the call began with, and was taken from because it was not heard, had its end from a party. Then the call
    /// is over, and was at that time, whatever its heir believes; any other end may be of a call that goes on there.
    private static func sawAPartyHangUp(_ worker: String, _ live: LiveCall, _ ended: CallEnded) -> Bool {
        guard live.started.worker == worker, live.answeredAt != 0 else { return false }
        return switch ended.cause {
        case .callerHungUp, .calledHungUp: true
        case .unspecified, .cancelled, .busy, .noAnswer, .rejected, .unreachable, .refused, .creditExhausted, .mediaTimeout, .workerLost, .operator, .failed,
            .sessionExpired, .UNRECOGNIZED:
            false
        }
    }

    /// A fact about a call that has ended: harmless if this worker reported the end, refused otherwise.
    private static func late<State: ViewQueries & ~Copyable>(
        _ call: CallID, by worker: String, in state: borrowing State
    ) throws -> Verdict {
        guard let record = try state.cdr(call: call) else { return .unknownCall }
        return record.worker == worker && record.cause != .workerLost ? .recorded : .notOwner
    }

    // MARK: - credit

    /// The talk time that the call has in all, and once there is no more to be had, what its payer is to be told.
    static func renew<State: ViewQueries & ~Copyable>(
        _ request: RenewCredit, by worker: String, leaseSeconds: UInt32, in state: borrowing State,
        _ decision: inout Decision
    ) throws -> Result<CreditGranted, Refused> {
        guard let call = CallID(request.callID) else { return .failure(Refused(verdict: .malformed("call_id"))) }
        guard let terms = try state.liveCallTerms(call, edge: PriceLock.retail) else {
            return .failure(Refused(verdict: try state.cdr(call: call) == nil ? .unknownCall : .notOwner))
        }
        guard terms.worker == worker else { return .failure(Refused(verdict: .notOwner)) }
        var granted = CreditGranted()
        granted.grantedSeconds = terms.hold?.seconds ?? 0
        guard let customer = terms.customer, let plan = try state.servicePlan(of: customer, on: terms),
            let hold = try CreditLease.renewed(
                terms, plan: plan, usedSeconds: request.usedSeconds, leaseSeconds: leaseSeconds, in: state,
                at: decision.wall)
        else {
            if terms.hold != nil, request.usedSeconds.addingReportingOverflow(leaseSeconds).partialValue > granted.grantedSeconds {
                granted.announcement.toCalled = terms.isOfCalled
                granted.announcement.language = try terms.line.flatMap { try Line.of($0, in: state) }?.language ?? ""
            }
            return .success(granted)
        }
        granted.grantedSeconds = hold.grantedSeconds
        decision.record(
            .creditRenewed(
                .with {
                    $0.callID = request.callID
                    $0.hold = hold
                }), in: call.value)
        return .success(granted)
    }

    struct Refused: Error, Equatable {
        let verdict: Verdict
    }

    // MARK: - when a worker is gone

    /// - Parameter knownUntil: the call ran then, by the last word of the worker before.
    static func adopt(
        _ call: CallID, _ live: LiveCall, by worker: String, knownUntil: WallTime, _ decision: inout Decision
    ) {
        decision.record(
            .callAdopted(
                .with {
                    $0.callID = call.data
                    $0.worker = worker
                    $0.fromWorker = live.worker
                }), in: call.value)
        decision.announcements.append(announcement(of: live, to: worker, knownUntil: knownUntil))
    }

    static func announcement(of live: LiveCall, to worker: String, knownUntil: WallTime? = nil) -> FeedMessage {
        .with {
            $0.adopt.worker = worker
            $0.adopt.callID = live.started.callID
            $0.adopt.started = live.started
            $0.adopt.answeredAt = live.answeredAt
            $0.adopt.knownUntil = knownUntil?.microseconds ?? 0
            if live.hasSnapshot { $0.adopt.snapshot = live.snapshot }
        }
    }

    /// Nobody can report the end, so it is the last moment at which the call is known to have run.
    static func closeByRule<State: ViewQueries & ~Copyable>(
        _ call: CallID, _ live: LiveCall, endedAt: WallTime, in state: borrowing State, _ decision: inout Decision
    ) throws {
        var ended = CallEnded()
        ended.callID = live.started.callID
        ended.endedAt = endedAt.microseconds
        ended.cause = .workerLost
        ended.sipStatus = live.answeredAt == 0 ? 0 : 200
        try close(call, live, ended, in: state, &decision)
    }

    // MARK: - end

    /// call.ended, journal.posted if something is charged, cdr.recorded: one commit.
    private static func close<State: ViewQueries & ~Copyable>(
        _ call: CallID, _ live: LiveCall, _ ended: CallEnded, in state: borrowing State, _ decision: inout Decision
    ) throws {
        var ended = ended
        let earliest = max(live.started.startedAt, live.answeredAt)
        ended.endedAt = clamped(ended.endedAt, earliest, decision.wall)
        ended.callID = call.data
        var cdr = Cdr()
        cdr.number = try state.nextCDRNumber()
        cdr.callID = call.data
        cdr.direction = live.started.direction
        cdr.caller = live.started.caller
        cdr.called = live.started.called
        if live.started.direction == .outbound {
            cdr.called.gatewayID = live.answeredGatewayID
            cdr.called.carrierID = live.started.carrierID(of: live.answeredGatewayID)
        }
        cdr.destinationPrefix = destinationPrefix(live.started.calledE164)
        cdr.forwardedFrom = live.started.forwardedFrom
        cdr.forwardKind = live.started.forwardKind
        cdr.pickedUp = live.started.pickedUp
        cdr.mediaPath = live.started.mediaPath
        cdr.isAnonymous = live.started.isAnonymous
        cdr.dialled = live.started.dialled
        cdr.calledE164 = live.started.calledE164
        cdr.startedAt = live.started.startedAt
        cdr.answeredAt = live.answeredAt
        cdr.endedAt = ended.endedAt
        if live.answeredAt != 0 { cdr.durationMs = UInt64(max(0, ended.endedAt - live.answeredAt)) / 1_000 }
        cdr.cause = ended.cause
        cdr.sipStatus = ended.sipStatus
        cdr.refusal = ended.refusal
        cdr.refusalDetail = ended.refusalDetail
        cdr.securityGroupID = live.started.securityGroupID
        cdr.attempts = ended.attempts.isEmpty ? try attemptsBefore(call, live, in: state) : ended.attempts
        if ended.hasMedia { cdr.media = ended.media }
        cdr.sipCallID = live.started.sipCallID
        cdr.worker = live.worker
        cdr.logPosition = state.applied
        cdr.answeredGatewayID = live.answeredGatewayID
        cdr.answeredSubscriberID = live.answeredSubscriberID
        // Route and media stand in the record, two events further in the same commit, and not a second time here.
        ended.attempts = []
        ended.clearMedia()
        decision.record(.callEnded(ended), in: call.value)
        if live.answeredAt != 0, !live.started.rates.isEmpty {
            let journal = try charge(&cdr, live, in: state, &decision)
            if let journal {
                decision.record(.journalPosted(journal), in: call.value)
            }
        }
        decision.record(.cdrRecorded(.with { $0.cdr = cdr }), in: call.value)
    }

    /// Of an answered call whose worker was lost: what it had tried before the answer, without addresses.
    private static func attemptsBefore<State: ViewQueries & ~Copyable>(
        _ call: CallID, _ live: LiveCall, in state: borrowing State
    ) throws -> [CallAttempt] {
        guard live.answeredAt != 0, live.started.direction == .outbound, !live.answeredGatewayID.isEmpty else { return [] }
        for envelope in try state.stream(call.value) where envelope.type == "call.answered" {
            guard case .callAnswered(let fact)? = try? Event(storedType: envelope.type, schemaVersion: envelope.schemaVersion, payload: envelope.payload)
            else { continue }
            if !fact.attempts.isEmpty { return fact.attempts }
        }
        return [
            .with {
                $0.gatewayID = live.answeredGatewayID
                $0.startedAt = live.started.startedAt
                $0.endedAt = live.answeredAt
                $0.sipStatus = 200
            }
        ]
    }

    /// For statistics by destination; not so much of a number that it names a line.
    private static func destinationPrefix(_ e164: String) -> String {
        let digits = e164.drop { $0 == "+" }
        return String(digits.prefix(min(7, max(0, digits.count - 4))))
    }

    /// Puts the charges into the record; nil: all are zero, and nothing moves.
    private static func charge<State: ViewQueries & ~Copyable>(
        _ cdr: inout Cdr, _ live: LiveCall, in state: borrowing State, _ decision: inout Decision
    ) throws -> JournalPosted? {
        let locks = live.started.rates(answeredBy: live.answeredGatewayID).map { $0.limited(by: live.hasHold ? live.hold : nil) }
        var units = FreeUnits([])
        if let lock = locks.first(where: { !$0.allowances.isEmpty }) {
            units = try FreeUnitsOffer.left(of: lock.allowances, payer: lock.payer, own: live.hold.allowances, in: state)
        }
        // Decks are checked when they are published, so that no price and no duration can overflow.
        guard let charges = try? Rater.charges(locks, milliseconds: cdr.durationMs, free: units.units),
            let postings = try? Rater.postings(for: charges)
        else { return nil }
        cdr.charges = charges
        guard !postings.isEmpty else { return nil }
        var journal = JournalPosted()
        journal.id = Data(decision.newID().bytes)
        journal.kind = .call
        journal.callID = cdr.callID
        journal.postings = postings
        cdr.journalID = journal.id
        return journal
    }

    /// Clocks of machines differ a little: a fact is neither before what it follows nor in the future.
    private static func clamped(_ time: Int64, _ earliest: Int64, _ wall: WallTime) -> Int64 {
        max(earliest, min(time, wall.microseconds))
    }
}
