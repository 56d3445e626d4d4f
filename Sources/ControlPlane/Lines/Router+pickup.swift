import Foundation
import Model
import Projections
import SwiftProtobuf

extension Router {
    /// A call that takes one which rings at another line. It is a record of its own; what it costs is what the other one costs,
    /// and its caller pays that.
    func pickUp<State: ViewQueries & ~Copyable>(
        _ code: PickupCode, _ line: Line, _ request: StartCall, _ started: CallStarted, lines: LineCalls, in state: borrowing State
    ) throws -> Routing {
        var started = started
        started.direction = .onNet
        started.caller = line.party(number: line.extensionNumber)
        started.called.number = started.dialled
        func refused(_ refusal: Refusal, _ reason: String) -> Routing {
            Routing(started: started, outcome: .refused(refusal, reason: reason))
        }
        guard line.allows(.callOut) else { return refused(.locked, "the caller's line, or something above it, is not active") }
        var found: LineCalls.Call?
        switch code {
        case .group:
            guard line.subscriber.pickupGroup > 0 else { return refused(.nothingToPickUp, "the line has no pickup group") }
            for call in lines.ringing(in: line.tenantID) where found == nil {
                guard let id = SubscriberID(call.called.subscriberID), let called = try state.subscriber(id) else { continue }
                if called.callGroup == line.subscriber.pickupGroup { found = call }
            }
        case .line(let name):
            let called = try state.subscriber(tenant: line.tenantID, user: name)
            found = lines.ringing(in: line.tenantID).first { $0.called.subscriberID == called?.id }
        case .anywhere: found = lines.ringing(in: line.tenantID).first
        }
        guard let found else { return refused(.nothingToPickUp, "nothing rings there") }
        // What rings at the line itself is no other call, and what it transfers is not its own; to the customer none is another.
        if found.called.subscriberID != line.subscriber.id, request.forwardedFrom.isEmpty, let limit = try ownLimitReached(by: line, lines, in: state) {
            return refused(.limitReached, limit)
        }
        started.called = found.called
        started.pickedUp = found.id.data
        var plan = CallPlan()
        plan.direction = .onNet
        plan.callerNumber = line.extensionNumber
        plan.callerDisplay = line.subscriber.displayName
        plan.callerMediaSecurity = line.subscriber.mediaSecurity
        plan.logPosition = started.logPosition
        plan.groups = [
            .with { group in
                group.targets = [
                    .with {
                        $0.pickup.callID = found.id.data
                        $0.pickup.worker = found.worker
                        $0.timeoutSeconds = 10
                    }
                ]
            }
        ]
        // Whoever calls may be outside of the tenant: then the call that is taken has a media worker, and this one needs none.
        plan.mediaPath = request.isBrowser ? .anchored : line.mediaPath
        started.mediaPath = plan.mediaPath
        return Routing(started: started, outcome: .plan(plan))
    }
}
