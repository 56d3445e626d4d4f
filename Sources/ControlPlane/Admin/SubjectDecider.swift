import Foundation
import Model
import Primitives
import Projections
import Subjects
import SwiftProtobuf

/// Persons: a legal hold, and the erasure that a person may ask for. What is left is amounts, times, durations, ids and
/// matched prefixes: the books.
enum SubjectDecider {
    /// A subscriber goes with its key, as nobody can register without a name; contacts and customers stay as empty entities,
    /// because accounts and contracts refer to them.
    static func erase<State: ViewQueries & ~Copyable>(
        _ id: UUIDv7, reason: String, actor: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        try Checks.shortText(reason, field: "reason")
        let subject = try known(id, in: state)
        // Said again, it makes sure that the key is gone.
        decision.erased.append(id)
        guard subject.erasedAt == 0 else { return id }
        guard !subject.held else {
            throw AdminRejection.inUse(
                reason: "a legal hold is on the subject (\(subject.heldReason)): nothing is erased before it is lifted")
        }
        if subject.kind == .subscriber {
            let calls = try state.liveCallCount(of: SubscriberID(id))
            guard calls == 0 else {
                throw AdminRejection.inUse(
                    reason: "\(calls) calls of the subscriber run: their records are still to be written. Hang up, or wait")
            }
            if try state.subscriber(SubscriberID(id)) != nil {
                _ = try RemovalDecider.remove(.subscriber, id, in: state, &decision)
            }
        }
        // Nobody logs in without an address, and the address is free again.
        if subject.kind == .user, try state.user(UserID(id)) != nil {
            _ = try RemovalDecider.remove(.user, id, in: state, &decision)
        }
        decision.record(
            .subjectErased(
                .with {
                    $0.subjectID = Data(id.bytes)
                    $0.kind = subject.kind
                    $0.reason = reason
                    $0.actor = actor
                }), in: id)
        return id
    }

    static func hold<State: ViewQueries & ~Copyable>(
        _ id: UUIDv7, _ isHeld: Bool, reason: String, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        try Checks.shortText(reason, field: "reason")
        let subject = try known(id, in: state)
        guard subject.erasedAt == 0 else { throw AdminRejection.inUse(reason: "the subject is erased: nothing is left to hold") }
        guard subject.held != isHeld || (isHeld && subject.heldReason != reason) else { return id }
        decision.record(
            .subjectHoldChanged(
                .with {
                    $0.subjectID = Data(id.bytes)
                    $0.kind = subject.kind
                    $0.held = isHeld
                    $0.reason = reason
                }), in: id)
        return id
    }

    /// Reading is recorded in a stream of the reader's own, so that no entity's version changes by being looked at.
    static func read(_ reading: RecordsRead, _ decision: inout Decision) -> UUIDv7 {
        let stream = WorkerDecider.stream(of: "records read by " + hex(Array(reading.tokenID)))
        decision.record(.recordsRead(reading), in: stream)
        return stream
    }

    static func isErased<State: ViewQueries & ~Copyable>(_ id: UUIDv7, in state: borrowing State) throws -> Bool {
        try state.subject(id).map { $0.erasedAt != 0 } ?? false
    }

    /// What is personal would be sealed under a key that is gone: it is refused, not lost without a word.
    static func refusePersonal(_ entity: some PersonalRecord, _ noun: String) throws {
        guard entity.hasNothingPersonal else {
            throw AdminRejection.inUse(
                reason: "the \(noun) was erased: names and addresses cannot be recorded for it again. Make another \(noun)")
        }
    }

    private static func known<State: ViewQueries & ~Copyable>(
        _ id: UUIDv7, in state: borrowing State
    ) throws -> SubjectState {
        guard let subject = try state.subject(id) else { throw AdminRejection.notFound("subject", id.description) }
        return subject
    }
}

extension PersonalRecord {
    fileprivate var hasNothingPersonal: Bool {
        var rest = self
        let (first, second) = rest.withdraw()
        return first == Self() && second == Self()
    }
}
