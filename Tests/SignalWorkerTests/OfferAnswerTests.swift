import Primitives
import SIP
import Testing

@testable import SignalWorker

/// What each side is told about media, and what of the other side it is not told.
@Suite struct OfferAnswerTests {
    static let key = SDPCrypto(tag: 3, suite: .aesCM128HMACSHA1_32, key: Array(repeating: 9, count: 30))

    static func sdp(_ sections: String) throws -> SDP {
        try SDP(parsing: Array(("v=0\r\no=alice 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n" + sections).utf8))
    }

    private func described(_ sdp: SDP, _ index: Int = 0, sending: SDPCrypto? = nil) -> SDP {
        OfferAnswer.description(
            from: sdp, relaying: index, at: SocketAddress(.v4(0x7F00_0001), port: 30_000), session: 5, version: 2, sending: sending)
    }

    @Test func nothingOfThePeersAddressOrKeysPasses() throws {
        let sdp = try Self.sdp(
            "m=audio 4000 RTP/SAVP 0\r\na=crypto:\(Self.key)\r\na=candidate:1 1 UDP 1 192.0.2.7 4000 typ host\r\na=rtcp:4001 IN IP4 192.0.2.7\r\n")
        let text = described(sdp).description
        #expect(!text.contains("192.0.2.7"))
        #expect(!text.contains("inline:"))
        #expect(text.contains("m=audio 30000 RTP/AVP 0"))
    }

    @Test func otherStreamsAreRefusedInTheirPlace() throws {
        let sdp = try Self.sdp("m=video 5000 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\n")
        var media = LegMediaState()
        try OfferAnswer.take(sdp, into: &media)
        #expect(media.index == 1)
        let ours = described(sdp, 1)
        #expect(ours.media.map(\.port) == [0, 30_000])
    }

    @Test func aSecureStreamIsPreferredToAPlainOneBesideIt() throws {
        let sdp = try Self.sdp("m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/SAVP 0\r\na=crypto:\(Self.key)\r\n")
        var media = LegMediaState()
        try OfferAnswer.take(sdp, into: &media)
        #expect(media.index == 1)
        #expect(media.receiving == Self.key)
    }

    @Test func aStreamOfAnotherTransportIsPassedOver() throws {
        let sdp = try Self.sdp("m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\nm=audio 4002 RTP/AVP 0\r\n")
        var media = LegMediaState()
        try OfferAnswer.take(sdp, into: &media)
        #expect(media.index == 1)
    }

    @Test func encryptionWithoutAUsableKeyIsRefused() throws {
        let sdp = try Self.sdp("m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:xyz\r\n")
        var media = LegMediaState()
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(sdp, into: &media) }
    }

    @Test func noAudioIsRefused() throws {
        var media = LegMediaState()
        let video = try Self.sdp("m=video 5000 RTP/AVP 96\r\n")
        let refused = try Self.sdp("m=audio 0 RTP/AVP 0\r\n")
        #expect(throws: OfferAnswer.Rejection.noAudio) { try OfferAnswer.take(video, into: &media) }
        #expect(throws: OfferAnswer.Rejection.noAudio) { try OfferAnswer.take(refused, into: &media) }
    }

    @Test func anAnswerKeepsToTheKeysSuiteAndTag() throws {
        let answer = try Self.sdp("m=audio 4000 RTP/SAVP 0\r\na=crypto:\(Self.key)\r\n")
        var media = LegMediaState()
        try OfferAnswer.take(answer: answer, to: Self.key, into: &media)
        var otherTag = Self.key
        otherTag.tag = 1
        let otherSuite = SDPCrypto(tag: 3, suite: .aesCM128HMACSHA1_80, key: Self.key.key)
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(answer: answer, to: otherTag, into: &media) }
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(answer: answer, to: otherSuite, into: &media) }
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(answer: answer, to: nil, into: &media) }
    }

    @Test func anUnspecifiedAddressBecomesAHold() throws {
        let sdp = try Self.sdp("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n")
        let ours = described(sdp)
        #expect(ours.direction(of: 0) == .sendonly)
        #expect(ours.connection(of: 0)?.host == "127.0.0.1")
    }

    @Test func keysDoNotGoIntoTheLog() throws {
        let sdp = try Self.sdp("m=audio 4000 RTP/SAVP 0\r\na=crypto:\(Self.key)\r\n")
        #expect(!sdp.withoutKeys.contains("inline:"))
        #expect(sdp.withoutKeys.contains("RTP/SAVP"))
    }
}
