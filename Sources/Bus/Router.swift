/// The answering side: listens, and knows every peer by the name under which its key is enrolled.
public struct Router: ~Copyable, Sendable, BusSocket {
    /// One connection of a worker.
    public struct Peer: Hashable, Sendable {
        /// Authenticated: the name of the key that the connection was made with.
        public let worker: String
        /// Which connection of this router; never reused.
        let route: UInt64
    }

    public struct Delivery: Hashable, Sendable {
        public let peer: Peer
        public let message: BusMessage
    }

    public let handle: SocketHandle
    /// As bound: with the port that the system chose when `*` was asked for.
    public let endpoint: String
    /// Messages dropped because their sender's key was revoked or replaced while it was connected.
    public private(set) var fromRevoked: UInt64 = 0
    private let allowlist: Allowlist
    /// The connection that each worker spoke on last; no more entries than names ever enrolled.
    private var newest: [String: UInt64] = [:]

    /// - Parameter endpoint: `tcp://host:port`, or `tcp://host:*` for any free port.
    public init(
        listeningOn endpoint: String, as keys: CurveKeyPair, allowing allowlist: Allowlist,
        limits: BusLimits = BusLimits(), in context: BusContext
    ) throws(BusError) {
        (handle, self.endpoint) = try SocketHandle.listening(
            .router, on: endpoint, as: keys, allowing: allowlist, limits: limits, in: context)
        self.allowlist = allowlist
    }

    deinit { handle.close() }

    /// The next request or notice; nil when none waits. Malformed ones, and those of revoked workers, are skipped.
    public mutating func receive() -> Delivery? {
        while handle.receivePart() {
            guard let route = handle.partRoute, handle.partHasMore, handle.receivePart() else {
                let _: Never? = handle.dropMalformed()
                continue
            }
            guard let message = handle.message() else { continue }
            // No name, no message: libzmq would have let in a peer that the allowlist was not asked about.
            guard let (worker, enrolment) = sender(by: route), allowlist.holds(name: worker, enrolment: enrolment) else {
                fromRevoked += 1
                continue
            }
            if newest[worker] != route { newest[worker] = route }
            return Delivery(peer: Peer(worker: worker, route: route), message: message)
        }
        return nil
    }

    /// Whom the received part is from: as the handshake of its connection said, or as this process let it in.
    private func sender(by route: UInt64) -> (worker: String, enrolment: UInt64)? {
        guard let worker = handle.partProperty("User-Id") else { return handle.guest(route).map { ($0.name, $0.enrolment) } }
        return handle.partProperty(Authenticator.enrolmentProperty).flatMap(UInt64.init).map { (worker, $0) }
    }

    /// Answers on the connection that a request came from.
    public mutating func send(_ message: BusMessage, to peer: Peer) -> SendOutcome {
        let outcome = handle.send(route: peer.route, message)
        if outcome == .unreachable, newest[peer.worker] == peer.route { newest[peer.worker] = nil }
        return outcome
    }

    /// Sends on the connection that the worker spoke on last; `.unreachable` if it has not spoken yet.
    public mutating func send(_ message: BusMessage, to worker: String) -> SendOutcome {
        guard let route = newest[worker] else { return .unreachable }
        return send(message, to: Peer(worker: worker, route: route))
    }
}
