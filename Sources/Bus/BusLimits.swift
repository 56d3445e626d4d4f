/// What bounds a bus socket: nothing on the bus waits, queues or grows without end.
public struct BusLimits: Sendable {
    /// Messages that may wait to be sent, per peer; the next one is `.full`.
    public var sendQueueMessages: Int32 = 10_000
    /// Messages that may wait to be received, per peer; then TCP holds the sender back.
    public var receiveQueueMessages: Int32 = 10_000
    /// Longest body. A sender is told; a peer that sends more is disconnected.
    public var bodyBytesMax = 1 << 20
    /// How long a closed socket tries to deliver what it had accepted.
    public var linger: Duration = .milliseconds(200)
    /// Time for TCP, and again for CURVE, to be established.
    public var handshake: Duration = .seconds(5)
    /// A ZMTP PING is sent after this much silence (RFC 37), and its PONG waited for this long.
    public var heartbeatInterval: Duration = .seconds(1)
    public var heartbeatTimeout: Duration = .seconds(3)
    /// First and longest pause between attempts to connect again; it doubles in between.
    public var reconnect: Duration = .milliseconds(100)
    public var reconnectMax: Duration = .seconds(2)

    public init() {}
}
