import Primitives

/// When each open request is repeated, and when it is given up; what it is about is not known here, so nothing is generic, and at each
/// request nobody asks what a type is.
struct RequestSchedule: Sendable {
    private struct Entry: Sendable {
        let peer: String
        let body: [UInt8]
        let policy: RequestPolicy
        let deadline: Instant?
        var pause: Duration
        var due: Instant
        /// The socket took nothing of the latest sending.
        var isUnsent = false

        var wake: Instant { deadline.map { min($0, due) } ?? due }

        mutating func pushBack(_ now: Instant) {
            pause = min(pause * 2, policy.resendMax)
            due = now + pause
        }
    }

    enum Event {
        case send(RequestID, body: [UInt8], to: String)
        case expired(RequestID)
    }

    private let incarnation: UInt64
    private var numbers: UInt64 = 0
    private var entries: [RequestID: Entry] = [:]
    private var queue = DeadlineQueue<RequestID>()

    init(incarnation: UInt64) { self.incarnation = incarnation }

    var count: Int { entries.count }
    var nextWake: Instant? { queue.first }

    func isOpen(_ id: RequestID, with peer: String) -> Bool { entries[id]?.peer == peer }

    /// In order of id.
    func all(with peer: String) -> [RequestID] { entries.filter { $0.value.peer == peer }.keys.sorted() }

    /// - Returns: nil when the id is open already.
    mutating func open(_ body: [UInt8], to peer: String, id: RequestID?, policy: RequestPolicy, now: Instant) -> RequestID? {
        let id = id ?? nextID()
        guard entries[id] == nil else { return nil }
        let entry = Entry(
            peer: peer, body: body, policy: policy, deadline: policy.deadline.map { now + $0 }, pause: policy.resend, due: now + policy.resend)
        entries[id] = entry
        schedule(id, entry)
        return id
    }

    mutating func close(_ id: RequestID) {
        guard entries.removeValue(forKey: id) != nil else { return }
        entries.shrinkIfSparse()
        forgetClosed()
    }

    mutating func postpone(_ id: RequestID, now: Instant) {
        guard var entry = entries[id] else { return }
        entry.pushBack(now)
        entries[id] = entry
        schedule(id, entry)
    }

    mutating func notSent(_ id: RequestID) { entries[id]?.isUnsent = true }

    /// What the socket to `peer` had not taken, in order of id.
    mutating func writable(_ peer: String, now: Instant) -> [Event] {
        entries.filter { $0.value.isUnsent && $0.value.peer == peer }.keys.sorted().compactMap { id in
            guard var entry = entries[id] else { return nil }
            entry.isUnsent = false
            entry.pause = entry.policy.resend
            entry.due = now + entry.pause
            entries[id] = entry
            schedule(id, entry)
            return .send(id, body: entry.body, to: entry.peer)
        }
    }

    mutating func tick(_ now: Instant) -> [Event] {
        var events: [Event] = []
        while let id = queue.popFirst(dueBy: now) {
            // Entries are queued anew, not moved: what was put in before the latest change is passed over.
            guard var entry = entries[id], entry.wake <= now else { continue }
            if let deadline = entry.deadline, deadline <= now {
                entries[id] = nil
                events.append(.expired(id))
                continue
            }
            entry.pushBack(now)
            entry.isUnsent = false
            entries[id] = entry
            schedule(id, entry)
            events.append(.send(id, body: entry.body, to: entry.peer))
        }
        forgetClosed()
        return events
    }

    /// Numbers under a random start: ordered by time, and unique without asking for randomness each time.
    private mutating func nextID() -> RequestID {
        numbers += 1
        return RequestID(high: incarnation, low: numbers)
    }

    private mutating func schedule(_ id: RequestID, _ entry: Entry) { queue.insert(id, at: entry.wake) }

    /// Keeps the queue, which holds closed and moved entries too, within a multiple of the table.
    private mutating func forgetClosed() {
        if entries.isEmpty {
            queue.removeAll()
        } else if queue.count > 4 * entries.count + 64 {
            queue.removeAll()
            for (id, entry) in entries.sorted(by: { $0.key < $1.key }) { schedule(id, entry) }
        }
    }
}
