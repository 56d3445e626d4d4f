import Primitives
import SIP
import Testing
import UDP

@testable import SignalWorker

/// Connections over real sockets on loopback; the time is the test's own.
@Suite struct ConnectionsTests {
    private static let options = Array(
        """
        OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bKa\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:x>\r\n\
        Call-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n
        """.utf8)

    @Test func messagesComeAndGoByTheirConnections() throws {
        var bench = try Bench()
        let (a, b) = (try StreamPeer(bench.address), try StreamPeer(bench.address))
        a.send(Self.options)
        b.send(Self.options + Array("\r\n\r\n".utf8) + Self.options.prefix(40))
        #expect(bench.run { $0.messages.count == 2 })
        #expect(bench.messages.map(\.bytes) == [Self.options, Self.options])
        let hops = bench.messages.map(\.hop)
        #expect(Set(hops.map(\.remote)) == [a.address, b.address])
        #expect(hops.allSatisfy { $0.transport == .tcp && $0.listener == bench.address && $0.connection >= 1_000 })
        // The keep-alive is answered, and an answer finds its way.
        #expect(bench.run { _ in b.receive().count == 2 })
        #expect(b.received == [0x0D, 0x0A])
        bench.send(Array("hello".utf8), by: try #require(hops.first { $0.remote == a.address }))
        #expect(bench.run { _ in a.receive().count == 5 })
        b.send(Array(Self.options.dropFirst(40)))
        #expect(bench.run { $0.messages.count == 3 })
        #expect(bench.counts.isEmpty)
    }

    @Test func aConnectionThatIsGoneIsNotCalledBack() throws {
        var bench = try Bench()
        var hop: Hop?
        do {
            let peer = try StreamPeer(bench.address)
            peer.send(Self.options)
            #expect(bench.run { $0.messages.count == 1 })
            hop = bench.messages[0].hop
        }
        #expect(bench.run { $0.counts["connection_closed"] == 1 })
        let gone = try #require(hop)
        #expect(bench.lost.map(\.hop).contains(gone))
        let before = bench.lost.count
        bench.send(Self.options, by: gone)
        #expect(bench.lost.count == before + 1 && bench.connections.count == 0)
    }

    @Test func aConnectionToAPeerIsMadeOnceAndRefusedOnesAreTold() throws {
        var bench = try Bench()
        var far = try Bench()
        let hop = Hop(.tcp, listener: bench.address, remote: far.address)
        bench.send(Self.options, by: hop)
        bench.send(Self.options, by: hop)
        #expect(bench.connections.count == 1)
        #expect(bench.run { _ in far.run(briefly: true) { $0.messages.count == 2 } })
        far.send(Array("SIP/2.0 200 OK\r\nl:0\r\n\r\n".utf8), by: far.messages[0].hop)
        #expect(bench.run { $0.messages.count == 1 })
        #expect(bench.messages[0].hop.remote == far.address && bench.messages[0].hop.connection != 0)

        // A port that nobody listens at.
        let shut = try TCPListener(binding: .loopback(0)).address
        let nowhere = Hop(.tcp, listener: bench.address, remote: shut)
        bench.send(Self.options, by: nowhere)
        #expect(bench.run { $0.counts["connection_unreachable"] == 1 })
        #expect(bench.lost.last?.hop == nowhere && bench.lost.last?.never == true)
        // A transport that is not listened for is not spoken.
        bench.send(Self.options, by: Hop(.tls, listener: bench.address, remote: far.address))
        #expect(bench.lost.last?.never == true && bench.lost.last?.hop.transport == .tls)
    }

    @Test func aSlowMessageEndsItsConnectionAndNoOther() throws {
        var limits = StreamLimits()
        limits.message = .seconds(10)
        limits.strangerIdle = .seconds(1_000)
        var bench = try Bench([.tcp], limits)
        let (slow, quick) = (try StreamPeer(bench.address), try StreamPeer(bench.address))
        slow.send(Array(Self.options.prefix(30)))
        quick.send(Self.options)
        #expect(bench.run { $0.messages.count == 1 && $0.connections.count == 2 })
        // More of it, but never the end: the time is that of the whole message.
        for part in 3...11 {
            bench.pass(.milliseconds(1_000))
            slow.send([0x41, UInt8(part)])
            _ = bench.run { _ in slow.isTaken }
        }
        #expect(bench.connections.count == 2)
        bench.pass(.milliseconds(1_100))
        #expect(bench.counts == ["connection_slow_message": 1])
        #expect(bench.connections.count == 1)
        #expect(slow.isEnded(within: 10))
        quick.send(Self.options)
        #expect(bench.run { $0.messages.count == 2 })
    }

    @Test func silentStrangersAreEndedSoonerThanThoseWhoAreKnown() throws {
        var limits = StreamLimits()
        limits.strangerIdle = .seconds(60)
        limits.idle = .seconds(600)
        var bench = try Bench([.tcp], limits)
        let (stranger, known) = (try StreamPeer(bench.address), try StreamPeer(bench.address))
        stranger.send(Self.options)
        known.send(Self.options)
        #expect(bench.run { $0.messages.count == 2 })
        bench.trust(try #require(bench.messages.first { $0.hop.remote == known.address }?.hop))
        bench.pass(.milliseconds(59_900))
        #expect(bench.connections.count == 2)
        bench.pass(.milliseconds(200))
        #expect(bench.counts == ["connection_idle": 1])
        #expect(stranger.isEnded(within: 10))
        bench.pass(.seconds(600))
        #expect(bench.counts == ["connection_idle": 2])
    }

    @Test func connectionsAreCountedForEachSourceAndInAll() throws {
        var limits = StreamLimits()
        limits.perSource = 20
        limits.connections = 25
        var bench = try Bench([.tcp], limits)
        let flood = try (0..<50).map { _ in try StreamPeer(bench.address) }
        #expect(bench.run { $0.connections.count + ($0.counts["connection_too_many_from_source"] ?? 0) == 50 })
        #expect(bench.counts == ["connection_too_many_from_source": 30])
        #expect(bench.connections.count == 20)
        // Others are not hurt.
        let other = try StreamPeer(bench.address, from: .v4(0x7F00_0002))
        other.send(Self.options)
        #expect(bench.run { $0.messages.count == 1 })
        let more = try (0..<10).map { _ in try StreamPeer(bench.address, from: .v4(0x7F00_0003)) }
        #expect(bench.run { $0.connections.count + ($0.counts["connection_too_many"] ?? 0) == 31 })
        #expect(bench.counts == ["connection_too_many_from_source": 30, "connection_too_many": 6])
        #expect(flood.filter { $0.isEnded(within: 0.05) }.count == 30)
        #expect(more.filter { $0.isEnded(within: 0.05) }.count == 6)
    }

    @Test func whoeverLeavesMakesRoom() throws {
        var limits = StreamLimits()
        limits.perSource = 2
        var bench = try Bench([.tcp], limits)
        do {
            let first = try (0..<2).map { _ in try StreamPeer(bench.address) }
            #expect(bench.run { $0.connections.count == 2 && first.count == 2 })
        }
        #expect(bench.run { $0.connections.count == 0 })
        let second = try (0..<3).map { _ in try StreamPeer(bench.address) }
        #expect(bench.run { $0.counts["connection_too_many_from_source"] == 1 })
        #expect(bench.connections.count == 2 && second.count == 3)
    }

    @Test func aPeerThatDoesNotReadIsBoundedInMemoryAndTime() throws {
        var limits = StreamLimits()
        limits.writeBuffer = 100_000
        var bench = try Bench([.tcp], limits)
        let peer = try StreamPeer(bench.address)
        peer.send(Self.options)
        #expect(bench.run { $0.messages.count == 1 })
        let hop = bench.messages[0].hop
        let block = [UInt8](repeating: 0x41, count: 50_000)
        for _ in 0..<2_000 where bench.connections.count == 1 { bench.send(block, by: hop) }
        #expect(bench.counts == ["connection_slow_reader": 1])
        #expect(bench.lost.map(\.hop).contains(hop))

        // One that has taken a little waits no longer than a message may.
        let second = try StreamPeer(bench.address)
        second.send(Self.options)
        #expect(bench.run { $0.messages.count == 2 })
        var sent = 0
        while bench.connections.count == 1, sent < 100_000_000, bench.connections.unwritten == 0 {
            bench.send([UInt8](repeating: 0x41, count: 30_000), by: bench.messages[1].hop)
            sent += 30_000
        }
        #expect(bench.connections.count == 1)
        bench.pass(.milliseconds(10_100))
        #expect(bench.counts == ["connection_slow_reader": 2])
    }

    @Test func whatIsNoSIPIsAnsweredOnceAndEnded() throws {
        var bench = try Bench()
        let large = try StreamPeer(bench.address)
        large.send(Array(String(decoding: Self.options, as: UTF8.self).replacing("Content-Length: 0", with: "Content-Length: 99999").utf8))
        #expect(bench.run { $0.counts["connection_unreadable"] == 1 })
        #expect(large.isEnded(within: 10))
        #expect(String(decoding: large.received, as: UTF8.self).hasPrefix("SIP/2.0 513 "))
        let mute = try StreamPeer(bench.address)
        mute.send(Array(String(decoding: Self.options, as: UTF8.self).replacing("Content-Length: 0\r\n", with: "").utf8))
        #expect(bench.run { $0.counts["connection_unreadable"] == 2 })
        #expect(mute.isEnded(within: 10))
        #expect(String(decoding: mute.received, as: UTF8.self).hasPrefix("SIP/2.0 400 Missing Content-Length"))
        let http = try StreamPeer(bench.address)
        http.send([UInt8](repeating: 0x47, count: 40_000))
        #expect(bench.run { $0.counts["connection_unreadable"] == 3 })
        #expect(http.isEnded(within: 10) && http.received.isEmpty)
        let long = try StreamPeer(bench.address)
        long.send(Array(String(decoding: Self.options, as: UTF8.self).replacing("Content-Length", with: "X: \(String(repeating: "x", count: 40_000))\r\nContent-Length").utf8))
        #expect(bench.run { $0.counts["connection_unreadable"] == 4 })
        #expect(long.isEnded(within: 10))
        #expect(String(decoding: long.received, as: UTF8.self).hasPrefix("SIP/2.0 513 "))
        #expect(bench.messages.isEmpty && bench.connections.count == 0)
    }

    /// What came before the bytes that end a connection is answered before it ends; nothing after them is read.
    @Test func aMessageBeforeWhatIsNoSIPIsAnswered() throws {
        var bench = try Bench()
        let peer = try StreamPeer(bench.address)
        peer.send(Self.options + Array("nonsense\r\nwithout: length\r\n\r\n".utf8))
        #expect(bench.run { $0.messages.count == 1 })
        peer.send(Self.options)
        bench.pass(.milliseconds(200))
        bench.send(Array("answer".utf8), by: bench.messages[0].hop)
        #expect(bench.run { _ in peer.receive().count >= 6 })
        #expect(bench.connections.count == 1 && bench.counts.isEmpty)
        bench.pass(.milliseconds(600))
        #expect(bench.counts == ["connection_unreadable": 1] && bench.messages.count == 1)
        #expect(peer.isEnded(within: 10))
        #expect(String(decoding: peer.received, as: UTF8.self).hasPrefix("answer"))
    }

    @Test func aMessageBeforeAWebSocketIsClosedIsAnswered() throws {
        var bench = try Bench([.webSocket])
        let peer = try StreamPeer(bench.address)
        peer.send(StreamPeer.upgrade)
        #expect(bench.run { _ in String(decoding: peer.receive(), as: UTF8.self).hasSuffix("\r\n\r\n") })
        let before = peer.received.count
        peer.send(StreamPeer.frame(1, Self.options) + StreamPeer.frame(8, [0x03, 0xE8]))
        #expect(bench.run { $0.messages.count == 1 })
        bench.send(Array("SIP".utf8), by: bench.messages[0].hop)
        #expect(bench.run { _ in peer.receive().count == before + 5 })
        bench.pass(.milliseconds(600))
        #expect(peer.isEnded(within: 10))
        // In a frame, and then the other half of the goodbye.
        #expect(Array(peer.received.dropFirst(before)) == [0x81, 3] + Array("SIP".utf8) + [0x88, 2, 0x03, 0xE8])
    }

    /// A connection that fails while its answers are waited for is over at once, and does not keep the loop busy.
    @Test func aPeerThatLeavesBeforeItsAnswerIsForgotten() throws {
        var bench = try Bench()
        do {
            let peer = try StreamPeer(bench.address)
            peer.send(Self.options + Array("nonsense\r\nwithout: length\r\n\r\n".utf8))
            #expect(bench.run { $0.messages.count == 1 })
        }
        bench.pass(.milliseconds(600))
        #expect(bench.connections.count == 0)
    }

    @Test func keepAlivesAreAnsweredUpToABurst() throws {
        var bench = try Bench()
        let peer = try StreamPeer(bench.address)
        peer.send((0..<40).flatMap { _ in Array("\r\n\r\n".utf8) })
        #expect(bench.run { _ in peer.receive().count == 80 })
        #expect(bench.connections.count == 1)
        bench.pass(.seconds(1))
        peer.send((0..<11).flatMap { _ in Array("\r\n\r\n".utf8) })
        #expect(bench.run { $0.counts["connection_flood"] == 1 })
    }

    @Test func webSocketsCarryMessagesAndPings() throws {
        var bench = try Bench([.webSocket])
        let peer = try StreamPeer(bench.address)
        peer.send(StreamPeer.upgrade)
        #expect(bench.run { _ in String(decoding: peer.receive(), as: UTF8.self).hasSuffix("\r\n\r\n") })
        #expect(String(decoding: peer.received, as: UTF8.self).hasPrefix("HTTP/1.1 101 "))
        let before = peer.received.count
        peer.send(StreamPeer.frame(1, Self.options) + StreamPeer.frame(9, [7]))
        #expect(bench.run { $0.messages.count == 1 })
        #expect(bench.messages[0].bytes == Self.options && bench.messages[0].hop.transport == .webSocket)
        #expect(bench.run { _ in peer.receive().count == before + 3 })
        #expect(Array(peer.received.suffix(3)) == [0x8A, 1, 7])
        bench.send(Array("SIP".utf8), by: bench.messages[0].hop)
        #expect(bench.run { _ in peer.receive().count == before + 8 })
        #expect(Array(peer.received.suffix(5)) == [0x81, 3] + Array("SIP".utf8))

        // A flood of pings, counted once; a handshake that does not come.
        peer.send((0..<100).flatMap { _ in StreamPeer.frame(9, []) })
        #expect(bench.run { $0.counts["connection_flood"] == 1 })
        let stalled = try StreamPeer(bench.address)
        stalled.send(Array(StreamPeer.upgrade.prefix(50)))
        #expect(bench.run { $0.connections.count == 1 })
        bench.pass(.milliseconds(10_100))
        #expect(bench.counts == ["connection_flood": 1, "connection_slow_handshake": 1])
        let other = try StreamPeer(bench.address)
        other.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        #expect(bench.run { $0.counts["connection_handshake_failed"] == 1 })
        #expect(other.isEnded(within: 10))
        #expect(String(decoding: other.received, as: UTF8.self).hasPrefix("HTTP/1.1 426 "))
    }

    @Test func connectionsOfIPv6AreLikeOthers() throws {
        var bench = try Bench(host: .v6(0, 1))
        let peer = try StreamPeer(bench.address)
        peer.send(Self.options)
        #expect(bench.run { $0.messages.count == 1 })
        #expect(bench.messages[0].hop.remote.host == .v6(0, 1))
        bench.send(Self.options, by: bench.messages[0].hop)
        #expect(bench.run { _ in peer.receive() == Self.options })
    }
}
