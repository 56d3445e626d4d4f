import Foundation
import Testing

/// Streams beside sound, and fax in its place: SIPp agrees on them, and packets are sent and counted at both ends.
@Suite(.serialized) struct StreamTests {
    private static let domain = CallFlowTests.domain

    /// Both ways, as they were sent.
    private func passes(_ packets: [[UInt8]], from one: UDPPeer, by near: UInt16, to other: UDPPeer, by far: UInt16, _ location: SourceLocation = #_sourceLocation) async throws {
        let (heardThere, heardHere) = try await aside {
            // The media worker may hear of an answer a moment after the phones do, as with phones whose first packets are early.
            one.open(near, to: other, by: packets[0])
            other.open(far, to: one, by: packets[0])
            for packet in packets { one.send(packet, to: near) }
            let there = other.datagrams(packets.count)
            for packet in packets.reversed() { other.send(packet, to: far) }
            return (there, one.datagrams(packets.count))
        }
        #expect(heardThere == packets, sourceLocation: location)
        #expect(heardHere == packets.reversed(), sourceLocation: location)
    }

    private func rtp(_ type: UInt8, ssrc: UInt8) -> [[UInt8]] {
        (1...20).map { [0x80, type, 0, UInt8($0), 0, 0, 0, UInt8($0), 0, 0, 0, ssrc] + Array(repeating: UInt8($0), count: 900) }
    }

    /// UDPTL (T.38 §9.1): a number, one packet of fax, no redundancy.
    private var udptl: [[UInt8]] { (0..<20).map { [0, UInt8($0), 4, 0xC0, UInt8($0), 7, UInt8($0), 0, 0] } }

    @Test func videoGoesBesideSound() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        try await estate.grow(gateway: Ports.take())
        let (alices, bobs) = (estate.phone(), try await estate.registered("bob"))
        let sockets = (a: (sound: try UDPPeer(), video: try UDPPeer()), b: (sound: try UDPPeer(), video: try UDPPeer()))
        func streams(_ sound: UDPPeer, _ video: UDPPeer) -> String {
            "m=audio \(sound.port) RTP/AVP 0\na=rtpmap:0 PCMU/8000\nm=video \(video.port) RTP/AVP 99\na=rtpmap:99 H264/90000\na=fmtp:99 profile-level-id=42e01f"
        }
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "1002"))
        alice.streams = streams(sockets.a.sound, sockets.a.video)
        alice.call()
        alice.hear(180)
        alice.hear(200, insisting: ["a=fmtp:99 profile-level-id=42e01f"])
        alice.reportPort(of: "audio")
        alice.reportPort(of: "video")
        alice.request("ACK")
        alice.hear("BYE")
        alice.reply("200 OK")
        var bob = SIPpScript("bob", Self.domain, .called)
        bob.streams = streams(sockets.b.sound, sockets.b.video)
        bob.beCalled(insisting: ["a=rtpmap:99 H264/90000"])
        bob.reportPort(of: "audio")
        bob.reportPort(of: "video")
        bob.answer()
        // Long enough for packets also where every core is busy with other tests.
        bob.pause(12_000)
        bob.hangUp()
        async let call: Void = estate.play(alice, by: alices, called: [(bobs, bob)])
        let near = (sound: try await alices.ports(of: "audio")[0], video: try await alices.ports(of: "video")[0])
        let far = (sound: try await bobs.ports(of: "audio")[0], video: try await bobs.ports(of: "video")[0])
        #expect(Set([near.sound, near.video, far.sound, far.video]).count == 4)
        try await passes(rtp(99, ssrc: 7), from: sockets.a.video, by: near.video, to: sockets.b.video, by: far.video)
        try await passes(rtp(0, ssrc: 8), from: sockets.a.sound, by: near.sound, to: sockets.b.sound, by: far.sound)
        try await call
        let record = try #require(try await estate.records(1).first)
        #expect(record["cause"] as? String == "called_hung_up" && record["media_path"] as? String == "anchored")
        try await estate.end()
    }

    @Test func aCallBecomesAFaxAndSpeechAgain() async throws {
        let scratch = try Scratch()
        let estate = try await CallFlowTests.Estate(in: scratch)
        let gateway = estate.phone()
        try await estate.grow(gateway: gateway.port)
        let alices = estate.phone()
        let sockets = (a: try UDPPeer(), b: try UDPPeer())
        func fax(_ socket: UDPPeer) -> String { "m=image \(socket.port) udptl t38\na=T38FaxVersion:0\na=T38MaxBitRate:14400\na=T38FaxUdpEC:t38UDPRedundancy" }
        var alice = SIPpScript("alice", Self.domain, .caller(dials: "2092488700"))
        alice.mediaPort = Int(sockets.a.port)
        alice.call()
        alice.hear(180)
        alice.hear(200)
        alice.request("ACK")
        // Who receives the fax asks for it (T.38 §D.2.3).
        alice.hear("INVITE", insisting: ["a=T38FaxUdpEC:t38UDPRedundancy", "m=image [0-9]+ udptl t38"])
        alice.reportPort(of: "image")
        alice.streams = fax(sockets.a)
        alice.reply("200 OK", sdp: "")
        alice.hear("ACK")
        alice.streams = nil
        alice.hear("INVITE", insisting: ["m=audio [1-9]"])
        alice.reportPort(of: "audio")
        alice.reply("200 OK", sdp: "")
        alice.hear("ACK")
        alice.hear("BYE")
        alice.reply("200 OK")
        var carrier = SIPpScript("gw", Self.domain, .called)
        carrier.mediaPort = Int(sockets.b.port)
        carrier.beCalled()
        carrier.answer()
        carrier.pause(200)
        carrier.streams = fax(sockets.b)
        carrier.request("INVITE", sdp: "")
        carrier.hear(100, isOptional: true)
        carrier.hear(200, insisting: ["a=T38MaxBitRate:14400"])
        carrier.reportPort(of: "image")
        carrier.request("ACK")
        carrier.pause(12_000)
        carrier.streams = nil
        carrier.request("INVITE", sdp: "")
        carrier.hear(100, isOptional: true)
        carrier.hear(200)
        carrier.reportPort(of: "audio")
        carrier.request("ACK")
        carrier.pause(12_000)
        carrier.hangUp()
        async let call: Void = estate.play(alice, by: alices, called: [(gateway, carrier)])
        try await passes(udptl, from: sockets.a, by: try await alices.ports(of: "image")[0], to: sockets.b, by: try await gateway.ports(of: "image")[0])
        try await passes(rtp(0, ssrc: 9), from: sockets.a, by: try await alices.ports(of: "audio")[0], to: sockets.b, by: try await gateway.ports(of: "audio")[0])
        try await call
        let record = try #require(try await estate.records(1).first)
        let media = record["media"] as? [String: Any]
        #expect(record["cause"] as? String == "called_hung_up" && (media?["caller"] as? [String: Any])?["packets_in"] as? Int ?? 0 >= 40, "\(record)")
        try await estate.end()
    }
}
