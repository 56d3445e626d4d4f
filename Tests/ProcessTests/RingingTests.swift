import Foundation
import Testing

/// What may be agreed before anybody has answered.
@Suite(.serialized) struct RingingTests {
    private static let domain = CallFlowTests.domain
    private static let allow = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"

    @Test func bothSidesOfferWhileItRings() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let phone = try await estate.registered("bob")
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.call(["Supported: 100rel", Self.allow])
        alice.hear(183, insisting: ["Require: 100rel", "m=audio", "Allow: .*UPDATE"])
        alice.prack()
        alice.hear(200)
        alice.request("UPDATE", [Self.allow], sdp: "a=sendonly")
        alice.hear(200, insisting: ["a=recvonly", "CSeq: [0-9]+ UPDATE"])
        alice.hear("UPDATE", insisting: ["a=sendrecv", "m=audio [1-9]"])
        alice.reply("200 OK", sdp: "a=sendrecv")
        alice.hear(200, insisting: ["m=audio", "CSeq: [0-9]+ INVITE"])
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        var bob = SIPpScript("bob", Self.domain, .called)
        bob.beCalled()
        bob.reply("183 Session Progress", ["Require: 100rel", "RSeq: 41", Self.allow], sdp: "", isFirst: true)
        bob.hear("PRACK")
        bob.reply("200 OK")
        bob.hear("UPDATE", insisting: ["a=sendonly", "m=audio [1-9]"])
        bob.reply("200 OK", sdp: "a=recvonly")
        bob.request("UPDATE", [Self.allow], sdp: "a=sendrecv", isEarly: true)
        bob.hear(200, insisting: ["a=sendrecv", "m=audio [1-9]"])
        bob.answerInvite()
        bob.hear("ACK")
        bob.beHungUp()
        try await estate.play(alice, called: [(phone, bob)])
        #expect(try await estate.records(1).first?["cause"] as? String == "caller_hung_up")
        try await estate.end()
    }

    @Test func aConfirmationMayBringAnOffer() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let phone = try await estate.registered("bob")
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.call(["Supported: 100rel", Self.allow])
        alice.hear(183, insisting: ["Require: 100rel", "m=audio"])
        alice.prack(sdp: "a=sendonly")
        alice.hear(200, insisting: ["a=recvonly", "CSeq: [0-9]+ PRACK"])
        alice.hear(200, insisting: ["CSeq: [0-9]+ INVITE"])
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        var bob = SIPpScript("bob", Self.domain, .called)
        bob.beCalled()
        bob.reply("183 Session Progress", ["Require: 100rel", "RSeq: 7", Self.allow], sdp: "", isFirst: true)
        bob.hear("PRACK")
        bob.reply("200 OK")
        bob.hear("UPDATE", insisting: ["a=sendonly"])
        bob.reply("200 OK", sdp: "a=recvonly")
        bob.answerInvite()
        bob.hear("ACK")
        bob.beHungUp()
        try await estate.play(alice, called: [(phone, bob)])
        #expect(try await estate.records(1).first?["cause"] as? String == "caller_hung_up")
        try await estate.end()
    }
}
