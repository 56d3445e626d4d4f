import Model
import Primitives

/// Calls that have ended here within the time that a transaction lives (64·T1, RFC 3261 §17): what still comes for them is
/// not a question to the control plane.
struct EndedCalls: Sendable {
    private static let time = Duration.seconds(40)
    private var calls: Set<CallID> = []
    private var order: [(call: CallID, until: Instant)] = []
    private var oldest = 0

    func contains(_ call: CallID) -> Bool { calls.contains(call) }

    mutating func insert(_ call: CallID, now: Instant) {
        while oldest < order.count, order[oldest].until <= now {
            calls.remove(order[oldest].call)
            oldest += 1
        }
        if oldest > 1_024, oldest > order.count / 2 {
            order.removeFirst(oldest)
            order.shrinkIfSparse()
            calls.shrinkIfSparse()
            oldest = 0
        }
        if calls.insert(call).inserted { order.append((call, now + EndedCalls.time)) }
    }
}
