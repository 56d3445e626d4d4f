public import Primitives

/// The asking side of requests: repeats each until it is answered or its deadline has come. No I/O, no clock.
///
/// An id is repeated unchanged, so a server with a `ReplyCache` does the work once. Exactly one end comes to each
/// request: `answer` or `cancel` returns its context, or an `expired` effect carries it.
public struct RequestTable<Context: Sendable>: Sendable {
    public enum Effect: Sendable {
        case send(RequestID, body: [UInt8], to: String)
        case expired(RequestID, Context)
    }

    public let capacity: Int
    private var open: RequestSchedule
    private var contexts: [RequestID: Context] = [:]

    /// - Parameters:
    ///   - incarnation: random; the same for two tables of one worker would give two requests one id.
    ///   - capacity: requests open at a time.
    public init(incarnation: UInt64, capacity: Int = 100_000) {
        open = RequestSchedule(incarnation: incarnation)
        self.capacity = capacity
    }

    public var count: Int { open.count }

    /// When `tick` has something to do; nil: when something has been submitted.
    public var nextWake: Instant? { open.nextWake }

    /// Puts the first sending into `effects`.
    /// - Parameter id: for a request that keeps its id when the process starts again; nil makes a new one.
    /// - Returns: nil when the table is full, or the id is open already; nothing was changed.
    public mutating func submit(
        _ body: [UInt8], to peer: String, id: RequestID? = nil, policy: RequestPolicy, context: Context,
        now: Instant, into effects: inout [Effect]
    ) -> RequestID? {
        guard open.count < capacity, let id = open.open(body, to: peer, id: id, policy: policy, now: now) else { return nil }
        contexts[id] = context
        effects.append(.send(id, body: body, to: peer))
        return id
    }

    /// Closes a request that `peer` has answered for good.
    /// - Returns: nil for an answer that nobody waits for: late, doubled, or not from who was asked.
    public mutating func answer(_ id: RequestID, from peer: String) -> Context? { open.isOpen(id, with: peer) ? cancel(id) : nil }

    /// For an answer that says "not now": the request stays, and is repeated after a pause.
    /// - Returns: its context, unchanged; nil as for `answer`.
    public mutating func postpone(_ id: RequestID, from peer: String, now: Instant) -> Context? {
        guard open.isOpen(id, with: peer) else { return nil }
        open.postpone(id, now: now)
        return contexts[id]
    }

    /// What `id` is about, while it is open.
    public func context(of id: RequestID) -> Context? { contexts[id] }

    public mutating func cancel(_ id: RequestID) -> Context? {
        open.close(id)
        return forget(id)
    }

    /// Gives up what is open with a peer that will not come back, in order of id.
    public mutating func cancelAll(to peer: String) -> [(id: RequestID, context: Context)] {
        open.all(with: peer).compactMap { id in cancel(id).map { (id, $0) } }
    }

    /// The socket did not take the latest sending (`SendOutcome.full` or `.unreachable`).
    public mutating func notSent(_ id: RequestID) { open.notSent(id) }

    /// `peer` can be written to again: sends, in order of id, what its socket had not taken.
    public mutating func writable(_ peer: String, now: Instant, into effects: inout [Effect]) {
        take(open.writable(peer, now: now), into: &effects)
    }

    /// Repeats what is due and ends what is past its deadline, in order of time.
    public mutating func tick(_ now: Instant, into effects: inout [Effect]) { take(open.tick(now), into: &effects) }

    private mutating func take(_ events: [RequestSchedule.Event], into effects: inout [Effect]) {
        for event in events {
            switch event {
            case .send(let id, let body, let peer): effects.append(.send(id, body: body, to: peer))
            case .expired(let id): if let context = forget(id) { effects.append(.expired(id, context)) }
            }
        }
    }

    private mutating func forget(_ id: RequestID) -> Context? {
        defer { contexts.shrinkIfSparse() }
        return contexts.removeValue(forKey: id)
    }
}
