internal import Codecs
internal import ICE
package import Model
internal import OpenSSL
package import Primitives
internal import RTP

/// What is wrong with a request's words about a leg; never with a key in the text.
package enum LegSpecError: Error, Equatable, CustomStringConvertible {
    case remote(String)
    case family(String)
    case suite(String)
    case key(bytes: Int, of: Int)
    case suiteWithoutKey
    case fingerprint(String, bytes: Int)
    case checks
    case seat

    package var description: String {
        switch self {
        case .remote(let text): "remote \"\(text)\" is not an address and port"
        case .family(let text): "remote \(text) is not of the family of this worker's address"
        case .suite(let text): "suite \"\(text)\" is not spoken"
        case .key(let bytes, let wanted): "a key has \(wanted) bytes, not \(bytes)"
        case .suiteWithoutKey: "a suite was given, and no key"
        case .fingerprint(let hash, let bytes): "a fingerprint of \(bytes) bytes by \"\(hash)\" cannot be compared"
        case .seat: "a conference has an id of 16 bytes"
        case .checks: "connectivity checks need our fragment and password"
        }
    }
}

extension LegSetup {
    /// - Parameter family: our address; a peer of the other family cannot be reached from its sockets.
    package init(checking spec: LegSpec, family: SocketAddress.Host) throws(LegSpecError) {
        self.init(sharesControlPort: spec.rtcpMux, formats: LegFormats(spec), payloadTypes: PayloadTypes(spec.payloadTypes), isOpaque: spec.opaque)
        if !spec.remote.isEmpty {
            guard let address = SocketAddress(spec.remote) else { throw .remote(spec.remote) }
            switch (address.host, family) {
            case (.v4, .v4), (.v6, .v6): break
            case (.v4, .v6), (.v6, .v4): throw .family(spec.remote)
            }
            // Port 0 is a stream that is refused (RFC 3264 §6), 0.0.0.0 is one on hold (RFC 3264 §8.4): nowhere to send.
            remote = address.port == 0 || address.host.isUnspecified ? nil : address
        }
        if spec.hasSeat {
            guard spec.seat.roomID.count == 16 else { throw .seat }
            var place = ConferencePlace(room: Array(spec.seat.roomID))
            place.pin = spec.seat.pin.utf8.map { $0 &- UInt8(ascii: "0") }
            if spec.seat.participantsMax > 0 { place.participantsMax = Int(spec.seat.participantsMax) }
            place.isSilent = spec.seat.silent
            seat = place
        }
        if spec.hasIce {
            let local = ICECredentials(fragment: spec.ice.localFragment, password: spec.ice.localPassword)
            guard local.isValid else { throw .checks }
            checks = ICEAgent.Setup(local: local, remoteFragment: spec.ice.remoteFragment)
        }
        if spec.hasDtls {
            guard let hash = FingerprintHash(rawValue: spec.dtls.hash), spec.dtls.fingerprint.count == hash.byteCount else {
                throw .fingerprint(spec.dtls.hash, bytes: spec.dtls.fingerprint.count)
            }
            handshake = Handshake(hash: hash, fingerprint: Array(spec.dtls.fingerprint), role: spec.dtls.begins ? .client : .server)
            return
        }
        if spec.receiveKey.isEmpty, spec.sendKey.isEmpty {
            guard spec.suite.isEmpty else { throw .suiteWithoutKey }
            return
        }
        guard let suite = SRTPSuite(rawValue: spec.suite) else { throw .suite(spec.suite) }
        protection = Protection(
            suite: suite, receiveKey: try LegSetup.key(spec.receiveKey, suite), sendKey: try LegSetup.key(spec.sendKey, suite))
    }

    private static func key(_ bytes: some Collection<UInt8>, _ suite: SRTPSuite) throws(LegSpecError) -> SRTPMasterKey? {
        guard !bytes.isEmpty else { return nil }
        guard let key = SRTPMasterKey(bytes, for: suite) else { throw .key(bytes: bytes.count, of: suite.keyByteCount) }
        return key
    }
}

extension SocketAddress.Host {
    var isUnspecified: Bool {
        switch self {
        case .v4(let value): value == 0
        case .v6(let high, let low): high == 0 && low == 0
        }
    }
}

extension LegMedia {
    /// Instants become people's time by their distance from now.
    ///
    /// - Parameter trips: to both peers and back, as far as known.
    init(_ counters: LegCounters, trips: Duration, at now: Instant, wall: WallTime) {
        self.init()
        packetsIn = counters.packetsIn
        bytesIn = counters.bytesIn
        packetsByXdp = counters.packetsPassed
        packetsOut = counters.packetsOut
        bytesOut = counters.bytesOut
        dropped = counters.dropped
        for reason in DropReason.allCases where counters[reason] > 0 {
            var count = DropCount()
            count.reason = reason.literal
            count.packets = counters[reason]
            drops.append(count)
        }
        protection = counters.protection
        if let heard = counters.lastHeard {
            lastPacketAt = (wall + .nanoseconds(-(now - heard).nanoseconds)).microseconds
        }
        let quality = counters.quality
        lost = quality.heard.lost
        jitterUs = UInt32(clamping: quality.heard.jitterMax / 1_000)
        roundTripUs = UInt32(clamping: (quality.roundTrip ?? .zero).nanoseconds / 1_000)
        lostThere = quality.lostThere
        jitterThereUs = UInt32(clamping: quality.jitterThere.nanoseconds / 1_000)
        mosCenti = UInt32((quality.mos(trips: trips) ?? 0) * 100 + 0.5)
        mosThereCenti = UInt32((quality.mosThere(of: counters.packetsOut, trips: trips) ?? 0) * 100 + 0.5)
        codec = quality.codecName
        silenceMs = UInt64(max(0, quality.heard.silence) / 1_000_000)
    }
}

extension LegFormats {
    /// Formats that we do not know, or whose clock no sound has, are left out: they are passed on, never converted.
    package init(_ spec: LegSpec) {
        self.init()
        for format in spec.formats where format.payloadType <= 127 && format.heardAs <= 127 {
            let (type, heardAs, clock) = (UInt8(format.payloadType), UInt8(format.heardAs), Int(format.clockRate))
            switch format.encoding.lowercased() {
            case "telephone-event" where LegFormats.clockRates.contains(clock): keys.append(Extra(clockRate: clock, payloadType: type, heardAs: heardAs))
            case "cn" where LegFormats.clockRates.contains(clock): noise.append(Extra(clockRate: clock, payloadType: type, heardAs: heardAs))
            default:
                guard let codec = Codec(name: format.encoding, clockRate: clock), codec.isAvailable else { continue }
                speech.append(Speech(codec: codec, payloadType: type, heardAs: heardAs))
            }
        }
        if spec.packetMs > 0 { packetMilliseconds = Int(min(spec.packetMs, 200)) }
        converts = spec.converts
    }
}

extension StudioReply {
    static func opened(_ opened: SessionOpened) -> StudioReply {
        var reply = StudioReply()
        reply.opened = opened
        return reply
    }

    static func closed(_ report: MediaReport) -> StudioReply {
        var reply = StudioReply()
        reply.closed.report = report
        return reply
    }

    static func report(_ report: MediaReport) -> StudioReply {
        var reply = StudioReply()
        reply.report.report = report
        return reply
    }
}
