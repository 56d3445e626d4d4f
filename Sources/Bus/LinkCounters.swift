/// What a socket's connections have been through, as libzmq's monitor tells it.
public struct LinkCounters: Hashable, Sendable {
    /// Connections whose handshake, CURVE and allowlist included, went well.
    public var established: UInt64 = 0
    public var lost: UInt64 = 0
    /// Handshakes that ended because the key is not enrolled: ours, seen by who connects; a peer's, seen by who listens.
    public var refused: UInt64 = 0
    /// Handshakes that failed otherwise: not CURVE, another server key, not ZeroMQ at all, too slow.
    public var failed: UInt64 = 0
    /// How the most recent handshake or connection ended, for a socket that connects to one peer.
    public var state: LinkState = .connecting

    public init() {}
}

/// The state of a socket's most recent connection.
public enum LinkState: Hashable, Sendable {
    case connecting
    case connected
    /// The peer does not know our key: enrol it there.
    case refused
    /// No CURVE handshake came about; most likely the server key is not the peer's.
    case failed
}
