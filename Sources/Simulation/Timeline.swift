import Primitives

/// What is to happen, in the order of simulated time; what is due at one instant happens in the order it was put in.
struct Timeline<Event> {
    private struct Entry {
        let at: Instant
        let number: UInt64
        let event: Event

        func comes(before other: Entry) -> Bool { (at, number) < (other.at, other.number) }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var numbers: UInt64 = 0

    var next: Instant? { entries.first?.at }
    var count: Int { entries.count }

    mutating func add(_ event: Event, at instant: Instant) {
        numbers += 1
        entries.append(Entry(at: instant, number: numbers, event: event))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].comes(before: entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func take() -> (at: Instant, event: Event)? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return (first.at, first.event) }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count && entries[child].comes(before: entries[least]) {
                least = child
            }
            guard least != parent else { return (first.at, first.event) }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
