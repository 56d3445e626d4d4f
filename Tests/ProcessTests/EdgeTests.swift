import Foundation
import Testing

/// A phone behind an edge proxy (RFC 3327): it registers by Kamailio, and is called by it.
@Suite struct EdgeTests {
    @Test func aPhoneBehindAnEdgeIsReachedByItsPath() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let edge = Ports.take()
        let kamailio = try Server(
            [
                "--signal=TERM", "--kill-after=5", "170", "kamailio", "-DD", "-E", "-f", TrunkEstate.fixtures.appending(path: "kamailio/edge.cfg").path, "-m", "32", "-M", "4", "-Y",
                scratch.path, "-A", "LISTEN=udp:127.0.0.1:\(edge)", "-A", "PLATFORM=\"sip:127.0.0.1:\(estate.platform.sip)\"",
            ], log: scratch.path + "/edge.log", program: "/usr/bin/timeout")
        guard try await Ports.isTaken(edge, within: 60) else { throw ServerFailure(description: "kamailio: \(kamailio.text.suffix(1_500))") }
        let phone = estate.phone()
        try await phone.register("bob", at: edge, domain: CallFlowTests.domain)
        var alice = SIPpScript("alice", CallFlowTests.domain, .caller(dials: "1002"))
        alice.call()
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        alice.request("INVITE", sdp: "a=sendonly")
        alice.hear(100, isOptional: true)
        alice.hear(200, insisting: ["a=recvonly"])
        alice.request("ACK")
        alice.pause(200)
        alice.hangUp()
        var bob = SIPpScript("bob", CallFlowTests.domain, .called)
        bob.beCalled(insisting: ["Record-Route: <sip:127.0.0.1:\(edge);", "Via: SIP/2.0/UDP 127.0.0.1:\(edge);"])
        bob.answer()
        bob.hear("INVITE", insisting: ["a=sendonly", "Via: SIP/2.0/UDP 127.0.0.1:\(edge);"])
        bob.reply("200 OK", sdp: "a=recvonly")
        bob.hear("ACK")
        bob.beHungUp()
        try await estate.play(alice, called: [(phone, bob)])
        #expect(kamailio.text.contains("TO A PHONE INVITE sip:bob@127.0.0.1:\(phone.port)"), "\(kamailio.text.suffix(1_500))")
        #expect(try await estate.records(1).first?["cause"] as? String == "caller_hung_up")
        try await estate.end()
        try await kamailio.killed()
    }
}
