package import Bus
package import Model

/// A fact that the control plane has not acknowledged yet.
package struct Fact: Sendable, Hashable {
    /// Kept when the process starts again, so that the control plane sees a repetition.
    package var id: RequestID
    package var call: CallID
    package var body: [UInt8]

    package init(id: RequestID, call: CallID, body: [UInt8]) {
        self.id = id
        self.call = call
        self.body = body
    }
}

/// Facts in the order in which they happened to each call: the next one of a call is sent when the one before it has been
/// acknowledged, because an end that overtakes its answer would be another call.
struct Outbox: Sendable {
    private var queues: [CallID: [Fact]] = [:]

    var count: Int { queues.values.reduce(0) { $0 + $1.count } }

    /// The fact to send now, if the call has no other on its way.
    mutating func add(_ fact: Fact) -> Fact? {
        queues[fact.call, default: []].append(fact)
        return queues[fact.call]?.count == 1 ? fact : nil
    }

    /// The first fact of the call is settled; the next one to send.
    mutating func settle(_ call: CallID) -> Fact? {
        guard var queue = queues[call] else { return nil }
        queue.removeFirst()
        queues[call] = queue.isEmpty ? nil : queue
        return queue.first
    }

    /// The calls that something is still to be told of.
    var calls: [CallID] { queues.keys.sorted() }
}
