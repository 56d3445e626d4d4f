import ICE
import MediaWorker
import Model
import OpenSSL
import Primitives
import RTP

/// Datagrams to the ports of one session: the bytes are cut into packets, each with a first byte that says to which port and from whom. One
/// side has checks and a handshake, the other plain RTP; or both are passed on unread. RTP, RTCP, STUN and DTLS are told apart, read and judged; nothing may stop.
enum MediaFuzz {
    private static let identity = try? DTLSIdentity()
    private static let sources = ["192.0.2.7:4000", "203.0.113.9:6000", "203.0.113.9:6001", "192.0.2.66:666"].compactMap { SocketAddress($0) }

    static func run(_ bytes: [UInt8]) {
        var core = RelayCore(ports: 30_000...30_015, identity: identity)
        let session = MediaSessionID(UUIDv7(high: 0x7000, low: 1))
        let isChecked = bytes.first.map { $0 & 1 == 1 } ?? false
        let browser = LegSetup(
            remote: sources[0], sharesControlPort: true,
            handshake: LegSetup.Handshake(hash: .sha256, fingerprint: Array(repeating: 1, count: 32), role: .server),
            checks: isChecked ? ICEAgent.Setup(local: ICECredentials(fragment: "ours", password: "ourpasswordourpassword"), remoteFragment: "theirs") : nil)
        let isUnread = bytes.first.map { $0 & 6 == 6 } ?? false
        let legs = isUnread ? (LegSetup(remote: sources[0], isOpaque: true), LegSetup(remote: sources[1], isOpaque: true)) : (browser, LegSetup(remote: sources[1]))
        guard (try? core.open(session, portA: 30_000, portB: 30_002, a: legs.0, b: legs.1, at: .zero)) != nil else { return }
        var rest = bytes.dropFirst()
        var now = Instant.zero
        var packets = 0
        while rest.count >= 2, packets < 64 {
            let head = rest.removeFirst()
            let size = min(rest.count, Int(head >> 4) * 24 + 12)
            pass(Array(rest.prefix(size)), to: 30_000 + UInt16(head & 3), from: sources[Int(head >> 2 & 3)], at: now, &core)
            rest = rest.dropFirst(size)
            now = now + .milliseconds(20)
            core.tick(at: now)
            for reply in core.takeReplies() { precondition(!reply.bytes.isEmpty && reply.bytes.count <= 1_200) }
            packets += 1
        }
        guard let report = core.close(session) else { preconditionFailure("the session is gone") }
        let counted = [report.a, report.b].reduce(UInt64(0)) { sum, leg in
            sum + leg.packetsIn + leg.controlIn + DropReason.allCases.filter { $0 != .undeliverable && $0 != .keyMissing }.reduce(0) { $0 + leg[$1] }
        }
        precondition(counted <= UInt64(packets) * 2)
    }

    private static func pass(_ packet: [UInt8], to port: UInt16, from source: SocketAddress, at now: Instant, _ core: inout RelayCore) {
        var buffer = packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var bytes = buffer.mutableSpan
        var span = unsafe bytes.mutableBytes
        _ = core.handle(port: port, from: source, &span, count: packet.count, at: now)
    }

    // MARK: - Speech

    /// What a side says, in any codec, converted for a side that speaks G.711: payloads get to the decoders, in whatever order and size.
    static func speech(_ bytes: [UInt8]) {
        var core = RelayCore(ports: 30_000...30_015)
        let session = MediaSessionID(UUIDv7(high: 0x7000, low: 2))
        // Whatever both descriptions say of it.
        let clock = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let names: [(String, UInt32, UInt32)] = [
            ("pcmu", 8_000, 0), ("gsm", 8_000, 3), ("g722", 8_000, 9), ("g729", 8_000, 18), ("speex", 8_000, 96), ("speex", 16_000, 97), ("opus", 48_000, 98), ("g726-32", 8_000, 99),
            ("telephone-event", 8_000, 101), ("cn", 8_000, 13), ("telephone-event", clock, 102), ("cn", clock, 103),
        ]
        guard let legA = leg("192.0.2.7:4000", names), let legB = leg("203.0.113.9:6000", [("pcma", 8_000, 8), ("telephone-event", clock, 102), ("telephone-event", 8_000, 101)]),
            (try? core.open(session, portA: 30_000, portB: 30_002, a: legA, b: legB, at: .zero)) != nil
        else { preconditionFailure("a session that converts cannot be opened") }
        var rest = bytes[...]
        var now = Instant.zero
        var (number, timestamp) = (UInt16(0), UInt32(0))
        var out = [UInt8](repeating: 0, count: 2_000)
        for _ in 0..<64 where rest.count >= 4 {
            let (type, step, time, size) = (rest.removeFirst(), rest.removeFirst(), rest.removeFirst(), Int(rest.removeFirst()))
            number &+= step > 250 ? 0 &- UInt16(255 - step) : UInt16(step & 3)
            timestamp &+= UInt32(time) * 40
            let payload = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            var packet = [UInt8](repeating: 0, count: RTPHeader.fixedByteCount) + payload
            var span = packet.mutableSpan
            var room = unsafe span.mutableBytes
            RTPHeader(marker: false, payloadType: UInt8(names[Int(type) % names.count].2), sequence: number, timestamp: timestamp, ssrc: 1).write(into: &room)
            pass(packet, to: 30_000, from: sources[0], at: now, &core)
            var converted = out.mutableSpan
            var bytesOut = unsafe converted.mutableBytes
            var made = 0
            while let verdict = core.convertedPacket(port: 30_000, at: now, &bytesOut) {
                if case .forward(_, _, let count) = verdict { precondition(count >= RTPHeader.fixedByteCount && count <= 1_200) }
                made += 1
                precondition(made < 100, "one packet becomes ever more")
            }
            now = now + .milliseconds(20)
        }
        core.press(session, to: .b, KeyStream([1, 2], payloadType: 102, clockRate: clock, milliseconds: Int(clock & 0x7FF), seed: 1, at: now))
        var room = out.mutableSpan
        var keys = unsafe room.mutableBytes
        for _ in 0..<256 {
            while core.promptPacket(at: now, &keys) != nil {}
            now = now + .milliseconds(20)
        }
        guard core.close(session) != nil else { preconditionFailure("the session is gone") }
    }

    private static func leg(_ remote: String, _ names: [(String, UInt32, UInt32)]) -> LegSetup? {
        var spec = LegSpec()
        spec.remote = remote
        spec.converts = true
        spec.formats = names.map { name, clock, number in
            var format = MediaFormat()
            (format.encoding, format.clockRate, format.payloadType, format.heardAs) = (name, clock, number, number)
            return format
        }
        return try? LegSetup(checking: spec, family: .v4(0x7F00_0001))
    }
}
