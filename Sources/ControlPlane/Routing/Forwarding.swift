import Foundation
import Model
import Projections
import SwiftProtobuf

/// A call that goes on from the line that was called: as a call of that line's own, which pays for it.
///
/// The control plane believes no worker that a line forwards something: the call has to be there, ringing that line, at that
/// worker. A call that is answered is transferred by a line of one of its parties' tenants. How often a call was sent on stands in its own facts, so a ring of lines is seen whoever carries it.
///
/// Somebody has answered before a transfer, so it is no link of such a ring, and the lines are counted anew from there; but not for ever, for
/// a machine may answer and transfer, too.
struct Forwarding {
    /// Lines that may send one call on, one after the other.
    static let linesMax = 5
    /// Calls, one joined to the next, within which transfers begin anew.
    private static let joinedMax = 10

    private let from: Data
    private let kind: ForwardKind
    private let lines: [Data]

    /// nil: there is no such call.
    init?<State: ViewQueries & ~Copyable>(
        _ request: StartCall, by worker: String, in state: borrowing State
    ) throws {
        guard let id = CallID(request.forwardedFrom), let live = try state.liveCall(id), live.worker == worker else { return nil }
        if request.forwardKind == .transferred {
            guard live.answeredAt != 0, let line = SubscriberID(request.callerSubscriberID), let tenant = try state.subscriber(line)?.tenantID,
                [live.started.caller.tenantID, live.started.called.tenantID].contains(tenant)
            else { return nil }
        } else {
            guard live.answeredAt == 0, live.started.called.subscriberID == request.callerSubscriberID else { return nil }
        }
        from = request.forwardedFrom
        kind = request.forwardKind
        let isNew = try kind == .transferred && Self.isShort(live.started.forwardedFrom, in: state)
        lines = isNew ? [] : live.started.forwardedBy + [request.callerSubscriberID]
    }

    /// Whether few calls are joined, up to this one.
    private static func isShort<State: ViewQueries & ~Copyable>(_ last: Data, in state: borrowing State) throws -> Bool {
        var next = CallID(last)
        for _ in 2...joinedMax {
            guard let id = next, let live = try state.closedLiveCall(id) else { return true }
            next = CallID(live.started.forwardedFrom)
        }
        return false
    }

    func write(to started: inout CallStarted) {
        started.forwardedFrom = from
        started.forwardKind = kind
        started.forwardedBy = lines
    }

    /// It has time limits of its own: the ones of whoever is called there.
    static func target(_ forward: ForwardTarget) -> Target {
        .with {
            $0.forward = forward
            $0.timeoutSeconds = 600
        }
    }
}
