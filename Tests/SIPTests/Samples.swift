import Primitives

@testable import SIP

/// Messages, hops and instants that many tests start from.
enum Samples {
    static let worker = SocketAddress("192.0.2.1:5060")!
    static let phone = SocketAddress("198.51.100.7:40312")!
    static let hop = Hop(.udp, listener: worker, remote: phone)

    static func time(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    static let offer = """
        v=0\r
        o=alice 2890844526 2890844526 IN IP4 198.51.100.7\r
        s=-\r
        c=IN IP4 198.51.100.7\r
        t=0 0\r
        m=audio 49170 RTP/AVP 0 8 101\r
        a=rtpmap:0 PCMU/8000\r
        a=rtpmap:8 PCMA/8000\r
        a=rtpmap:101 telephone-event/8000\r
        a=fmtp:101 0-16\r
        a=sendrecv\r

        """

    static func request(
        _ method: String, branch: String = "z9hG4bKa1", cseq: UInt32 = 1, toTag: String? = nil,
        callID: String = "c1@phone",
        via: String = "10.0.0.7:5060;rport", fromTag: String = "f1", extra: String = "", body: String = ""
    ) -> SIPMessage {
        let to = toTag.map { ";tag=\($0)" } ?? ""
        let text = """
            \(method) sip:1001@example.com SIP/2.0\r
            Via: SIP/2.0/UDP \(via);branch=\(branch)\r
            Max-Forwards: 70\r
            From: "Alice" <sip:1000@example.com>;tag=\(fromTag)\r
            To: <sip:1001@example.com>\(to)\r
            Call-ID: \(callID)\r
            CSeq: \(cseq) \(method)\r
            Contact: <sip:1000@198.51.100.7:40312>\r
            \(extra)\(body.isEmpty ? "" : "Content-Type: application/sdp\r\n")Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """
        guard let message = try? SIPMessage(parsing: Array(text.utf8)) else {
            preconditionFailure("the sample is broken:\n\(text)")
        }
        return message
    }
}

/// What a layer did, told in short: `send 180 INVITE`, `request INVITE`, `failed timeout` …
func told(_ effects: [TransactionLayer.Effect]) -> [String] {
    func name(_ message: SIPMessage) -> String {
        message.method.map { "\($0)" } ?? "\(message.status) \(message.cseq.method)"
    }
    return effects.map { effect in
        switch effect {
        case .send(let bytes, _): "send \((try? SIPMessage(parsing: bytes)).map(name) ?? "?")"
        case .request(_, let message, _): "request \(name(message))"
        case .cancelled: "cancelled"
        case .acknowledged(let id, _, _): id == nil ? "acknowledged by nobody's answer" : "acknowledged"
        case .unacknowledged: "unacknowledged"
        case .unreachable: "unreachable"
        case .response(_, let message, _): "response \(name(message))"
        case .failed(_, let failure): "failed \(failure)"
        case .stray(let message, _): "stray \(name(message))"
        case .refused(let response, _): "refused \(response.status)"
        }
    }
}
