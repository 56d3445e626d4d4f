import Foundation
import Testing

/// Calls of a tenant that has chosen direct media, between real phones on a platform of real processes.
@Suite(.serialized) struct DirectMediaTests {
    /// SIPp's phones: what each says of its streams and keys is what the other one hears, through hold, a late offer and a transfer.
    @Test func descriptionsGoThroughAsTheyAre() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let tenants = try await estate.platform.ask("GET", "/v1/tenants", token: estate.token)
        let items = try #require((try JSONSerialization.jsonObject(with: Data(tenants.utf8)) as? [String: Any])?["items"] as? [[String: Any]])
        _ = try await estate.platform.ask("PATCH", "/v1/tenants/\(items.first?["id"] as? String ?? "")", token: estate.token, #"{"media":"direct"}"#)
        let (bobs, carols) = (try await estate.registered("bob"), try await estate.registered("carol"))
        var alice = SIPpScript("alice", CallFlowTests.domain, .caller(dials: "1002"))
        alice.mediaPort = 20_000
        alice.call(sdp: "a=x-of-alice:1\nm=video 20002 RTP/AVP 99\na=rtpmap:99 H264/90000")
        alice.hear(180)
        alice.hear(200, insisting: ["a=x-of-bob:1", "m=audio 20010 ", "m=video 0 "])
        alice.request("ACK")
        alice.hear("INVITE", insisting: ["a=sendonly"])
        alice.reply("200 OK", sdp: "a=recvonly\nm=video 0 RTP/AVP 99")
        alice.hear("ACK")
        // Carol has come in bob's place.
        alice.hear("INVITE", insisting: ["a=x-of-carol:1", "m=audio 20020 ", "m=video 0 "])
        alice.reply("200 OK", sdp: "a=x-of-alice:2\nm=video 0 RTP/AVP 99")
        alice.hear("ACK")
        alice.pause(200)
        alice.hangUp()
        var bob = SIPpScript("bob", CallFlowTests.domain, .called)
        bob.mediaPort = 20_010
        bob.beCalled(insisting: ["a=x-of-alice:1", "m=audio 20000 ", "m=video 20002 "])
        bob.answer(sdp: "a=x-of-bob:1\nm=video 0 RTP/AVP 99")
        bob.pause(300)
        bob.request("INVITE", sdp: "a=sendonly\nm=video 0 RTP/AVP 99")
        bob.hear(100, isOptional: true)
        bob.hear(200, insisting: ["a=recvonly", "m=audio 20000 "])
        bob.request("ACK")
        bob.request("REFER", ["Refer-To: <sip:1003@\(CallFlowTests.domain)>"])
        bob.hear(202)
        bob.hear("NOTIFY", insisting: ["SIP/2.0 100"])
        bob.reply("200 OK")
        bob.hear("NOTIFY", insisting: ["SIP/2.0 180"])
        bob.reply("200 OK")
        bob.hear("NOTIFY", insisting: ["SIP/2.0 200"])
        bob.reply("200 OK")
        bob.beHungUp()
        var carol = SIPpScript("carol", CallFlowTests.domain, .called)
        carol.mediaPort = 20_020
        carol.beCalled()
        carol.reply("180 Ringing", isFirst: true)
        carol.pause(200)
        carol.reply("200 OK", sdp: "a=x-of-carol:1", isFirst: true)
        carol.hear("ACK", insisting: ["a=x-of-alice:2", "m=audio 20000 "])
        carol.beHungUp()
        try await estate.play(alice, called: [(bobs, bob), (carols, carol)])
        let records = try await estate.records(2)
        #expect(records.map { $0["media_path"] as? String } == ["direct", "direct"])
        #expect(Set(records.compactMap { $0["forward_kind"] as? String }) == ["none", "transferred"])
        try await estate.end()
    }
}
