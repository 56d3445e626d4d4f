/// The asking side: one connection to a `Router`, made again whenever it is lost.
public struct Dealer: ~Copyable, Sendable, BusSocket {
    public let handle: SocketHandle

    /// - Parameters:
    ///   - endpoint: `tcp://host:port`; nobody has to listen there yet.
    ///   - server: the key that the router must have.
    public init(
        to endpoint: String, server: CurvePublicKey, as keys: CurveKeyPair, limits: BusLimits = BusLimits(),
        in context: BusContext
    ) throws(BusError) {
        handle = try SocketHandle.connected(
            .dealer, to: endpoint, server: server, as: keys, limits: limits, in: context)
    }

    deinit { handle.close() }

    /// Never waits. Without a connection the message is not queued: `.full`.
    public mutating func send(_ message: BusMessage) -> SendOutcome {
        handle.heal()
        return handle.send(message)
    }

    /// The next reply or notice; nil when none waits. Malformed ones are skipped.
    public mutating func receive() -> BusMessage? {
        while handle.receivePart() {
            if let message = handle.message() { return message }
        }
        return nil
    }
}
