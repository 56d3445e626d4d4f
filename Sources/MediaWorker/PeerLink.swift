internal import ICE
internal import OpenSSL
internal import Primitives
internal import RTP

/// What a leg has besides packets when its peer proves its address by checks (ICE), or makes keys by a handshake (DTLS), or both.
///
/// A class, so that a leg without it is one empty field larger. Belongs to the thread of its leg.
final class PeerLink {
    struct Outgoing {
        let channel: Channel
        let destination: SocketAddress
        let bytes: [UInt8]
    }

    struct Keys {
        let suite: SRTPSuite
        let sending: SRTPMasterKey
        let receiving: SRTPMasterKey
    }

    /// Handshakes that one leg may begin; a flood of them ends here.
    private static let attemptsMax = 16
    /// A peer that has begun and goes silent makes room for another one after this.
    private static let handshakeMax: Duration = .seconds(5)

    private let identity: DTLSIdentity?
    private var agent: ICEAgent?
    private var wanted: LegSetup.Handshake?
    /// Where a handshake of ours goes when there are no checks.
    private var remote: SocketAddress?
    private var session: DTLSSession?
    /// Whom the handshake is made with.
    private var peer: SocketAddress?
    private var begunAt = Instant.zero
    private var attempts = 0
    private var hasKeys = false
    private var keys: Keys?
    private var outgoing: [Outgoing] = []
    private var wake: Instant?
    private var wakeTold: Instant?
    /// What a client at an address must know; new for each leg.
    private let secret: [UInt8]

    init(identity: DTLSIdentity?) {
        self.identity = identity
        var random = RandomSource.system
        secret = random.bytes(16)
    }

    /// - Returns: whether the keys of an earlier handshake are good no longer.
    func change(checks: ICEAgent.Setup?, handshake: LegSetup.Handshake?, towards remote: SocketAddress?, at now: Instant) -> Bool {
        if let checks {
            if agent == nil { agent = ICEAgent(checks) } else { agent?.change(to: checks) }
        } else {
            agent = nil
        }
        self.remote = remote
        let isNew = handshake != wanted
        if isNew {
            wanted = handshake
            forget()
            attempts = 0
        }
        begin(at: now)
        return isNew && handshake != nil
    }

    private func forget() {
        (session, peer, keys, hasKeys, wake) = (nil, nil, nil, false, nil)
        outgoing = []
    }

    // MARK: - Checks

    func isChecked(_ source: SocketAddress, _ channel: Channel) -> Bool { agent?.isChecked(source, channel.component) == true }

    func destination(_ channel: Channel) -> SocketAddress? { agent?.destination(channel.component) }

    /// - Returns: why it was not taken.
    func receive(check bytes: [UInt8], from source: SocketAddress, _ channel: Channel, at now: Instant) -> DropReason? {
        switch agent?.receive(bytes, from: source, channel.component) {
        case .answer(let answer, let isNominated):
            outgoing.append(Outgoing(channel: channel, destination: source, bytes: answer))
            if isNominated { begin(at: now) }
            return nil
        case .nothing: return nil
        case .wrongPassword: return .wrongPassword
        case .malformed: return .malformed
        case nil: return .notMedia
        }
    }

    // MARK: - The handshake

    /// Ours to begin, as soon as it is known with whom.
    private func begin(at now: Instant) {
        guard let wanted, wanted.role == .client, session == nil, let identity, attempts < PeerLink.attemptsMax,
            let to = agent == nil ? remote : agent?.destination(.media), let made = try? DTLSSession(.client, as: identity)
        else { return }
        attempts += 1
        (session, peer, begunAt) = (made, to, now)
        try? made.start()
        flush(made, at: now)
    }

    /// - Parameter isExpected: the address is the one that signalling named, or that was checked.
    /// - Returns: why it was not taken.
    func receive(handshake bytes: [UInt8], from source: SocketAddress, isExpected: Bool, at now: Instant) -> DropReason? {
        guard let wanted, let identity else { return .handshake }
        // A peer that is in the middle of it may be interrupted by the address that is expected, or when it has gone silent: whoever
        // sends a first message from anywhere must not keep the real peer out.
        if agent == nil, let peer, peer != source, !hasKeys, wanted.role == .server, isExpected || now - begunAt > PeerLink.handshakeMax { forget() }
        if session == nil {
            // What begins with anything but a handshake (RFC 6347 §4.1) belongs to none.
            guard wanted.role == .server, bytes[0] == 22, attempts < PeerLink.attemptsMax,
                let made = try? DTLSSession(.server, as: identity, cookie: agent == nil ? cookie(for: source) : [])
            else { return .handshake }
            (session, peer, begunAt) = (made, source, now)
        }
        // Under checks the peer may change its address in the middle of it.
        guard let session, agent != nil || peer == source else { return .handshake }
        peer = source
        let wasDone = session.isDone
        do throws(TLSError) {
            try session.receive(bytes)
        } catch {
            // After its end nothing that is sent to it matters any more.
            if !wasDone {
                attempts += 1
                forget()
            }
            return .handshake
        }
        flush(session, at: now)
        guard session.isDone, !wasDone else { return nil }
        guard session.peerFingerprint(wanted.hash) == wanted.fingerprint, let made = session.keys, let suite = SRTPSuite(rawValue: made.suite),
            let sending = SRTPMasterKey(made.sending, for: suite), let receiving = SRTPMasterKey(made.receiving, for: suite)
        else {
            attempts += 1
            forget()
            return .wrongFingerprint
        }
        keys = Keys(suite: suite, sending: sending, receiving: receiving)
        hasKeys = true
        return nil
    }

    /// Once, after the handshake.
    func takeKeys() -> Keys? {
        defer { keys = nil }
        return keys
    }

    private func cookie(for source: SocketAddress) -> [UInt8] { Array(MAC.sha256(Array(source.description.utf8), key: secret).prefix(16)) }

    private func flush(_ session: DTLSSession, at now: Instant) {
        if let peer {
            for datagram in session.takeDatagrams() { outgoing.append(Outgoing(channel: .media, destination: peer, bytes: datagram)) }
        }
        wake = session.timeout.map { now + $0 }
    }

    // MARK: - Time

    /// What was not answered is sent again.
    func tick(at now: Instant) -> DropReason? {
        wakeTold = nil
        guard let session, let due = wake else { return nil }
        guard now >= due else { return nil }
        do throws(TLSError) {
            try session.tick()
        } catch {
            attempts += 1
            forget()
            return .handshake
        }
        if agent != nil, let nominated = agent?.destination(.media) { peer = nominated }
        flush(session, at: now)
        return nil
    }

    func takeOutgoing() -> [Outgoing] {
        defer { outgoing = [] }
        return outgoing
    }

    /// When `tick` is wanted, unless that has been told already.
    func takeWake() -> Instant? {
        guard let wake, wakeTold.map({ wake < $0 }) ?? true else { return nil }
        wakeTold = wake
        return wake
    }
}

extension Channel {
    fileprivate var component: ICEAgent.Component {
        switch self {
        case .media: .media
        case .control: .control
        }
    }
}
