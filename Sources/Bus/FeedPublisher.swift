/// The control plane's side of the feed: what is published reaches every worker that is connected at the time.
public struct FeedPublisher: ~Copyable, Sendable, BusSocket {
    public let handle: SocketHandle
    /// As bound: with the port that the system chose when `*` was asked for.
    public let endpoint: String

    /// - Parameter endpoint: `tcp://host:port`, or `tcp://host:*` for any free port.
    public init(
        listeningOn endpoint: String, as keys: CurveKeyPair, allowing allowlist: Allowlist,
        limits: BusLimits = BusLimits(), in context: BusContext
    ) throws(BusError) {
        (handle, self.endpoint) = try SocketHandle.listening(
            .publisher, on: endpoint, as: keys, allowing: allowlist, limits: limits, in: context)
    }

    deinit { handle.close() }

    /// Never waits: a worker that reads too slowly misses messages, and sees it by the gap in their numbers.
    public mutating func publish(_ body: [UInt8]) -> SendOutcome {
        // As it sends, libzmq looks for new subscribers once in a millisecond at most; here nobody who has connected is to miss anything.
        _ = handle.readiness
        return handle.send(body: body)
    }
}
