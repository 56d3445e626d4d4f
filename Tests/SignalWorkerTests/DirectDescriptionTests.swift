import SIP
import Testing

@testable import SignalWorker

/// What one side of a direct call is told of what the other one has said.
@Suite struct DirectDescriptionTests {
    private func sdp(_ media: String, session: String = "", id: Int = 1, version: Int = 7) throws -> SDP {
        try SDP(parsing: Array("v=0\r\no=x \(id) \(version) IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\(session)\(media)".utf8))
    }

    private let audio = "m=audio 4000 RTP/AVP 0 8\r\na=x-new:1\r\n"
    private let video = "m=video 4002 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n"

    @Test func allStaysButTheOrigin() throws {
        let said = try sdp(audio + video, session: "a=group:BUNDLE 0 1\r\n")
        let told = OfferAnswer.passed(said, session: 42, after: nil)
        #expect(told.origin.sessionID == 42 && told.origin.version == 1)
        #expect(told.isSame(as: said) && told.lines == said.lines && told.media == said.media)
    }

    @Test func theVersionRisesByOneWhenSomethingIsNew() throws {
        let first = OfferAnswer.passed(try sdp(audio), session: 42, after: nil)
        // The same again, by whomever and in whichever version of theirs.
        #expect(OfferAnswer.passed(try sdp(audio, id: 9, version: 100), session: 42, after: first) == first)
        let second = OfferAnswer.passed(try sdp(audio + video, id: 9), session: 42, after: first)
        #expect(second.origin.version == 2 && second.origin.sessionID == 42 && second.origin.address == first.origin.address)
    }

    @Test func anOfferHasNoFewerStreamsThanTheDialogAndAnAnswerAsManyAsTheOffer() throws {
        let before = try sdp(audio + video)
        let offer = OfferAnswer.passed(try sdp(audio), session: 42, after: before)
        #expect(offer.media.map(\.kind) == ["audio", "video"] && offer.media[1].isRefused && offer.media[1].formats == ["99"])
        let answer = OfferAnswer.passed(try sdp(audio + video), session: 42, after: before, answering: try sdp(audio))
        #expect(answer.media.map(\.kind) == ["audio"])
        let longer = OfferAnswer.passed(try sdp(audio), session: 42, after: nil, answering: before)
        #expect(longer.media.map(\.isRefused) == [false, true])
    }

    @Test func twoOffersAnswerEachOtherWithWhatBothHave() throws {
        let one = try sdp("m=audio 4000 RTP/AVP 0 8 111\r\na=rtpmap:111 opus/48000/2\r\n" + video)
        let other = try sdp("m=audio 5000 RTP/AVP 8 111\r\na=rtpmap:111 telephone-event/8000\r\n")
        let forOne = try #require(OfferAnswer.common(of: other, with: one))
        #expect(forOne.media.map(\.port) == [5000, 0] && forOne.media[0].formats == ["8"])
        let forOther = try #require(OfferAnswer.common(of: one, with: other))
        #expect(forOther.media.map(\.port) == [4000] && forOther.media[0].formats == ["8"] && forOther.media[0].attribute("rtpmap") == nil)
        let secure = try sdp("m=audio 5000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n")
        #expect(OfferAnswer.common(of: secure, with: one) == nil && OfferAnswer.common(of: one, with: secure) == nil)
    }

    @Test func theLogHasNeitherKeysNorPasswordsAndTheirLackIsSeen() throws {
        let keyed = try sdp("m=audio 5000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n")
        let browser = try sdp("m=audio 5000 UDP/TLS/RTP/SAVPF 8\r\na=ice-ufrag:ab12\r\na=ice-pwd:secretsecretsecretsecret\r\na=fingerprint:sha-256 AA:BB\r\n")
        for whole in [keyed, browser] {
            #expect(!whole.lacksSecrets)
            let kept = whole.withoutSecrets
            #expect(!kept.contains("inline:") && !kept.contains("secretsecret"))
            #expect(try SDP(parsing: Array(kept.utf8)).lacksSecrets)
        }
        #expect(try !sdp(audio).lacksSecrets)
    }
}
