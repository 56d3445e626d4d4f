import Primitives

/// Deadlines in order, earliest first. An entry is never taken out early: whoever pops it asks whether it still holds.
struct WakeQueue<Key: Sendable>: Sendable {
    private struct Entry: Sendable {
        let at: Instant
        /// Equal instants come out in the order they went in, so that a run repeats exactly.
        let order: UInt64
        let key: Key
    }
    private var heap: [Entry] = []
    private var nextOrder: UInt64 = 0

    var first: Instant? { heap.first?.at }

    mutating func insert(_ key: Key, at instant: Instant) {
        heap.append(Entry(at: instant, order: nextOrder, key: key))
        nextOrder += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(child, parent) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest entry that is due; nil when none is.
    mutating func pop(due now: Instant) -> (key: Key, at: Instant)? {
        guard let first = heap.first, first.at <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = parent * 2 + 1
            guard left < heap.count else { break }
            let child = left + 1 < heap.count && precedes(left + 1, left) ? left + 1 : left
            guard precedes(child, parent) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        heap.shrinkIfSparse()
        return (first.key, first.at)
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        (heap[a].at, heap[a].order) < (heap[b].at, heap[b].order)
    }
}
