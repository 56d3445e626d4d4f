/// One `Dealer` for each of the peers that come and go: media workers for a signal worker, or its fellows.
public struct DealerGroup: ~Copyable, Sendable {
    private final class Member: Sendable {
        let endpoint: String
        let server: CurvePublicKey
        let handle: SocketHandle
        let token: Poller.Token

        init(endpoint: String, server: CurvePublicKey, handle: SocketHandle, token: Poller.Token) {
            self.endpoint = endpoint
            self.server = server
            self.handle = handle
            self.token = token
        }

        deinit { handle.close() }
    }

    private let keys: CurveKeyPair
    private let limits: BusLimits
    private let context: BusContext
    private var members: [String: Member] = [:]

    public init(as keys: CurveKeyPair, limits: BusLimits = BusLimits(), in context: BusContext) {
        self.keys = keys
        self.limits = limits
        self.context = context
    }

    /// In order of name, so that what follows from it repeats.
    public var peers: [String] { members.keys.sorted() }

    /// Connects to `peer`; again only if its endpoint or its key has changed.
    public mutating func connect(
        _ peer: String, to endpoint: String, server: CurvePublicKey, watchedBy poller: inout Poller
    ) throws(BusError) {
        if let member = members[peer], member.endpoint == endpoint, member.server == server { return }
        disconnect(peer, watchedBy: &poller)
        let handle = try SocketHandle.connected(
            .dealer, to: endpoint, server: server, as: keys, limits: limits, in: context)
        members[peer] = Member(endpoint: endpoint, server: server, handle: handle, token: poller.add(handle: handle))
    }

    /// What had not been received from it is lost.
    public mutating func disconnect(_ peer: String, watchedBy poller: inout Poller) {
        guard let member = members.removeValue(forKey: peer) else { return }
        poller.remove(member.token)
    }

    /// `.unreachable` when the group has no such peer, `.full` when it has no connection at present.
    public mutating func send(_ message: BusMessage, to peer: String) -> SendOutcome {
        guard let handle = members[peer]?.handle else { return .unreachable }
        handle.heal()
        return handle.send(message)
    }

    /// Asks `poller` to say when `peer`, to which a send was `.full`, can be written to.
    public func watchWriting(_ peer: String, _ wanted: Bool, by poller: inout Poller) {
        guard let member = members[peer] else { return }
        poller.watchWriting(member.token, wanted)
    }

    public func isWritable(_ peer: String, in poller: borrowing Poller) -> Bool {
        members[peer].map { poller.isWritable($0.token) } ?? false
    }

    /// Everything that waits at the peers that `poller` found readable, in order of peer.
    public mutating func receive(from poller: borrowing Poller) -> [(peer: String, message: BusMessage)] {
        var received: [(peer: String, message: BusMessage)] = []
        for (peer, member) in members.filter({ poller.isReadable($0.value.token) }).sorted(by: { $0.key < $1.key }) {
            while member.handle.receivePart() {
                if let message = member.handle.message() { received.append((peer, message)) }
            }
        }
        return received
    }

    public func link(_ peer: String) -> LinkCounters? { members[peer]?.handle.link }

    public var malformed: UInt64 { members.values.reduce(0) { $0 + $1.handle.malformed } }
}
