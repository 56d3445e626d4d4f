internal import OpenSSL
internal import Primitives
internal import RTP

/// Media has a port and RTCP the next, unless they share one.
enum Channel: Sendable {
    case media
    case control
}

/// One side of a session: where its peer is, how its packets are protected, what it has counted.
struct RelayLeg: ~Copyable {
    enum Reception {
        /// In clear now, of this many bytes.
        case accepted(Channel, count: Int)
        case dropped(DropReason)
        /// A check or a part of a handshake; `takeReplies` has what is to be sent for it.
        case consumed
    }
    enum Departure {
        case ready(port: UInt16, to: SocketAddress, count: Int)
        case dropped(DropReason)
    }

    let port: UInt16
    private(set) var setup: LegSetup
    private var payloadTypes: PayloadTypes
    var media: SourceLatch
    private var control: ControlSource
    var inbound: SRTPSession?
    var outbound: SRTPSession?
    /// Of before the peer changed its key: its packets that are still on the way.
    var oldInbound: SRTPSession?
    var oldInboundUntil = Instant.zero
    /// Checks and handshakes; nil: packets are all that the peer sends.
    var link: PeerLink?
    private let identity: DTLSIdentity?
    /// A peer that answers begins its handshake at once, which may come before signalling has said whom to expect.
    var early: Early?
    /// The other side's stream that has begun anew under its old name, towards a peer that would take it for replayed.
    var restarts = StreamRestarts()
    var isProtected: Bool
    /// The peer proves its address by checks.
    var isChecked = false
    var counters = LegCounters()
    /// What its peer hears instead of the other leg.
    var prompt: OwnStream?
    /// Of its packets on their way to the other leg.
    var shortcut = Shortcut()
    /// Its packets are what they look like, and come from where they seem to: nothing is opened, checked or made of them.
    var isPlain: Bool { !setup.isOpaque && !isProtected && !isChecked && link == nil && setup.seat == nil }

    /// - Parameter identity: our side of DTLS; nil: it is not spoken.
    init(port: UInt16, setup: LegSetup, identity: DTLSIdentity? = nil, at now: Instant) throws(SRTPError) {
        let inbound = try RelayLeg.session(.inbound, setup.protection?.suite, setup.protection?.receiveKey)
        let outbound = try RelayLeg.session(.outbound, setup.protection?.suite, setup.protection?.sendKey)
        self.port = port
        self.setup = setup
        payloadTypes = setup.payloadTypes
        media = SourceLatch(declared: setup.remote)
        control = ControlSource(media: setup.remote)
        self.inbound = inbound
        self.outbound = outbound
        self.identity = identity
        isProtected = setup.protection != nil || setup.handshake != nil
        counters.protection = RelayLeg.words(setup.protection)
        relink(at: now)
    }

    struct Early {
        let source: SocketAddress
        let bytes: [UInt8]
        let heardAt: Instant
    }
    private static let earlyLives: Duration = .seconds(2)

    private static func words(_ protection: LegSetup.Protection?) -> String { protection.map { "sdes " + $0.suite.rawValue } ?? "" }

    /// A key that stays the same keeps its session: its index and replay window go on.
    mutating func change(to new: LegSetup, at now: Instant) throws(SRTPError) {
        let (old, next) = (setup.protection, new.protection)
        let wasHandshake = setup.handshake != nil
        if old?.suite != next?.suite || old?.receiveKey != next?.receiveKey {
            let renewed = try RelayLeg.session(.inbound, next?.suite, next?.receiveKey)
            if renewed != nil, inbound != nil, !wasHandshake {
                swap(&inbound, &oldInbound)
                oldInboundUntil = now + RelayLeg.oldKeyLives
            }
            inbound = consume renewed
        }
        if old?.suite != next?.suite || old?.sendKey != next?.sendKey {
            outbound = try RelayLeg.session(.outbound, next?.suite, next?.sendKey)
        }
        media.declare(new.remote)
        control.declare(media: new.remote)
        setup = new
        payloadTypes.change(to: new.payloadTypes)
        isProtected = next != nil || new.handshake != nil
        if new.handshake == nil {
            if wasHandshake, next == nil { dropKeys() }
            counters.protection = RelayLeg.words(next)
        }
        relink(at: now)
    }

    /// Media takes no longer to come, whatever the network.
    private static let oldKeyLives: Duration = .seconds(2)

    /// The same fingerprint and role keep the keys that their handshake has made.
    private mutating func relink(at now: Instant) {
        isChecked = setup.checks != nil
        guard setup.checks != nil || setup.handshake != nil else { return link = nil }
        if link == nil { link = PeerLink(identity: identity) }
        if link?.change(checks: setup.checks, handshake: setup.handshake, towards: setup.remote, at: now) == true { dropKeys() }
        guard setup.handshake != nil, let first = early else { return }
        early = nil
        guard now - first.heardAt < RelayLeg.earlyLives else { return }
        _ = receive(handshake: first.bytes, from: first.source, at: now, rules: SourceRules())
    }

    private mutating func dropKeys() {
        inbound = nil
        outbound = nil
    }

    private static func session(
        _ direction: SRTPSession.Direction, _ suite: SRTPSuite?, _ key: SRTPMasterKey?
    ) throws(SRTPError) -> SRTPSession? {
        guard let suite, let key else { return nil }
        return try SRTPSession(direction, suite: suite, key: key)
    }

    borrowing func prefetchInbound() { inbound?.prefetch() }
    borrowing func prefetchOutbound() { outbound?.prefetch() }

    // MARK: - In

    /// Takes a packet that came to one of this leg's ports: checks the source, unprotects in place, counts.
    mutating func receive(
        on channel: Channel, from source: SocketAddress, _ buffer: inout MutableRawSpan, count: Int, at now: Instant,
        rules: SourceRules
    ) -> Reception {
        let reception: Reception =
            if setup.isOpaque {
                receiveUnread(on: channel, from: source, buffer.bytes.extracting(first: count), at: now, rules: rules)
            } else {
                switch (PacketKind(buffer.bytes.extracting(first: count)), channel) {
                case (.rtp, .media): receiveMedia(from: source, &buffer, count: count, at: now, rules: rules)
                case (.rtcp, .media) where setup.sharesControlPort, (.rtcp, .control):
                    receiveControl(on: channel, from: source, &buffer, count: count, at: now, rules: rules)
                case (.rtp, .control), (.rtcp, .media): .dropped(.notNegotiated)
                case (.stun, _), (.dtls, _): receiveLink(on: channel, from: source, buffer.bytes.extracting(first: count), at: now, rules: rules)
                case (.unknown, _): .dropped(.notMedia)
                }
            }
        switch reception {
        case .accepted(.media, _):
            counters.packetsIn += 1
            counters.bytesIn += UInt64(count)
            counters.lastHeard = now
        case .accepted(.control, _):
            counters.controlIn += 1
            counters.lastHeard = now
        case .dropped(let reason): counters.count(reason)
        case .consumed: break
        }
        return reception
    }

    private mutating func receiveMedia(
        from source: SocketAddress, _ buffer: inout MutableRawSpan, count: Int, at now: Instant, rules: SourceRules
    ) -> Reception {
        guard isChecked ? knows(source, .media) : media.assess(source, isProtected: isProtected, at: now, rules: rules) != .stranger else {
            return .dropped(.stranger)
        }
        do throws(DropError) {
            let clear = isProtected ? try unprotect(.media, &buffer, count: count, at: now) : count
            let header = try RelayLeg.header(of: buffer.bytes.extracting(first: clear))
            guard payloadTypes.contains(header.payloadType) else { return .dropped(.notNegotiated) }
            guard
                isChecked
                    || media.admit(
                    source, ssrc: header.ssrc, sequence: header.sequence, isProtected: isProtected, at: now,
                    rules: rules)
            else { return .dropped(.learning) }
            counters.quality.hear(header, setup.formats, at: now)
            return .accepted(.media, count: clear)
        } catch {
            return .dropped(error.reason)
        }
    }

    /// Of packets that are not ours to read, what stands in clear: numbers of SRTP's, or of UDPTL's (T.38 §9.1).
    private mutating func receiveUnread(on channel: Channel, from source: SocketAddress, _ packet: RawSpan, at now: Instant, rules: SourceRules) -> Reception {
        guard packet.byteCount >= 4 else { return .dropped(.tooShort) }
        let isRTP = packet.byteCount >= 12 && (128...191).contains(packet.byte(0))
        switch channel {
        case .media:
            guard media.assess(source, isProtected: false, at: now, rules: rules) != .stranger else { return .dropped(.stranger) }
            let (sequence, ssrc) = isRTP ? (packet.word(2), UInt32(packet.word(8)) << 16 | UInt32(packet.word(10))) : (packet.word(0), 0)
            guard media.admit(source, ssrc: ssrc, sequence: sequence, isProtected: false, at: now, rules: rules) else { return .dropped(.learning) }
        case .control:
            guard isRTP || packet.byteCount >= 8, control.assess(source, media: media, isProtected: false, at: now, rules: rules) != .stranger else { return .dropped(.stranger) }
            let ssrc = UInt32(packet.word(4)) << 16 | UInt32(packet.word(6))
            guard control.admit(source, ssrc: ssrc, media: media, at: now) else { return .dropped(.stranger) }
        }
        return .accepted(channel, count: packet.byteCount)
    }

    private mutating func receiveControl(
        on channel: Channel, from source: SocketAddress, _ buffer: inout MutableRawSpan, count: Int, at now: Instant,
        rules: SourceRules
    ) -> Reception {
        let standing: SourceLatch.Standing =
            switch channel {
            case _ where isChecked: knows(source, channel) ? .known : .stranger
            // Sharing the port is sharing the source; control alone teaches nothing about it.
            case .media: source == media.destination ? .known : .stranger
            case .control: control.assess(source, media: media, isProtected: isProtected, at: now, rules: rules)
            }
        guard standing != .stranger else { return .dropped(.stranger) }
        do throws(DropError) {
            let clear = isProtected ? try unprotect(.control, &buffer, count: count, at: now) : count
            let compound = try RelayLeg.compound(of: buffer.bytes.extracting(first: clear))
            switch channel {
            case .media: break
            case .control where isChecked: break
            case .control:
                guard control.admit(source, ssrc: compound.senderSSRC, media: media, at: now) else {
                    return .dropped(.stranger)
                }
            }
            return .accepted(.control, count: clear)
        } catch {
            return .dropped(error.reason)
        }
    }

    // MARK: - Out

    /// Makes a packet in clear ready for this leg's peer: protects in place, counts.
    mutating func dispatch(_ channel: Channel, _ buffer: inout MutableRawSpan, count: Int) -> Departure {
        let ownPort = channel == .media || setup.sharesControlPort
        let known =
            if isChecked { link?.destination(ownPort ? .media : .control) } else { ownPort ? media.destination : control.destination }
        guard let destination = known else { return .dropped(.undeliverable) }
        if restarts.isNeeded { restarts.rename(channel, &buffer) }
        do throws(DropError) {
            let sent = isProtected ? try protect(channel, &buffer, count: count) : count
            switch channel {
            case .media:
                counters.packetsOut += 1
                counters.bytesOut += UInt64(sent)
            case .control: counters.controlOut += 1
            }
            return .ready(port: ownPort ? port : port + 1, to: destination, count: sent)
        } catch {
            return .dropped(error.reason)
        }
    }

    /// See `RelaySession.promptPacket`.
    mutating func promptPacket(
        ssrc: UInt32, at now: Instant, _ buffer: inout MutableRawSpan
    ) -> (verdict: RelayVerdict, next: Instant?)? {
        guard prompt?.ssrc == ssrc, let count = prompt?.write(into: &buffer, at: now) else { return nil }
        let next = prompt?.isOver == false ? prompt?.nextAt : nil
        if next == nil { prompt = nil }
        switch dispatch(.media, &buffer, count: count) {
        case .ready(let port, let destination, let count): return (.forward(from: port, to: destination, count: count), next)
        case .dropped(let reason): return (.drop(reason), next)
        }
    }
}

extension RawSpan {
    fileprivate func byte(_ place: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: place, as: UInt8.self) }

    /// Two bytes, the high one first.
    fileprivate func word(_ place: Int) -> UInt16 { UInt16(byte(place)) << 8 | UInt16(byte(place + 1)) }
}
