import Primitives
import Testing

@testable import SIP

/// SIP over WebSocket (RFC 6455, RFC 7118), the server's side.
@Suite struct WebSocketTests {
    private static func request(_ change: (String, String)? = nil) -> String {
        let text = """
            GET /sip HTTP/1.1\r\nHost: sip.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://example.com\r\nSec-WebSocket-Protocol: chat, sip\r\n\
            Sec-WebSocket-Version: 13\r\n\r\n
            """
        return change.map { text.replacing($0.0, with: $0.1) } ?? text
    }

    @Test func theHandshakeOfTheStandardIsAnsweredAsItSays() {
        var handshake = WebSocketHandshake()
        let outcome = handshake.receive(Array((Self.request() + "rest").utf8))
        guard case .open(let response, let rest) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let text = String(decoding: response, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 101 "))
        // RFC 6455 §1.3.
        #expect(text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(text.contains("Sec-WebSocket-Protocol: sip\r\n"))
        #expect(rest == Array("rest".utf8))
    }

    @Test func aHandshakeComesInAnyPieces() {
        let bytes = Array(Self.request().utf8)
        for at in 1..<bytes.count {
            var handshake = WebSocketHandshake()
            #expect(handshake.receive(bytes[..<at]) == .reading)
            guard case .open = handshake.receive(bytes[at...]) else {
                Issue.record("cut at \(at)")
                return
            }
        }
    }

    @Test(arguments: [
        ("GET /sip", "POST /sip", 405), ("sip HTTP/1.1", "sip HTTP/1.0", 400), ("Upgrade: websocket", "Upgrade: h2c", 426), ("chat, sip", "chat", 400),
        ("Version: 13", "Version: 8", 426), ("dGhlIHNhbXBsZSBub25jZQ==", "short", 400), ("Host: ", "\u{1}Host: ", 400), ("Host: ", "Other: ", 400),
    ])
    func aHandshakeThatIsNotOursIsRefused(old: String, new: String, status: Int) {
        var handshake = WebSocketHandshake()
        guard case .refused(let response) = handshake.receive(Array(Self.request((old, new)).utf8)) else {
            Issue.record("\(new) was taken")
            return
        }
        #expect(String(decoding: response, as: UTF8.self).hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test func aHandshakeIsBounded() {
        var handshake = WebSocketHandshake()
        #expect(handshake.receive([UInt8](repeating: 0x41, count: WebSocketHandshake.bytesMax)) == .reading)
        guard case .refused = handshake.receive([0x41]) else {
            Issue.record("there is no end to it")
            return
        }
    }

    // MARK: Frames

    /// A client's frame, masked.
    private static func frame(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = [(isLast ? 0x80 : 0) | opcode]
        switch payload.count {
        case ..<126: bytes.append(0x80 | UInt8(payload.count))
        case ..<65_536: bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [0xFF, 0, 0, 0, 0, 0, UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
        }
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    @Test(arguments: [
        ([UInt8](), true), ([0x03, 0xE8], true), ([0x0F, 0xA0, 0x41], true), ([0x03], false), ([0x03, 0xED], false), ([0x03, 0xE7], false), ([0x03, 0xF7], false),
    ])
    func aGoodbyeSaysWhatMayBeSaid(payload: [UInt8], isTaken: Bool) {
        let told = read([Self.frame(8, payload)])
        #expect((told.failure == .protocolError) == !isTaken)
        #expect(told.pieces == (isTaken ? [.closed(reply: [0x88, UInt8(min(2, payload.count))] + payload.prefix(2))] : []))
    }

    /// RFC 6455 §8.1. Binary frames carry what they like.
    @Test func textIsUTF8() {
        #expect(read([Self.frame(1, [0x41, 0xFF])]).failure == .notText)
        #expect(WebSocketFramer.Failure.notText.farewell == [0x88, 2, 0x03, 0xEF])
        #expect(read([Self.frame(2, [0x41, 0xFF])]).pieces == [.message([0x41, 0xFF])])
        // A character may be in two parts.
        #expect(read([Self.frame(1, [0xC3], isLast: false), Self.frame(0, [0xA4])]).pieces == [.message([0xC3, 0xA4])])
    }

    private func read(_ pieces: [[UInt8]]) -> (pieces: [WebSocketFramer.Piece], failure: WebSocketFramer.Failure?) {
        var framer = WebSocketFramer()
        var seen: [WebSocketFramer.Piece] = []
        for piece in pieces {
            framer.append(piece)
            do throws(WebSocketFramer.Failure) {
                while let next = try framer.next() { seen.append(next) }
            } catch {
                return (seen, error)
            }
        }
        return (seen, nil)
    }

    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func anySplitOfAStreamGivesTheSameMessages(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let invite = Samples.request("INVITE", body: Samples.offer).bytes
        let large = [UInt8](repeating: 0x42, count: 65_535)
        var stream = Self.frame(1, invite) + Self.frame(9, [1, 2, 3]) + Self.frame(1, Array(invite[..<100]), isLast: false)
        stream += Self.frame(10, []) + Self.frame(9, []) + Self.frame(0, Array(invite[100...])) + Self.frame(2, large) + Self.frame(8, [3, 0xE8, 0x41])
        var pieces: [[UInt8]] = []
        var start = 0
        while start < stream.count {
            let end = min(stream.count, start + 1 + Int(random.next() % (seed % 3 == 0 ? 7 : 5_000)))
            pieces.append(Array(stream[start..<end]))
            start = end
        }
        let seen = read(pieces)
        #expect(seen.failure == nil)
        #expect(
            seen.pieces == [
                .message(invite), .reply([0x8A, 3, 1, 2, 3]), .reply([0x8A, 0]), .message(invite), .message(large),
                .closed(reply: [0x88, 2, 3, 0xE8]),
            ])
    }

    @Test func framesThatBreakTheRulesEndTheConnection() {
        let tooLong: [UInt8] = [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0]
        let cases: [([UInt8], WebSocketFramer.Failure)] = [
            ([0x81, 1, 0x41], .protocolError),  // no mask
            ([0xC1, 0x80], .protocolError), ([0x83, 0x80], .protocolError), ([0x09, 0x80], .protocolError), ([0x89, 0xFE], .protocolError),
            (Self.frame(0, [1]), .protocolError), (Self.frame(1, [1], isLast: false) + Self.frame(1, [1]), .protocolError),
            ([0x81, 0xFE, 0, 125], .protocolError), (tooLong, .tooLarge),
            (Self.frame(2, [UInt8](repeating: 0, count: 65_535), isLast: false) + Self.frame(0, [1]), .tooLarge),
            (Self.frame(1, [], isLast: false) + (0..<64).flatMap { _ in Self.frame(0, [], isLast: false) }, .tooManyParts),
        ]
        for (bytes, failure) in cases { #expect(read([bytes]).failure == failure, "\(bytes.prefix(12))") }
    }

    @Test func whatIsSentIsReadByAClient() {
        let invite = Samples.request("INVITE").bytes
        let frame = WebSocketFramer.frame(message: invite)
        #expect(frame[0] == 0x81 && frame[1] == 126)
        #expect(Int(frame[2]) << 8 | Int(frame[3]) == invite.count)
        #expect(Array(frame[4...]) == invite)
        #expect(WebSocketFramer.frame(message: [0xFF])[0] == 0x82)
    }

    @Test(arguments: [
        ("https://phone.example.com", "https://phone.example.com", true), ("https://phone.example.com", "https://phone.example.com:443", true),
        ("https://phone.example.com", "http://phone.example.com", false), ("https://phone.example.com", "https://phone.example.com:8443", false),
        ("https://phone.example.com", "null", false), ("https://*.example.com", "https://a.example.com", true), ("https://*.example.com", "https://a.b.example.com", false),
        ("https://*.example.com", "https://example.com", false), ("https://*.example.com", "https://a.example.com.evil", false),
        ("SIP.example.com=https://Phone.test", "https://phone.test", true), ("other.example.com=https://phone.test", "https://phone.test", false),
    ])
    func pagesMayOpenItWhereTheyAreAllowed(entry: String, origin: String, isAllowed: Bool) {
        var origins = WebOrigins()
        let isTaken = origins.add(entry)
        #expect(isTaken)
        var handshake = WebSocketHandshake(origins)
        switch handshake.receive(Array(Self.request(("Origin: https://example.com", "Origin: " + origin)).utf8)) {
        case .open: #expect(isAllowed)
        case .foreign(let said, let response):
            #expect(!isAllowed && said == origin && String(decoding: response, as: UTF8.self).hasPrefix("HTTP/1.1 403 "))
        case .reading, .refused: Issue.record("neither opened nor refused for its origin")
        }
    }

    @Test func whoSaysNoOriginIsNoBrowserAndNothingSetIsEverybody() {
        var origins = WebOrigins()
        #expect(origins.admit("https://anywhere.example", to: "sip.example.com"))
        let wrong = ["", "phone.example", "https://", "https://*", "=https://a.example", "https://a.example/path", "ftp://a.example", "https://a*.example"]
        for text in wrong {
            let isTaken = origins.add(text)
            #expect(!isTaken, "\(text)")
        }
        let isTaken = origins.add("https://phone.example.com")
        #expect(isTaken)
        var handshake = WebSocketHandshake(origins)
        guard case .open = handshake.receive(Array(Self.request(("Origin: https://example.com\r\n", "")).utf8)) else {
            Issue.record("a client without an origin was refused")
            return
        }
    }
}
