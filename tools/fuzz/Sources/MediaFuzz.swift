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
}
