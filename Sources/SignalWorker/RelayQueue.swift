import Primitives

/// What a fellow could not be told at once, because its connection is not up yet or again. A datagram that is lost so is sent again by
/// its peer; what came by a connection is not, so it waits for a while.
struct RelayQueue: Sendable {
    private struct Entry: Sendable {
        let worker: String
        let body: [UInt8]
        let until: Instant
    }

    private static let entriesMax = 4_096
    private static let patience = Duration.seconds(10)
    /// How often it is tried again.
    static let pause = Duration.milliseconds(50)

    private var entries: [Entry] = []
    private(set) var nextTry: Instant?

    var count: Int { entries.count }

    /// Whether something waits for that worker: what is said later must not arrive earlier.
    func holds(_ worker: String) -> Bool { !entries.isEmpty && entries.contains { $0.worker == worker } }

    /// - Returns: false when there is no room, and it is lost.
    mutating func hold(_ body: [UInt8], for worker: String, now: Instant) -> Bool {
        guard entries.count < RelayQueue.entriesMax else { return false }
        entries.append(Entry(worker: worker, body: body, until: now + RelayQueue.patience))
        if nextTry == nil { nextTry = now + RelayQueue.pause }
        return true
    }

    /// Tries again, if it is time, in the order in which it was said.
    /// - Parameter send: whether it is settled, one way or the other.
    /// - Returns: how many were given up.
    mutating func retry(now: Instant, _ send: (_ body: [UInt8], _ worker: String) -> Bool) -> Int {
        guard let due = nextTry, now >= due else { return 0 }
        var closed: Set<String> = []
        var lost = 0
        entries.removeAll { entry in
            if now >= entry.until {
                lost += 1
                return true
            }
            if closed.contains(entry.worker) { return false }
            if send(entry.body, entry.worker) { return true }
            closed.insert(entry.worker)
            return false
        }
        nextTry = entries.isEmpty ? nil : now + RelayQueue.pause
        return lost
    }
}
