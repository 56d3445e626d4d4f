import Foundation
package import Model
import Primitives

/// Calls between their start and their end: who carries them, and how many each party has.
package enum LiveCallsProjection: Projection {
    package static let name = "live_calls"
    package static let version: UInt32 = 1
    package static let tables: [Table] = [.liveCalls, .liveCallsByWorker, .liveCallCounts]

    /// A fact about a call that has ended already changes nothing here.
    package static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .callStarted(let event): try start(event, context, in: &views)
        case .callAnswered(let event):
            try update(event.callID, context, in: &views) { call in
                call.answeredAt = event.answeredAt
                call.answeredGatewayID = event.gatewayID
                call.answeredSubscriberID = event.subscriberID
                call.snapshot = event.snapshot
            }
        case .callUpdated(let event): try update(event.callID, context, in: &views) { $0.snapshot = event.snapshot }
        case .callAdopted(let event): try update(event.callID, context, in: &views) { $0.worker = event.worker }
        case .creditRenewed(let event): try update(event.callID, context, in: &views) { $0.hold = event.hold }
        case .callEnded(let event): try end(try views.key(event.callID, "call_id", context), in: &views)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .workerEnrolled, .workerRevoked, .journalPosted, .cdrRecorded:
            break
        }
    }

    private static func start(
        _ event: CallStarted, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(event.callID, "call_id", context)
        try end(key, in: &views)  // a second start replaces the first, and the counts stay right
        var call = LiveCall()
        call.started = event
        call.worker = event.worker
        if event.hasHold { call.hold = event.hold }
        call.startedSequence = context.sequence
        try views.putMessage(call, key, in: .liveCalls)
        try views.put([], workerKey(call, key), in: .liveCallsByWorker)
        try count(call, 1, in: &views)
    }

    private static func update(
        _ id: Data, _ context: EventContext, in views: inout ViewTransaction, _ change: (inout LiveCall) -> Void
    ) throws(ViewsError) {
        let key = try views.key(id, "call_id", context)
        guard var call = try views.message(LiveCall.self, key, in: .liveCalls) else { return }
        let worker = call.worker
        let oldWorkerKey = workerKey(call, key)
        change(&call)
        if call.worker != worker {
            try views.remove(oldWorkerKey, in: .liveCallsByWorker)
            try views.put([], workerKey(call, key), in: .liveCallsByWorker)
        }
        try views.putMessage(call, key, in: .liveCalls)
    }

    private static func end(_ key: Key, in views: inout ViewTransaction) throws(ViewsError) {
        guard let call = try views.message(LiveCall.self, key, in: .liveCalls) else { return }
        try views.remove(workerKey(call, key), in: .liveCallsByWorker)
        try count(call, -1, in: &views)
        try views.remove(key, in: .liveCalls)
    }

    private static func count(
        _ call: LiveCall, _ step: Int64, in views: inout ViewTransaction
    ) throws(ViewsError) {
        for id in [UUIDv7.platform] + parties(call.started.caller, call.started.called) {
            let key = Key(id)
            let count = Int64(try views.number(key, in: .liveCallCounts) ?? 0) + step
            guard count >= 0 else { throw .unreadable(table: .liveCallCounts) }
            if count == 0 {
                try views.remove(key, in: .liveCallCounts)
            } else {
                try views.put(Key(UInt64(count)).bytes, key, in: .liveCallCounts)
            }
        }
    }

    private static func workerKey(_ call: LiveCall, _ key: Key) -> Key {
        Key(Key(worker: call.worker).bytes + key.bytes)
    }
}

extension Key {
    /// A worker's name and a 0, which no name contains.
    init(worker name: String) {
        self.init(text: name)
        add(byte: 0)
    }
}
