import Foundation
import Testing

/// Transfers between calls of two workers.
@Suite(.serialized) struct TransferTests {
    private static let domain = CallFlowTests.domain

    /// Alice's call is the first worker's; bob has asked carol by the second one, and joins them at the first.
    @Test func attendedTransfersJoinCallsOfTwoWorkers() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let (sip, key) = (Ports.take(), scratch.path + "/s2.key")
        let enrolled = try await Ledgerline.finish(["worker", "enroll", "s2", "--kind", "signal", "--out", key, "--url", estate.platform.url, "--token", estate.token])
        #expect(enrolled.status == 0, "\(enrolled.output)")
        let second = try Server(
            ["signal", "--key", key, "--listen", "127.0.0.1:\(sip)", "--bus", "127.0.0.1:0", "--state", scratch.path + "/s2"], log: scratch.path + "/s2.log")
        _ = try await second.waiting(for: "the control plane knows this worker")
        let (atBob, atCarol, consulting) = (try await estate.registered("bob"), estate.phone(), estate.phone())
        try await atCarol.register("carol", at: sip, domain: Self.domain)
        var asking = SIPpScript("bob", Self.domain, .caller(dials: "1003"))
        asking.call()
        asking.hear(180)
        asking.hear(200)
        asking.report()
        asking.request("ACK")
        asking.beHungUp()
        var carol = SIPpScript("carol", Self.domain, .called)
        carol.beCalled()
        carol.answer()
        carol.hear("INVITE", insisting: ["m=audio"])
        carol.reply("200 OK", sdp: "")
        carol.hear("ACK")
        carol.beHungUp()
        let consultation = Task { [asking, carol] in try await estate.play(asking, by: consulting, at: sip, called: [(atCarol, carol)]) }
        let replaces = try await consulting.reported().addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.call()
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.hear("INVITE", insisting: ["m=audio"])
        alice.reply("200 OK", sdp: "")
        alice.hear("ACK")
        alice.pause(400)
        alice.hangUp()
        var bob = SIPpScript("bob", Self.domain, .called)
        bob.beCalled()
        bob.answer()
        bob.pause(200)
        bob.request("REFER", ["Refer-To: <sip:1003@\(Self.domain)?Replaces=\(replaces)>"])
        bob.hear(202)
        bob.hear("NOTIFY", insisting: ["SIP/2.0 100 Trying"])
        bob.reply("200 OK")
        bob.hear("NOTIFY", insisting: ["SIP/2.0 200 OK"])
        bob.reply("200 OK")
        bob.beHungUp()
        try await estate.play(alice, called: [(atBob, bob)])
        try await consultation.value
        let records = try await estate.records(2)
        #expect(records.count == 2 && records.allSatisfy { $0["cause"] as? String == "caller_hung_up" && $0["forward_kind"] as? String == "none" }, "\(records)")
        #expect(try await second.stopped() == 0)
        try await estate.end()
    }
}
