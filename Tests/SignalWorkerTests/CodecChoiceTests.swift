import Codecs
import Model
import Primitives
import SIP
import Testing

@testable import SignalWorker

/// Who is offered what, who is told what, and when one codec is converted to another.
@Suite struct CodecChoiceTests {
    private func sdp(_ formats: String, _ lines: [String] = []) throws -> SDP {
        let attributes = lines.map { "a=\($0)\r\n" }.joined()
        return try OfferAnswerTests.sdp("m=audio 4000 RTP/AVP \(formats)\r\n" + attributes)
    }

    private func extended(_ sdp: SDP, allowed: [String] = []) -> SDP.Media {
        var copy = sdp
        CodecChoice.extend(&copy, 0, allowed: allowed)
        return copy.media[0]
    }

    private let opus = ["rtpmap:111 opus/48000/2", "fmtp:111 useinbandfec=1", "rtpmap:101 telephone-event/8000"]

    @Test func oursStandBehindTheCallersOwn() throws {
        let narrow = extended(try sdp("0 101", ["rtpmap:101 telephone-event/8000"]))
        #expect(narrow.formats.prefix(2) == ["0", "101"])
        #expect(narrow.formats.contains("8") && narrow.formats.contains("9"))
        #expect(narrow.formats.filter { $0 == "0" }.count == 1)
        let number = try #require(narrow.mappings.first { $0.encoding == "opus" }?.format)
        #expect(narrow.formats.last == number)
        // Who has a wide band is to keep it.
        let wide = extended(try sdp("111 101", opus))
        #expect(wide.formats.prefix(3) == ["111", "101", "9"])
        #expect(wide.mappings.filter { $0.encoding == "opus" }.count == 1)
    }

    @Test func aLineIsOfferedWhatItMayBe() throws {
        let stream = extended(try sdp("111 0 101", opus), allowed: ["PCMA", "PCMU"])
        #expect(stream.formats == ["0", "101", "8"])
        #expect(stream.attribute("fmtp") == nil)
        #expect(extended(try sdp("0"), allowed: ["opus"]).formats == ["96"])
        #expect(CodecChoice.codecs(named: ["pcma", "speex/16000", "nothing"]) == [.pcma, .speexWide])
    }

    @Test func anAnswerInTheCallersCodecsPassesAsItIs() throws {
        let offer = try sdp("0 8 101", ["rtpmap:101 telephone-event/8000"])
        let answer = try sdp("8 101", ["rtpmap:101 telephone-event/8000", "ptime:30"])
        #expect(CodecChoice.answer(answer, 0, to: offer, 0) == answer)
        #expect(CodecChoice.answer(answer, 0, to: nil, 0) == answer)
    }

    @Test func oursAreLeftOutOfAnAnswerThatNeedsThemNot() throws {
        let offer = try sdp("0 101", ["rtpmap:101 telephone-event/8000"])
        let answer = try sdp("0 8 9 101", ["rtpmap:8 PCMA/8000", "rtpmap:101 telephone-event/8000"])
        let told = try #require(CodecChoice.answer(answer, 0, to: offer, 0))
        #expect(told.media[0].formats == ["0", "101"])
        #expect(told.media[0].mappings.map(\.format) == ["101"])
    }

    @Test func aSideThatSharesNoneIsToldItsOwn() throws {
        let offer = try sdp("111 0 101", opus)
        // Nothing of the caller's is a wide band but Opus, and the called side has one.
        let told = try #require(CodecChoice.answer(try sdp("9", ["sendonly"]), 0, to: offer, 0))
        #expect(told.media[0].formats == ["111", "101"])
        #expect(told.media[0].direction == .sendonly)
        #expect(told.media[0].mappings.map(\.encoding) == ["opus", "telephone-event"])
        // What nobody can make of it is refused.
        let foreign = try sdp("0")
        #expect(CodecChoice.answer(try sdp("99", ["rtpmap:99 EVS/16000"]), 0, to: foreign, 0) == nil)
    }

    private func media(_ remote: SDP, _ local: SDP) -> LegMediaState {
        var media = LegMediaState()
        media.remote = remote
        media.local = local
        return media
    }

    @Test func whereNobodyElseIsTheFirstCodecThatIsUnderstoodIsTaken() throws {
        let answer = try #require(CodecChoice.answer(of: try sdp("97 111 8 13 101", ["rtpmap:97 iLBC/8000"] + opus + ["sendonly"]), 0)).media[0]
        // Keys of its own clock would come first.
        #expect(answer.formats == ["111", "101"])
        #expect(answer.mappings.map(\.encoding) == ["opus", "telephone-event"])
        #expect(answer.attribute("fmtp") == "111 useinbandfec=1")
        #expect(answer.direction == .recvonly)
        let narrow = try #require(CodecChoice.answer(of: try sdp("8 0 13 101", ["rtpmap:101 telephone-event/8000"]), 0)).media[0]
        #expect(narrow.formats == ["8", "101", "13"])
        #expect(CodecChoice.answer(of: try sdp("97", ["rtpmap:97 iLBC/8000"]), 0) == nil)
        // Who answers with another codec later is converted to what was taken.
        let offer = try sdp("8 0 101", ["rtpmap:101 telephone-event/8000"])
        let promised = try #require(CodecChoice.answer(of: offer, 0))
        #expect(CodecChoice.answer(try sdp("0"), 0, to: promised, 0)?.media[0].formats == ["8", "101"])
        #expect(CodecChoice.answer(try sdp("8 101", ["rtpmap:101 telephone-event/8000"]), 0, to: promised, 0)?.media[0].formats == ["8", "101"])
    }

    @Test func oneIsConvertedToTheOtherOnlyWhenTheyShareNone() throws {
        let plain = media(try sdp("0"), try sdp("0 8"))
        let other = media(try sdp("8 0"), try sdp("0 8"))
        let wide = media(try sdp("111 101", opus), try sdp("111 101", opus))
        #expect(!CodecChoice.converts(plain, plain))
        #expect(!CodecChoice.converts(plain, other))
        #expect(CodecChoice.converts(plain, wide))
        #expect(!CodecChoice.converts(wide, wide))
        // The same codec under another number is the same codec.
        let renumbered = media(try sdp("96", ["rtpmap:96 OPUS/48000/2"]), try sdp("96", ["rtpmap:96 opus/48000/2"]))
        #expect(!CodecChoice.converts(wide, renumbered))
    }

    @Test func theMediaWorkerIsToldBothNumbersOfAFormat() throws {
        var side = media(try sdp("96 101", ["rtpmap:96 opus/48000/2", "rtpmap:101 telephone-event/8000", "ptime:40"]), try sdp("111 101", opus))
        side.converts = true
        let formats = side.spec.formats
        #expect(formats.map(\.payloadType) == [96, 101])
        #expect(formats.map(\.heardAs) == [111, 101])
        #expect(formats.map(\.encoding) == ["opus", "telephone-event"])
        #expect(side.spec.packetMs == 40)
        // Packets that pass as they are, under numbers that need no explanation, need none.
        #expect(media(try sdp("0"), try sdp("0")).spec.formats.isEmpty)
        // What either description names may come; while one is missing, anything.
        #expect(Array(side.spec.payloadTypes) == [111, 101, 96])
        #expect(Array(media(try sdp("0"), try sdp("8 0")).spec.payloadTypes) == [8, 0])
        side.local = nil
        #expect(side.spec.payloadTypes.isEmpty)
    }

    @Test func keysOfAnInfoAreRead() {
        func keys(_ type: String, _ body: String) -> CallMachine.Keys? {
            var request = SIPMessage(
                .info, URI(user: "x", host: "192.0.2.1"), via: Via(host: "192.0.2.2", port: 5_060, branch: "z9hG4bK1"),
                from: NameAddress(uri: URI(user: "a", host: "192.0.2.1")), to: NameAddress(uri: URI(user: "b", host: "192.0.2.1")), callID: "1", cseq: 2)
            request.setBody(Array(body.utf8), type: type)
            return CallMachine.Keys(request)
        }
        #expect(keys("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n")?.keys == "5")
        #expect(keys("application/dtmf-relay", "Signal= 5\r\nDuration= 160\r\n")?.milliseconds == 160)
        #expect(keys("application/dtmf", "#")?.keys == "#")
        #expect(keys("application/dtmf-relay", "Signal=flash") == nil)
        #expect(keys("application/media_control+xml", "5") == nil)
    }
}
