/// A worker's side of the feed.
public struct FeedSubscriber: ~Copyable, Sendable, BusSocket {
    public let handle: SocketHandle

    public init(
        to endpoint: String, server: CurvePublicKey, as keys: CurveKeyPair, limits: BusLimits = BusLimits(),
        in context: BusContext
    ) throws(BusError) {
        handle = try SocketHandle.connected(
            .subscriber, to: endpoint, server: server, as: keys, limits: limits, in: context)
    }

    deinit { handle.close() }

    /// The next body; nil when none waits. Messages of more than one frame are skipped.
    public mutating func receive() -> [UInt8]? {
        handle.heal()
        while handle.receivePart() {
            if !handle.partHasMore { return handle.partBytes }
            let _: Never? = handle.dropMalformed()
        }
        return nil
    }
}
