import Foundation
import Testing

/// A gateway with the profile of Teams: its far end (`tools/lib/teams_peer.py`) insists on what Teams insists on.
@Suite struct TeamsTests {
    private static let name = "sbc.kages.example"
    private static let address = "127.0.0.5"

    @Test func teamsIsCalledByOurNameWithKeysAndCallsUs() async throws {
        let scratch = try Scratch()
        try await Certificates.make(in: scratch.path, own: Self.name, peer: Self.address)
        let platform = TestPlatform(scratch: scratch.path)
        let (tls, far, line, media) = (Ports.take(), Ports.take(), Ports.take(2), Ports.take(8))
        let server = try await platform.start([
            "--listen", "tls:127.0.0.1:\(tls)", "--certificates", scratch.path + "/own", "--authorities", scratch.path + "/root.pem", "--dns-server", "127.0.0.1:\(Ports.take())",
        ])
        let peer = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "tools/lib/teams_peer.py")
        let teams = try Server(
            [
                "--signal=KILL", "120", "python3", peer.path, "--listen", "\(Self.address):\(far)", "--certificate", scratch.path + "/peer.pem", "--authorities",
                scratch.path + "/root.pem", "--name", Self.name, "--platform", "127.0.0.1:\(tls)", "--number", "+12095550100",
            ], log: scratch.path + "/teams.log", program: "/usr/bin/timeout")
        _ = try await teams.waiting(for: "listening")
        let estate = try await TrunkEstate(
            platform, token: try await platform.token(of: server),
            gateways: [#"{"name":"teams","profile":"teams","host":"\#(Self.address)","port":\#(far),"transport":"tls","source_domain":"\#(Self.name)","probe_seconds":5}"#])
        _ = try await teams.waiting(for: "options are exchanged")

        let registering = try await TrunkEstate.sipp("line-that-registers", port: line + 1, media: media, to: platform.sip)
        #expect(registering.status == 0, "\(registering.output.suffix(2_000))")
        let ringing = Task { try await TrunkEstate.sipp("answering", port: line + 1, media: media) }
        #expect(try await Ports.isTaken(line + 1, within: 60))
        var alice = SIPpScript("alice", "acme.kages.example", .caller(dials: "2092488700"))
        alice.call()
        alice.hear(180)
        alice.hear(200, insisting: ["RTP/AVP"])
        alice.request("ACK")
        alice.pause(200)
        alice.request("INVITE", sdp: "a=sendonly")
        alice.hear(100, isOptional: true)
        alice.hear(200, insisting: ["a=inactive"])
        alice.request("ACK")
        alice.hangUp()
        let phone = SIPpPeer(in: scratch.path)
        let called = try await phone.play(alice, to: platform.sip)
        #expect(called.status == 0, "\(called.output.suffix(1_500)) \(phone.errors().suffix(2_000))")
        #expect(try await ringing.value.status == 0)
        #expect(try await teams.ended() == 0, "\(teams.text.suffix(3_000))")
        let checks = try #require(try JSONSerialization.jsonObject(with: Data((teams.text.split(separator: "\n").last { $0.hasPrefix("{") } ?? "{}").utf8)) as? [String: Bool])
        #expect(checks.count >= 14 && checks.values.allSatisfy(\.self), "\(checks)")
        #expect(Set(try await estate.records(2).compactMap { $0["direction"] as? String }) == ["inbound", "outbound"])
        #expect(try await server.stopped() == 0)
    }
}
