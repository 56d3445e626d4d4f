package import Primitives

/// The asking side of requests: repeats each until it is answered or its deadline has come. No I/O, no clock.
///
/// An id is repeated unchanged, so a server with a `ReplyCache` does the work once. Exactly one end comes to each
/// request: `answer` or `cancel` returns its context, or an `expired` effect carries it.
package struct RequestTable<Context: Sendable>: Sendable {
    package enum Effect: Sendable {
        case send(RequestID, body: [UInt8], to: String)
        case expired(RequestID, Context)
    }

    @usableFromInline struct Entry: Sendable {
        @usableFromInline let peer: String
        @usableFromInline let body: [UInt8]
        @usableFromInline let context: Context
        @usableFromInline let policy: RequestPolicy
        @usableFromInline let deadline: Instant?
        @usableFromInline var pause: Duration
        @usableFromInline var due: Instant
        /// The socket took nothing of the latest sending.
        @usableFromInline var isUnsent = false

        @inlinable init(peer: String, body: [UInt8], context: Context, policy: RequestPolicy, deadline: Instant?, pause: Duration, due: Instant) {
            (self.peer, self.body, self.context, self.policy) = (peer, body, context, policy)
            (self.deadline, self.pause, self.due) = (deadline, pause, due)
        }

        @inlinable var wake: Instant { deadline.map { min($0, due) } ?? due }

        @inlinable mutating func pushBack(_ now: Instant) {
            pause = min(pause * 2, policy.resendMax)
            due = now + pause
        }
    }

    package let capacity: Int
    @usableFromInline let incarnation: UInt64
    @usableFromInline var numbers: UInt64 = 0
    @usableFromInline var entries: [RequestID: Entry] = [:]
    @usableFromInline var queue = DeadlineQueue<RequestID>()

    /// - Parameters:
    ///   - incarnation: random; the same for two tables of one worker would give two requests one id.
    ///   - capacity: requests open at a time.
    @inlinable package init(incarnation: UInt64, capacity: Int = 100_000) {
        self.incarnation = incarnation
        self.capacity = capacity
    }

    @inlinable package var count: Int { entries.count }

    /// When `tick` has something to do; nil: when something has been submitted.
    @inlinable package var nextWake: Instant? { queue.first }

    /// Puts the first sending into `effects`.
    /// - Parameter id: for a request that keeps its id when the process starts again; nil makes a new one.
    /// - Returns: nil when the table is full, or the id is open already; nothing was changed.
    @inlinable package mutating func submit(
        _ body: [UInt8], to peer: String, id: RequestID? = nil, policy: RequestPolicy, context: Context,
        now: Instant, into effects: inout [Effect]
    ) -> RequestID? {
        guard entries.count < capacity else { return nil }
        let id = id ?? nextID()
        guard entries[id] == nil else { return nil }
        let entry = Entry(
            peer: peer, body: body, context: context, policy: policy, deadline: policy.deadline.map { now + $0 },
            pause: policy.resend, due: now + policy.resend)
        entries[id] = entry
        schedule(id, entry)
        effects.append(.send(id, body: body, to: peer))
        return id
    }

    /// Closes a request that `peer` has answered for good.
    /// - Returns: nil for an answer that nobody waits for: late, doubled, or not from who was asked.
    @inlinable package mutating func answer(_ id: RequestID, from peer: String) -> Context? {
        guard entries[id]?.peer == peer else { return nil }
        return cancel(id)
    }

    /// For an answer that says "not now": the request stays, and is repeated after a pause.
    /// - Returns: its context, unchanged; nil as for `answer`.
    @inlinable package mutating func postpone(_ id: RequestID, from peer: String, now: Instant) -> Context? {
        guard var entry = entries[id], entry.peer == peer else { return nil }
        entry.pushBack(now)
        entries[id] = entry
        schedule(id, entry)
        return entry.context
    }

    /// What `id` is about, while it is open.
    @inlinable package func context(of id: RequestID) -> Context? { entries[id]?.context }

    @inlinable package mutating func cancel(_ id: RequestID) -> Context? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        entries.shrinkIfSparse()
        forgetClosed()
        return entry.context
    }

    /// Gives up what is open with a peer that will not come back, in order of id.
    @inlinable package mutating func cancelAll(to peer: String) -> [(id: RequestID, context: Context)] {
        let open = entries.filter { $0.value.peer == peer }.sorted { $0.key < $1.key }
        for (id, _) in open { entries[id] = nil }
        forgetClosed()
        return open.map { ($0.key, $0.value.context) }
    }

    /// The socket did not take the latest sending (`SendOutcome.full` or `.unreachable`).
    @inlinable package mutating func notSent(_ id: RequestID) { entries[id]?.isUnsent = true }

    /// `peer` can be written to again: sends, in order of id, what its socket had not taken.
    @inlinable package mutating func writable(_ peer: String, now: Instant, into effects: inout [Effect]) {
        for id in entries.filter({ $0.value.isUnsent && $0.value.peer == peer }).keys.sorted() {
            guard var entry = entries[id] else { continue }
            entry.isUnsent = false
            entry.pause = entry.policy.resend
            entry.due = now + entry.pause
            entries[id] = entry
            schedule(id, entry)
            effects.append(.send(id, body: entry.body, to: entry.peer))
        }
    }

    /// Repeats what is due and ends what is past its deadline, in order of time.
    @inlinable package mutating func tick(_ now: Instant, into effects: inout [Effect]) {
        while let id = queue.popFirst(dueBy: now) {
            // Entries are queued anew, not moved: what was put in before the latest change is passed over.
            guard var entry = entries[id], entry.wake <= now else { continue }
            if let deadline = entry.deadline, deadline <= now {
                entries[id] = nil
                effects.append(.expired(id, entry.context))
                continue
            }
            entry.pushBack(now)
            entry.isUnsent = false
            entries[id] = entry
            schedule(id, entry)
            effects.append(.send(id, body: entry.body, to: entry.peer))
        }
        forgetClosed()
    }

    /// Numbers under a random start: ordered by time, and unique without asking for randomness each time.
    @inlinable mutating func nextID() -> RequestID {
        numbers += 1
        return RequestID(high: incarnation, low: numbers)
    }

    @inlinable mutating func schedule(_ id: RequestID, _ entry: Entry) { queue.insert(id, at: entry.wake) }

    /// Keeps the queue, which holds closed and moved entries too, within a multiple of the table.
    @inlinable mutating func forgetClosed() {
        if entries.isEmpty {
            queue.removeAll()
        } else if queue.count > 4 * entries.count + 64 {
            queue.removeAll()
            for (id, entry) in entries.sorted(by: { $0.key < $1.key }) { schedule(id, entry) }
        }
    }
}
