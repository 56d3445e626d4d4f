import ArgumentParser
import Primitives
import SIP

struct SIPGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sip", abstract: "Messages parsed and written, transactions driven.",
        discussion: "Example: ledgerline-bench sip")

    mutating func run() throws {
        try parse()
        try serialise()
        try transaction()
    }

    /// What it costs to read an INVITE with SDP and Authorization from a datagram: libosip2's grammar, our guards,
    /// and our typed fields. Every message of a peer goes through this.
    private func parse() throws {
        let bytes = Self.invite(branch: "z9hG4bK-1", authorization: true)
        let time = try timePerRun(round: 64) { use(try SIPMessage(parsing: bytes)) }
        Figure(name: "sip.parse", value: time.inMicroseconds, unit: "µs").print()
    }

    /// What it costs to write the same message.
    private func serialise() throws {
        let message = try SIPMessage(parsing: Self.invite(branch: "z9hG4bK-1", authorization: true))
        let time = timePerRun(round: 64) { use(message.bytes) }
        Figure(name: "sip.serialise", value: time.inMicroseconds, unit: "µs").print()
    }

    /// What a whole INVITE server transaction costs, messages already parsed: request in, 100 and 180 out, 486 out,
    /// ACK in, and the timers that end it (RFC 3261 §17.2.1). Writing the three answers is included.
    private func transaction() throws {
        let listener = SocketAddress.loopback(5_060)
        let hop = Hop(listener: listener, remote: .loopback(5_070))
        var layer = TransactionLayer()
        var effects: [TransactionLayer.Effect] = []
        var now = Instant.zero
        var requests: [(invite: SIPMessage, ack: SIPMessage)] = []
        for index in 0..<256 {
            let invite = try SIPMessage(parsing: Self.invite(branch: "z9hG4bK-\(index)", authorization: false))
            requests.append((invite, invite.acknowledgement(of: invite.response(486, toTag: "b"))))
        }
        var index = 0
        let time = timePerRun(round: 256) {
            let request = requests[index]
            index = (index + 1) % requests.count
            layer.receive(request.invite, on: hop, now: now, into: &effects)
            guard let (id, invite) = Self.request(in: effects) else { preconditionFailure("not a new request") }
            layer.respond(invite.response(100), to: id, now: now, into: &effects)
            layer.respond(invite.response(180, toTag: "b"), to: id, now: now, into: &effects)
            layer.respond(invite.response(486, toTag: "b"), to: id, now: now, into: &effects)
            layer.receive(request.ack, on: hop, now: now, into: &effects)
            effects.removeAll(keepingCapacity: true)
            // Past the timers of the transaction before, which are then over.
            now = now + .milliseconds(200)
            layer.tick(now: now, into: &effects)
            effects.removeAll(keepingCapacity: true)
        }
        Figure(name: "sip.transaction", value: time.inMicroseconds, unit: "µs").print()
    }

    private static func request(in effects: [TransactionLayer.Effect]) -> (ServerTransactionID, SIPMessage)? {
        for case .request(let id, let message, _) in effects { return (id, message) }
        return nil
    }

    private static func invite(branch: String, authorization: Bool) -> [UInt8] {
        let body = [
            "v=0", "o=alice 53655765 2353687637 IN IP4 192.0.2.4", "s=-", "c=IN IP4 192.0.2.4", "t=0 0",
            "m=audio 40376 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv", "",
        ].joined(separator: "\r\n")
        var lines = [
            "INVITE sip:12092488700@bench.test SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=\(branch);rport",
            "Max-Forwards: 70",
            "From: \"Alice\" <sip:alice@bench.test>;tag=9fxced76sl",
            "To: <sip:12092488700@bench.test>",
            "Call-ID: 3848276298220188511-\(branch)@bench.test",
            "CSeq: 2 INVITE",
            "Contact: <sip:alice@192.0.2.4:5060;transport=udp>",
            "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, UPDATE, INFO",
            "Supported: replaces, timer",
            "User-Agent: Bench 1.0",
        ]
        if authorization {
            lines.append(
                "Proxy-Authorization: Digest username=\"alice\", realm=\"bench.test\", "
                    + "nonce=\"66f0a2c85d1f4c2f9f5a0f2b9d1c7e3a\", uri=\"sip:12092488700@bench.test\", "
                    + "response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, cnonce=\"0a4f113b\", "
                    + "qop=auth, nc=00000001")
        }
        lines += ["Content-Type: application/sdp", "Content-Length: \(body.utf8.count)", "", body]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
