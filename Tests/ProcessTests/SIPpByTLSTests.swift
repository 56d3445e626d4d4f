import Foundation
import Testing

/// SIPp by TLS: Debian's build has none, so socat carries its bytes, and checks and shows certificates.
@Suite struct SIPpByTLSTests {
    @Test func aCallComesAndGoesByTLS() async throws {
        let scratch = try Scratch()
        try await Certificates.make(in: scratch.path, own: "sip.kages.example", peer: "127.0.0.1")
        let platform = TestPlatform(scratch: scratch.path)
        let (tls, inward, outward) = (Ports.take(), Ports.take(), Ports.take())
        let server = try await platform.start([
            "--listen", "tls:127.0.0.1:\(tls)", "--certificates", scratch.path + "/own", "--authorities", scratch.path + "/root.pem",
        ])
        let (phone, carrier) = (SIPpPeer(in: scratch.path), SIPpPeer(in: scratch.path))
        let estate = try await TrunkEstate(
            platform, token: try await platform.token(of: server), gateways: [#"{"name":"secure","host":"127.0.0.1","port":\#(outward),"transport":"tls"}"#])
        // Another address than the carrier's: its calls need no password.
        let towardsUs = try Server(
            [
                "TCP4-LISTEN:\(inward),bind=127.0.0.1,reuseaddr",
                "OPENSSL:127.0.0.1:\(tls),bind=127.0.0.8,cafile=\(scratch.path)/root.pem,commonname=sip.kages.example,snihost=sip.kages.example",
            ], log: scratch.path + "/in.log", program: "/usr/bin/socat")
        let fromUs = try Server(
            [
                "OPENSSL-LISTEN:\(outward),bind=127.0.0.1,reuseaddr,fork,cert=\(scratch.path)/peer.pem,cafile=\(scratch.path)/root.pem,verify=1",
                "TCP4:127.0.0.1:\(carrier.port)",
            ], log: scratch.path + "/out.log", program: "/usr/bin/socat")
        for port in [inward, outward] { #expect(try await Ports.isTaken(port, in: "tcp", within: 20)) }
        var answering = SIPpScript("gw", "127.0.0.1", .called, by: "TLS", contact: "127.0.0.1:\(outward)")
        answering.beCalled(insisting: ["Via: SIP/2.0/TLS 127.0.0.1:\(tls);", "Contact: <sip:[^>]*127.0.0.1:\(tls);transport=tls>"])
        answering.answer()
        answering.beHungUp()
        let answered = Task { [answering] in try await carrier.play(answering, transport: "t1") }
        #expect(try await Ports.isTaken(carrier.port, in: "tcp", within: 20))
        var calling = SIPpScript("alice", "acme.kages.example", .caller(dials: "2092488700"), by: "TLS")
        calling.call()
        calling.hear(180, isOptional: true)
        calling.hear(200, insisting: ["Contact: <sip:[^>]*127.0.0.1:\(tls);transport=tls>"])
        calling.request("ACK")
        calling.pause(200)
        calling.hangUp()
        let called = try await phone.play(calling, to: inward, transport: "t1")
        #expect(called.status == 0, "\(called.output.suffix(1_500)) \(phone.errors().suffix(3_000))")
        let outcome = try await answered.value
        #expect(outcome.status == 0, "\(outcome.output.suffix(1_500))")
        #expect(try await estate.records(1).first?["cause"] as? String == "caller_hung_up")
        #expect(try await server.stopped() == 0)
        try await towardsUs.killed()
        try await fromUs.killed()
    }
}
