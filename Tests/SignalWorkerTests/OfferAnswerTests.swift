import ICE
import Model
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

    private func described(_ sdp: SDP, _ index: Int = 0, to side: LegMediaState = LegMediaState(), isAnswer: Bool = false) -> SDP {
        OfferAnswer.description(
            from: sdp, relaying: index, at: SocketAddress(.v4(0x7F00_0001), port: 30_000), session: 5, version: 2, to: side,
            fingerprint: Array(repeating: 0xAB, count: 32), isAnswer: isAnswer)
    }

    private func terms(_ key: SDPCrypto?) -> MediaTerms {
        var terms = MediaTerms()
        if let key { terms.protection = .sdes(key) }
        return terms
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
        let sdp = try Self.sdp("m=audio 4000 RTP/SAVP 0\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:xyz\r\n")
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
        try OfferAnswer.take(answer: answer, to: terms(Self.key), into: &media)
        var otherTag = Self.key
        otherTag.tag = 1
        let otherSuite = SDPCrypto(tag: 3, suite: .aesCM128HMACSHA1_80, key: Self.key.key)
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(answer: answer, to: terms(otherTag), into: &media) }
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(answer: answer, to: terms(otherSuite), into: &media) }
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(answer: answer, to: terms(nil), into: &media) }
    }

    /// What an adopting worker knows is what the log has of both descriptions.
    @Test func aPeerThatLeftOutStreamsIsAdopted() {
        let head = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
        let local = head + "m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 0\r\n"
        let media = CallMachine.media(local: local, remote: head + "m=audio 5000 RTP/AVP 0\r\n")
        #expect(media.index == 0 && media.remote?.media.count == 1)
        let none = CallMachine.media(local: local, remote: head + "m=video 5000 RTP/AVP 96\r\n")
        #expect(none.index == 1 && none.remote == nil && none.port == 4_000)
    }

    @Test(arguments: [false, true]) func anUnspecifiedAddressBecomesAHold(isOfTheSession: Bool) throws {
        var sdp = try Self.sdp("m=audio 4000 RTP/AVP 0\r\n" + (isOfTheSession ? "" : "c=IN IP4 0.0.0.0\r\n"))
        if isOfTheSession { sdp.connection = SDP.Address(isIPv6: false, host: "0.0.0.0") }
        let ours = described(sdp)
        #expect(ours.direction(of: 0) == .sendonly)
        #expect(ours.connection(of: 0)?.host == "127.0.0.1")
    }

    @Test func keysDoNotGoIntoTheLog() throws {
        let sdp = try Self.sdp("m=audio 4000 RTP/SAVP 0\r\na=crypto:\(Self.key)\r\n")
        #expect(!sdp.withoutKeys.contains("inline:"))
        #expect(sdp.withoutKeys.contains("RTP/SAVP"))
    }

    // MARK: Browsers

    /// As Chromium writes it before it has looked for candidates, cut to what matters here.
    static let browser = """
        m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r
        c=IN IP4 0.0.0.0\r
        a=rtcp:9 IN IP4 0.0.0.0\r
        a=ice-ufrag:Vz3u\r
        a=ice-pwd:fJrmFYbLp6U7hdUZTvZUkdTh\r
        a=ice-options:trickle\r
        a=fingerprint:sha-256 12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD\r
        a=setup:actpass\r
        a=mid:0\r
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r
        a=sendrecv\r
        a=msid:- 5d0e8ca5\r
        a=rtcp-mux\r
        a=rtcp-rsize\r
        a=rtpmap:111 opus/48000/2\r
        a=rtcp-fb:111 transport-cc\r
        a=fmtp:111 minptime=10;useinbandfec=1\r
        a=rtpmap:0 PCMU/8000\r
        a=ssrc:1234 cname:x\r
        m=video 9 UDP/TLS/RTP/SAVPF 96\r
        c=IN IP4 0.0.0.0\r
        a=mid:1\r
        a=rtpmap:96 VP8/90000\r

        """

    private func offer() throws -> LegMediaState {
        let sdp = try SDP(
            parsing: Array(("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n" + Self.browser).utf8))
        var media = LegMediaState()
        try OfferAnswer.take(sdp, into: &media)
        var random = RandomSource(seed: 1)
        media.answerOffer(after: LegMediaState(), &random)
        return media
    }

    @Test func aBrowsersOfferIsAPlainOneForAPhone() throws {
        let media = try offer()
        let text = described(try #require(media.remote)).description
        for attribute in ["ice-", "fingerprint", "setup", "extmap", "msid", "ssrc", "rtcp-fb", "rtcp-rsize", "rtcp-mux", "BUNDLE", "a=mid"] {
            #expect(!text.contains(attribute), "\(attribute) in \(text)")
        }
        #expect(text.contains("m=audio 30000 RTP/AVP 111 63 9 0 8 13 110 126\r\n"))
        #expect(text.contains("a=fmtp:111 minptime=10;useinbandfec=1\r\n"))
        #expect(text.contains("a=sendrecv\r\n"))
    }

    @Test func aBrowserIsAnsweredAsItHasOffered() throws {
        let media = try offer()
        #expect(media.own.protection == .dtls(.passive))
        let phone = try Self.sdp("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\nm=video 0 RTP/AVP 96\r\n")
        let answer = described(phone, to: media, isAnswer: true)
        let text = answer.description
        #expect(answer.media.map(\.profile) == [.tlsSAVPF, .tlsSAVPF])
        #expect(answer.media.map(\.port) == [30_000, 0])
        #expect(answer.media.map { $0.attribute("mid") } == ["0", "1"])
        #expect(answer.bundles == [["0"]])
        #expect(text.contains("a=ice-lite\r\n"))
        #expect(text.contains("a=setup:passive\r\n"))
        #expect(text.contains("a=rtcp-mux\r\n"))
        #expect(text.contains("a=candidate:1 1 UDP 2130706431 127.0.0.1 30000 typ host\r\n"))
        #expect(!text.contains(" 30001 typ host"))
        #expect(answer.fingerprint(of: 0)?.bytes == Array(repeating: 0xAB, count: 32))
        #expect(answer.iceFragment(of: 0) == media.own.checks?.fragment)
        // A browser that knows no better must be able to read it again.
        #expect(try SDP(parsing: answer.bytes) == answer)
    }

    @Test func whatTheMediaWorkerIsToldOfABrowser() throws {
        let spec = try offer().spec
        #expect(spec.remote.isEmpty)
        #expect(spec.rtcpMux)
        #expect(spec.dtls.hash == "sha-256" && spec.dtls.fingerprint.count == 32 && !spec.dtls.begins)
        #expect(spec.ice.remoteFragment == "Vz3u" && spec.ice.localPassword.count == 24)
        #expect(spec.suite.isEmpty)
    }

    @Test func aSecondOfferKeepsWhatHasNotChangedAndFollowsARestart() throws {
        let first = try offer()
        var random = RandomSource(seed: 2)
        var same = first
        same.answerOffer(after: first, &random)
        #expect(same.own == first.own)
        var restarted = first
        restarted.remote?.media[0].setAttribute("ice-ufrag", ["Fresh"])
        restarted.answerOffer(after: first, &random)
        #expect(restarted.own.checks != first.own.checks)
        #expect(restarted.own.protection == first.own.protection)
    }

    @Test func aBrowserIsOfferedWhatItUnderstandsAndItsAnswerSaysWhoBegins() throws {
        var random = RandomSource(seed: 3)
        var side = LegMediaState()
        side.own = MediaTerms(offering: .browser, &random)
        let phone = try Self.sdp("m=audio 4000 RTP/AVP 8 0\r\n")
        let offer = described(phone, to: side)
        #expect(offer.media[0].profile == .tlsSAVPF)
        #expect(offer.setup(of: 0) == .actpass)
        #expect(offer.media[0].multiplexesRTCP)
        #expect(offer.bundles == [["0"]] && offer.media[0].attribute("mid") == "0")
        #expect(offer.media[0].attributes("candidate").count == 1 && offer.media[0].attribute("rtcp-mux-only") != nil)
        var device = LegMediaState()
        device.own = MediaTerms(offering: .dtls, &random)
        // A phone may refuse to share the port, and then needs to know where RTCP goes.
        #expect(described(phone, to: device).media[0].attributes("candidate").count == 2)
        #expect(described(phone, to: device).media[0].profile == .tlsSAVP)
        var answer = try #require(try self.offer().remote)
        answer.media[0].setAttribute("setup", ["active"])
        try OfferAnswer.take(answer: answer, to: side.own, into: &side)
        #expect(side.own.protection == .dtls(.passive))
        answer.media[0].setAttribute("setup", ["passive"])
        try OfferAnswer.take(answer: answer, to: side.own, into: &side)
        #expect(side.own.protection == .dtls(.active))
        #expect(side.spec.dtls.begins)
        // The next offer leaves it open again (RFC 8842 §5.3).
        #expect(described(phone, to: side).setup(of: 0) == .actpass)
        #expect(throws: OfferAnswer.Rejection.security) { try OfferAnswer.take(answer: phone, to: side.own, into: &side) }
    }

    @Test func aCallThatWasTakenOverKnowsItsTerms() throws {
        let media = try offer()
        let phone = try Self.sdp("m=audio 4000 RTP/AVP 0\r\n")
        var restored = LegMediaState()
        restored.remote = try SDP(parsing: Array(try #require(media.remote).withoutKeys.utf8))
        restored.local = try SDP(parsing: Array(described(phone, to: media, isAnswer: true).withoutKeys.utf8))
        restored.restoreTerms()
        #expect(restored.own == media.own)
    }
}
