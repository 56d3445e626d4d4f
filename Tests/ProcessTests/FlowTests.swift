import Foundation
import Testing

/// Ways to phones that fail, and ways through NATs that have to be kept open.
@Suite(.serialized) struct FlowTests {
    private static let domain = CallFlowTests.domain
    private static let instance = "urn:uuid:00000000-0000-1000-8000-000a95a0e128"

    private func caller() -> SIPpScript {
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.call()
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        return alice
    }

    @Test func whereOneFlowOfADeviceHasFailedTheOtherIsUsed() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let (first, second) = (estate.phone(), estate.phone())
        for (number, flow) in [(1, first), (2, second)] {
            try await flow.register("bob", at: estate.platform.sip, domain: Self.domain, flow: (Self.instance, number))
        }
        var bob = SIPpScript("bob", Self.domain, .called)
        bob.beCalled()
        bob.answer()
        bob.beHungUp()
        // The one that was heard last is tried first. Nobody is there any more.
        try await estate.play(caller(), called: [(first, bob)])
        // Somebody is there who knows that it is gone (RFC 5626 §5.3).
        var edge = SIPpScript("bob", Self.domain, .called)
        edge.beCalled()
        edge.reply("430 Flow Failed", isFirst: true)
        edge.hear("ACK")
        try await estate.play(caller(), called: [(first, bob), (second, edge)])
        let records = try await estate.records(2)
        let tried = records.map { ($0["attempts"] as? [[String: Any]] ?? []).compactMap { $0["sip_status"] as? Int } }
        #expect(tried == [[503, 200], [430, 200]], "\(records)")
        try await estate.end()
    }

    @Test func aSilentPhoneBehindANATIsAskedWhetherItIsThere() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch, ["--nat-ping", "1"])
        try await estate.grow(gateway: Ports.take())
        let phone = estate.phone()
        try await phone.register("bob", at: estate.platform.sip, domain: Self.domain, host: "10.11.12.13")
        // Whatever it answers keeps the way open.
        for answer in ["200 OK", "405 Method Not Allowed"] {
            var bob = SIPpScript("bob", Self.domain, .called)
            bob.hear("OPTIONS", insisting: ["OPTIONS sip:bob@10.11.12.13:", "From: <sip:ledgerline@"])
            bob.reply(answer, isFirst: true)
            try await estate.play(nothing(), called: [(phone, bob)])
        }
        try await estate.end()
    }

    /// A caller that has nothing to say but that it is there.
    private func nothing() -> SIPpScript {
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.request("OPTIONS")
        alice.hear(200)
        return alice
    }
}
