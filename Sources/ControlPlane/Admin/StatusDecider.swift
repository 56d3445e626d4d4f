import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Changes of a party's status: which are possible, and what the last one takes with it.
enum StatusDecider {
    /// Numbers and lines that are given back in one decision. A larger party is terminated from below.
    static let linesMax = 10_000

    static func check(_ next: Status, after before: Status?) throws {
        try Checks.recognised(next.isRecognised, field: "status")
        guard let before else {
            guard next != .terminated else { throw AdminRejection.invalid("status", "nothing begins as terminated") }
            return
        }
        guard before.mayBecome(next) else {
            let reason = before == .terminated ? "terminated is for good" : "cannot go from \(before.literal) to \(next.literal)"
            throw AdminRejection.invalid("status", reason)
        }
    }

    /// Nothing is made below a party that is gone for good.
    static func notTerminated(_ status: Status, field: String) throws {
        guard status != .terminated else {
            throw AdminRejection.invalid(field, "is terminated: nothing is added to it")
        }
    }

    /// What a party that is terminated gives back: the numbers of its lines, where their phones are, and calls that run. A call
    /// ends as its worker reports it, with a record like any other.
    static func release<State: ViewQueries & ~Copyable>(
        _ kind: EntityKind, _ id: UUIDv7, in state: borrowing State, _ decision: inout Decision
    ) throws {
        let lines = try lines(of: kind, id, in: state)
        let gone = Set(lines.map { SubscriberID($0).data })
        for call in try state.liveCalls(limit: .max)
        where gone.contains(call.started.caller.subscriberID) || gone.contains(call.started.called.subscriberID) {
            decision.announcements.append(
                .with {
                    $0.hangUp.worker = call.worker
                    $0.hangUp.callID = call.started.callID
                    $0.hangUp.cause = .operator
                })
        }
        for line in lines {
            for number in try state.numbers(of: SubscriberID(line), limit: .max) {
                guard let stream = NumberID(number.id) else { continue }
                _ = try NumberDecider.release(stream, .asProviderSays, in: state, &decision)
            }
            decision.unbound.append(SubscriberID(line))
        }
    }

    private static func lines<State: ViewQueries & ~Copyable>(
        of kind: EntityKind, _ id: UUIDv7, in state: borrowing State
    ) throws -> [UUIDv7] {
        var found: [UUIDv7] = []
        func add(_ more: [UUIDv7]) throws {
            found += more
            guard found.count <= linesMax else {
                throw AdminRejection.inUse(
                    reason: "it has more than \(linesMax) lines: terminate what is below it first")
            }
        }
        var open: [(kind: EntityKind, id: UUIDv7)] = [(kind, id)]
        while let (kind, id) = open.popLast() {
            switch kind {
            case .subscriber: try add([id])
            case .tenant: try add(try state.referrers(of: id, kind: .subscriber, limit: linesMax + 1))
            case .customer: open += try state.referrers(of: id, kind: .tenant, limit: .max).map { (.tenant, $0) }
            case .provider:
                open += try state.referrers(of: id, kind: .customer, limit: .max).map { (.customer, $0) }
                open += try state.referrers(of: id, kind: .provider, limit: .max).map { (.provider, $0) }
            case .contact, .rateDeck, .servicePlan, .dialPlan, .carrier, .number, .securityGroup, .cdrExport, .domain, .user, .UNRECOGNIZED: break
            }
        }
        return found
    }
}
