public import Primitives

/// Who has been heard of lately. No clock: the time is handed in.
public struct Liveness: Sendable {
    /// Silence after which a peer counts as dead.
    public let limit: Duration
    private var lastHeard: [String: Instant] = [:]
    private var dead: Set<String> = []

    public init(limit: Duration) {
        precondition(limit > .zero)
        self.limit = limit
    }

    /// - Returns: true if the peer is new, or was dead.
    public mutating func heard(_ peer: String, at now: Instant) -> Bool {
        let isNew = lastHeard.updateValue(now, forKey: peer) == nil
        return dead.remove(peer) != nil || isNew
    }

    /// The peers that have become dead since the last call, in order of name.
    public mutating func expire(at now: Instant) -> [String] {
        let silent = lastHeard.filter { $0.value + limit <= now && !dead.contains($0.key) }.keys.sorted()
        dead.formUnion(silent)
        return silent
    }

    /// Takes a peer for dead at once: it said goodbye, or its connection is known to be gone.
    public mutating func bury(_ peer: String) {
        if lastHeard[peer] != nil { dead.insert(peer) }
    }

    public mutating func forget(_ peer: String) {
        lastHeard[peer] = nil
        dead.remove(peer)
    }

    /// False for a peer never heard of.
    public func isAlive(_ peer: String) -> Bool { lastHeard[peer] != nil && !dead.contains(peer) }

    /// In order of name.
    public var alive: [String] { lastHeard.keys.filter { !dead.contains($0) }.sorted() }

    /// When `expire` may have something to tell.
    public var nextWake: Instant? {
        lastHeard.filter { !dead.contains($0.key) }.values.min().map { $0 + limit }
    }
}
