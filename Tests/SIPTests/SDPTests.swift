import Primitives
import Testing

@testable import SIP

private func parse(_ text: String) throws -> SDP { try SDP(parsing: Array(text.utf8)) }

private let head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"

@Test func everyLineIsCarried() throws {
    let text = """
        v=0\r
        o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r
        s=Call to John Smith\r
        i=SDP Offer #1\r
        u=http://www.jdoe.example.com/home.html\r
        e=Jane Doe <jane@jdoe.example.com>\r
        p=+1 617 555-6011\r
        c=IN IP4 198.51.100.1\r
        b=AS:64\r
        t=0 0\r
        a=x-unknown:kept\r
        m=audio 49170/2 RTP/SAVP 0 101\r
        i=a title\r
        c=IN IP6 2001:db8::1\r
        b=AS:64\r
        a=rtpmap:101 telephone-event/8000\r
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r
        a=x-more\r
        m=video 0 RTP/AVP 99\r
        y=unknown type\r

        """
    let sdp = try parse(text)
    #expect(sdp.description == text)
    #expect(try SDP(parsing: sdp.bytes) == sdp)
    #expect(sdp.media.count == 2)
    #expect(sdp.media[0].profile == .savp)
    #expect(sdp.media[0].portCount == 2)
    #expect(sdp.media[0].cryptos.isEmpty, "a master key index is not understood, so the line is passed over")
    #expect(sdp.media[1].isRefused)
    #expect(sdp.firstIndex(of: "video") == nil)
}

@Test func connectionAndDirectionComeFromTheSessionUnlessTheStreamSays() throws {
    let sdp = try parse(
        head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\na=recvonly\r\nm=audio 4000 RTP/AVP 0\r\n"
            + "m=audio 4002 RTP/AVP 0\r\nc=IN IP6 2001:db8::2\r\na=inactive\r\n")
    #expect(sdp.remoteAddress(of: 0) == SocketAddress("192.0.2.1:4000"))
    #expect(sdp.remoteAddress(of: 1) == SocketAddress("[2001:db8::2]:4002"))
    #expect(sdp.remoteAddress(of: 2) == nil)
    #expect(sdp.direction(of: 0) == .recvonly)
    #expect(sdp.direction(of: 1) == .inactive)
    #expect(try parse(Samples.offer).direction(of: 0) == .sendrecv)
}

@Test func oldHoldIsAHold() throws {
    let sdp = try parse(head + "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
    #expect(sdp.direction(of: 0) == .sendonly)
    #expect(sdp.remoteAddress(of: 0) == nil)
}

@Test func redirectedStreamTellsNothingOfThePeer() throws {
    var sdp = try parse(
        head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4005 IN IP4 192.0.2.7\r\na=rtcp-mux\r\n"
            + "a=candidate:1 1 UDP 1 192.0.2.1 4000 typ host\r\na=ice-ufrag:x\r\na=ptime:20\r\n")
    #expect(sdp.media[0].rtcp?.port == 4_005)
    #expect(sdp.media[0].rtcp?.address == SDP.Address(isIPv6: false, host: "192.0.2.7"))
    #expect(sdp.media[0].multiplexesRTCP)
    sdp.redirect(0, to: SocketAddress("[2001:db8::9]:30000")!)
    sdp.media[0].multiplexesRTCP = false
    #expect(
        sdp.description == head
            + "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\nc=IN IP6 2001:db8::9\r\na=ptime:20\r\n")
}

@Test func directionIsReplacedNotRepeated() throws {
    var sdp = try parse(Samples.offer)
    sdp.media[0].direction = .sendonly
    sdp.media[0].direction = .inactive
    #expect(sdp.description.contains("a=inactive\r\n") && !sdp.description.contains("a=send"))
    #expect(SDP.Direction.sendonly.reversed == .recvonly)
}

@Test func refusedStreamHasPortZeroAndNoAttributes() throws {
    var sdp = try parse(Samples.offer)
    sdp.refuse(0)
    #expect(sdp.description.hasSuffix("m=audio 0 RTP/AVP 0 8 101\r\n"))
    #expect(sdp.connection(of: 0) == nil)
}

/// RFC 4568 §6.1, and what has to be passed over.
@Test func keysAreReadAndWritten() throws {
    let key = (0..<30).map { UInt8($0) }
    let crypto = SDPCrypto(tag: 1, suite: .aesCM128HMACSHA1_80, key: key)
    #expect(crypto.description == "1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd")
    #expect(SDPCrypto(crypto.description) == crypto)
    #expect(SDPCrypto(crypto.description + "|2^20") == crypto, "a lifetime")
    #expect(SDPCrypto(crypto.description + " WSH=64") == crypto)
    for refused in [
        "", "1", "1 AES_CM_128_HMAC_SHA1_80",
        "x AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd",
        "1 F8_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd",
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAEC",
        crypto.description + "|2^20|1:4", crypto.description + "|1:4", crypto.description + " UNENCRYPTED_SRTP",
        crypto.description + ";inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd",
        "1 AES_CM_128_HMAC_SHA1_80 inline:!AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd",
    ] {
        #expect(SDPCrypto(refused) == nil, "\(refused)")
    }
}

@Test func keysOfAStreamAreReplacedTogether() throws {
    var media = SDP.Media(port: 4_000, profile: .savp, formats: ["0"])
    let first = SDPCrypto(tag: 1, suite: .aesCM128HMACSHA1_80, key: Array(repeating: 1, count: 30))
    let second = SDPCrypto(tag: 2, suite: .aesCM128HMACSHA1_32, key: Array(repeating: 2, count: 30))
    media.cryptos = [first, second]
    #expect(media.cryptos == [first, second])
    media.cryptos = [second]
    #expect(media.cryptos == [second])
    #expect(media.attributes("crypto").count == 1)
}

@Test func mappingsNameTheCodecs() throws {
    let mappings = try parse(Samples.offer).media[0].mappings
    #expect(mappings.map(\.encoding) == ["PCMU", "PCMA", "telephone-event"])
    #expect(mappings.map(\.clockRate) == [8_000, 8_000, 8_000])
}

@Test func attributeNamesAreComparedWhole() throws {
    var media = SDP.Media(port: 1, formats: ["0"], lines: [SDP.Line("a", "rtcp-mux"), SDP.Line("a", "rtcp-fb:* nack")])
    #expect(media.attribute("rtcp") == nil)
    media.removeAttribute("rtcp")
    #expect(media.lines.count == 2)
}

@Test func attributesAreRemovedTogetherByTheirWholeNames() {
    let lines = ["rtcp", "rtcp-mux", "rtcp:9", "mid:0", "middle", "ssrc:1 cname:x", "sendrecv", "", "\u{E4}"]
    var media = SDP.Media(port: 1, formats: ["0"], lines: lines.map { SDP.Line("a", $0) } + [SDP.Line("b", "rtcp")])
    media.removeAttributes(SDP.AttributeNames(["rtcp", "mid", "ssrc"]))
    #expect(media.lines.map(\.value) == ["rtcp-mux", "middle", "sendrecv", "", "\u{E4}", "rtcp"])
    #expect(media.direction == .sendrecv)
}

@Test func aMappingNeedsAClock() throws {
    func encodings(_ value: String) -> [String] { SDP.Media(port: 1, formats: ["96"], lines: [SDP.Line("a", "rtpmap:" + value)]).mappings.map(\.encoding) }
    #expect(encodings("111 opus/48000/2") == ["opus"])
    #expect(encodings(" 96  G726-32/8000 ") == ["G726-32"])
    for broken in ["96", "96 opus", "96 /8000", "96 opus/", "96 opus/x", "96 opus/99999999999"] { #expect(encodings(broken) == [], "\(broken)") }
}

@Test func aValueCannotStartALineOfItsOwn() {
    var media = SDP.Media(port: 1, formats: ["0"])
    media.setAttribute("x", ["a\r\nm=audio 9 RTP/AVP 0"])
    #expect(!media.lines[0].value.contains("\n"))
}

private let broken: [(String, SDPError)] = [
    ("", .version), ("v=1\r\n", .version), ("o=- 1 1 IN IP4 x\r\n", .version), ("v=0\r\nnonsense\r\n", .line(2)),
    ("v=0\r\n=x\r\n", .line(2)), ("v=0\r\ns=-\r\nt=0 0\r\n", .missing("o")),
    ("v=0\r\no=- 1 1 IN IP4 x\r\nt=0 0\r\n", .missing("s")), ("v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\n", .missing("t")),
    ("v=0\r\no=- 1 1 IN IP4\r\n", .malformed("o", line: 2)), ("v=0\r\no=- a 1 IN IP4 x\r\n", .malformed("o", line: 2)),
    ("v=0\r\no=- 1 1 IN IP5 x\r\n", .malformed("o", line: 2)), (head + "c=IN IP4\r\n", .malformed("c", line: 4)),
    (head + "s=again\r\n", .malformed("s", line: 4)), (head + "v=0\r\n", .malformed("v", line: 4)),
    (head + "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", .noConnection),
    (head + "t=0 0\r\nc=IN IP4 x\r\nm=audio 65536 RTP/AVP 0\r\n", .malformed("m", line: 6)),
    (head + "t=0 0\r\nc=IN IP4 x\r\nm=audio -1 RTP/AVP 0\r\n", .malformed("m", line: 6)),
    (head + "t=0 0\r\nc=IN IP4 x\r\nm=audio +1 RTP/AVP 0\r\n", .malformed("m", line: 6)),
    (head + "t=0 0\r\nc=IN IP4 x\r\nm=audio 1/0 RTP/AVP 0\r\n", .malformed("m", line: 6)),
    (head + "t=0 0\r\nc=IN IP4 x\r\nm=audio 1 RTP/AVP\r\n", .malformed("m", line: 6)),
    (head + "t=0 0\r\nc=IN IP4 x\r\nm=audio 1 RTP/AVP 128\r\n", .malformed("m", line: 6)),
    (head + "t=0 0\r\nc=IN IP4 x\r\nm=audio 1 RTP/AVP PCMU\r\n", .malformed("m", line: 6)),
    ("v=0\r\ns=a\u{0}b\r\n", .notText),
]

@Test(arguments: broken)
func brokenDescriptionsAreRefused(text: String, error: SDPError) {
    #expect(throws: error) { try parse(text) }
}

@Test func sizeAndNumberOfStreamsAreLimited() throws {
    let start = head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    let stream = "m=audio 4000 RTP/AVP 0\r\n"
    #expect(try parse(start + String(repeating: stream, count: 32)).media.count == 32)
    #expect(throws: SDPError.tooManyMedia(limit: 32)) { try parse(start + String(repeating: stream, count: 33)) }
    let filler = start + "a=" + String(repeating: "x", count: SDP.sizeMax - start.utf8.count - 4) + "\r\n"
    #expect(try parse(filler).media.isEmpty)
    #expect(throws: SDPError.tooLarge(have: SDP.sizeMax + 1, limit: SDP.sizeMax)) { try parse(filler + "\n") }
}

@Test func bareLineFeedsAndNoLastLineEndAreTaken() throws {
    let sdp = try parse("v=0\no=- 1 1 IN IP4 192.0.2.1\ns= \nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 0")
    #expect(sdp.media[0].port == 4_000)
    #expect(sdp.name == " ")
}

@Test func hugeOriginNumbersAreTaken() throws {
    let sdp = try parse("v=0\r\no=- 99999999999999999999999 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n")
    #expect(sdp.origin.sessionID == 999_999_999_999_999_999)
}

@Test func otherProfilesKeepTheirFormats() throws {
    let sdp = try parse(head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\n")
    #expect(sdp.media[0].formats == ["t38"])
    #expect(sdp.media[0].profile == .other("udptl"))
}

/// The largest number there is, and those behind it whose first nineteen digits are the same.
@Test(arguments: [
    ("18446744073709551615", UInt64.max), ("18446744073709551616", 446_744_073_709_551_616), ("18446744073709551619", 446_744_073_709_551_619),
    ("18446744073709551620", 446_744_073_709_551_620), ("99999999999999999999", 999_999_999_999_999_999), ("0", 0),
])
func numbersOfAnOriginMayBeOfAnySize(text: String, number: UInt64) throws {
    for origin in ["o=- \(text) 1", "o=- 1 \(text)"] {
        let sdp = try SDP(parsing: Array("v=0\r\n\(origin) IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n".utf8))
        #expect([sdp.origin.sessionID, sdp.origin.version].contains(number))
    }
}
