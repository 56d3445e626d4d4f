import Foundation
import MediaWorker
import Model
import Primitives
import RTP
import Synchronization
import Testing
import UDP

private let loopback = SocketAddress.Host.v4(0x7F00_0001)

/// How packets come to a shard.
enum Way: CaseIterable, Sendable {
    case ownSockets
    case steered

    /// Steering is for who may (CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW).
    static let possible: [Way] = (try? PortSteering(host: loopback, places: 1)) == nil ? [.ownSockets] : Way.allCases
}

@Test(.enabled(if: Way.possible.count == 2, "this process may not load programs into the kernel (CAP_BPF, CAP_NET_ADMIN): only sockets of each port are tested"))
func portsCanBeSteeredHere() throws {
    _ = try PortSteering(host: loopback, places: 1)
}

/// A shard on its own thread, and what it has said.
private final class RunningShard: Sendable {
    let shard: RelayShard
    private let answers: Answers

    final class Answers: Sendable {
        private let list = Mutex<[ShardAnswer]>([])
        private let arrived = DispatchSemaphore(value: 0)

        func put(_ answer: ShardAnswer) {
            list.withLock { $0.append(answer) }
            arrived.signal()
        }

        func next() -> ShardAnswer? {
            guard arrived.wait(timeout: .now() + 60) == .success else { return nil }
            return list.withLock { $0.removeFirst() }
        }
    }

    init(ports: ClosedRange<UInt16>, _ way: Way = .ownSockets) throws {
        let answers = Answers()
        let steering: ShardSteering? =
            switch way {
            case .ownSockets: nil
            case .steered: ShardSteering(host: loopback, steering: try PortSteering(host: loopback, places: 1), place: 0)
            }
        let shard = try RelayShard(ports: ports, rules: SourceRules(), steering: steering) { answers.put($0) }
        self.answers = answers
        self.shard = shard
        Thread.detachNewThread { shard.run() }
    }

    func ask(_ order: ShardOrder) -> ShardAnswer? {
        shard.order(order)
        return answers.next()
    }

    func report(_ id: MediaSessionID) -> RelayReport? {
        guard case .reported(let report) = ask(.query(id)) else { return nil }
        return report
    }

    func stop() {
        guard case .ended(reason: nil) = ask(.stop) else {
            Issue.record("the shard did not end as told")
            return
        }
    }
}

/// Sockets of two pairs on ports that no other test has.
private func freeSockets() throws -> (sockets: SessionSockets, portA: UInt16, portB: UInt16) {
    for _ in 0..<200 {
        let base = FreePorts.next(4)
        if let sockets = try? SessionSockets(host: loopback, portA: base, portB: base + 2) { return (sockets, base, base + 2) }
    }
    throw SocketError.tooManyOpenFiles
}

@Test(arguments: Way.possible)
func packetsCrossBothWaysOverRealSockets(way: Way) throws {
    let (sockets, portA, portB) = try freeSockets()
    let running = try RunningShard(ports: portA...portB + 1, way)
    var alice = try Phone()
    var bob = try Phone()
    running.shard.order(
        .open(
            sessionID(1), portA: portA, portB: portB, a: LegSetup(remote: alice.address),
            b: LegSetup(remote: bob.address), sockets))
    for sequence in 1...200 as ClosedRange<UInt16> {
        let (there, back) = (rtpPacket(sequence: sequence), rtpPacket(sequence: sequence, ssrc: 0xB0B))
        alice.send(there, to: portA)
        let heardByBob = try bob.receive()
        #expect(heardByBob.from == portB)
        #expect(heardByBob.packet == there)
        bob.send(back, to: portB)
        let heardByAlice = try alice.receive()
        #expect(heardByAlice.from == portA)
        #expect(heardByAlice.packet == back)
    }
    // Longer than some ways take: these leave by the port's own socket.
    for sequence in 201...205 as ClosedRange<UInt16> {
        let long = rtpPacket(sequence: sequence, payload: [UInt8](repeating: 7, count: 1_190 + Int(sequence - 201)))
        alice.send(long, to: portA)
        let heard = try bob.receive()
        #expect(heard.from == portB)
        #expect(heard.packet == long)
    }
    let report = try #require(running.report(sessionID(1)))
    #expect(report.a.packetsIn == 205)
    #expect(report.b.packetsOut == 205)
    #expect(report.a.bytesIn == 200 * 172 + UInt64((0..<5).reduce(0) { $0 + 12 + 1_190 + $1 }))
    #expect(report.a.lastHeard != nil)
    guard case .closed(let closed) = running.ask(.close(sessionID(1))) else {
        Issue.record("no figures at the close")
        return
    }
    #expect(closed.b.packetsIn == 200)
    running.stop()
}

@Test(arguments: SRTPSuite.allCases, Way.possible)
func protectedPhonesTalkThroughAWorkerThatHoldsBothKeys(suite: SRTPSuite, way: Way) throws {
    let (sockets, portA, portB) = try freeSockets()
    let running = try RunningShard(ports: portA...portB + 1, way)
    var alice = try Phone()
    var bob = try Phone()
    let (near, far) = (PeerKeys(suite, seed: 1), PeerKeys(seed: 2))
    var aliceOut = try near.sender()
    var aliceIn = try near.receiver()
    var bobOut = try far.sender()
    var bobIn = try far.receiver()
    running.shard.order(
        .open(
            sessionID(1), portA: portA, portB: portB, a: LegSetup(remote: alice.address, protection: near.protection),
            b: LegSetup(remote: bob.address, protection: far.protection), sockets))
    for sequence in 1...50 as ClosedRange<UInt16> {
        let packet = rtpPacket(sequence: sequence)
        alice.send(try aliceOut.protect(packet), to: portA)
        let toBob = try bob.receive()
        #expect(toBob.packet != packet)
        #expect(try bobIn.unprotect(toBob.packet) == packet)
        bob.send(try bobOut.protect(packet), to: portB)
        let toAlice = try alice.receive()
        #expect(try aliceIn.unprotect(toAlice.packet) == packet)
    }
    running.stop()
}

@Test(arguments: Way.possible)
func aStrangerOnAnotherHostIsNotHeardAndIsCounted(way: Way) throws {
    let (sockets, portA, portB) = try freeSockets()
    let running = try RunningShard(ports: portA...portB + 1, way)
    var alice = try Phone()
    var bob = try Phone()
    running.shard.order(
        .open(
            sessionID(1), portA: portA, portB: portB, a: LegSetup(remote: alice.address),
            b: LegSetup(remote: bob.address), sockets))
    let stranger = try UDPSocket(binding: SocketAddress(.v4(0x7F00_0002), port: 0))
    var batch = DatagramBatch(capacity: 1)
    for sequence in 1...50 as ClosedRange<UInt16> {
        let packet = rtpPacket(sequence: sequence, ssrc: 0xBAD)
        batch.load(packet.span, at: 0)
        batch.enqueue(0, count: packet.count, to: .loopback(portA))
        #expect(batch.flush(over: stranger.descriptor) == 0)
    }
    let packet = rtpPacket(sequence: 1)
    alice.send(packet, to: portA)
    // One socket keeps its order: when Alice's packet is out, the stranger's have been judged.
    #expect(try bob.receive().packet == packet)
    let report = try #require(running.report(sessionID(1)))
    #expect(report.a[.stranger] == 50)
    #expect(report.a.packetsIn == 1)
    running.stop()
}

@Test(arguments: Way.possible)
func aDatagramLongerThanAPacketMayBeIsCountedAndNotCutShort(way: Way) throws {
    let (sockets, portA, portB) = try freeSockets()
    let running = try RunningShard(ports: portA...portB + 1, way)
    var alice = try Phone()
    var bob = try Phone()
    running.shard.order(
        .open(
            sessionID(1), portA: portA, portB: portB, a: LegSetup(remote: alice.address),
            b: LegSetup(remote: bob.address), sockets))
    var batch = DatagramBatch(capacity: 1, datagramBytesMax: 4_000)
    let long = rtpPacket(sequence: 1, payload: Array(repeating: 0, count: 3_000))
    batch.load(long.span, at: 0)
    batch.enqueue(0, count: long.count, to: .loopback(portA))
    #expect(batch.flush(over: alice.socket.descriptor) == 0)
    alice.send(rtpPacket(sequence: 2), to: portA)
    #expect(try bob.receive().packet == rtpPacket(sequence: 2))
    #expect(try #require(running.report(sessionID(1))).a[.tooLong] == 1)
    running.stop()
}

@Test(arguments: Way.possible)
func aClosedSessionGivesItsPortsBack(way: Way) throws {
    let (sockets, portA, portB) = try freeSockets()
    let running = try RunningShard(ports: portA...portB + 1, way)
    running.shard.order(.open(sessionID(1), portA: portA, portB: portB, a: LegSetup(), b: LegSetup(), consume sockets))
    #expect(throws: SocketError.addressInUse(.loopback(portA))) { _ = try UDPSocket(binding: .loopback(portA)) }
    guard case .closed = running.ask(.close(sessionID(1))) else {
        Issue.record("no answer to the close")
        return
    }
    running.stop()
    _ = try UDPSocket(binding: .loopback(portA))
}

@Test func aPromptIsHeardAtTheSpeedOfSpeech() throws {
    let (sockets, portA, portB) = try freeSockets()
    let running = try RunningShard(ports: portA...portB + 1)
    var alice = try Phone()
    let bob = try Phone()
    running.shard.order(
        .open(
            sessionID(1), portA: portA, portB: portB, a: LegSetup(remote: alice.address),
            b: LegSetup(remote: bob.address), sockets))
    let recording = Recording(samples: (0..<800).map { UInt8($0 / 160) })
    let start = ContinuousClock.now
    running.shard.order(.play(sessionID(1), .a, recording, .pcmu, seed: 7))
    for packet in 0..<5 {
        let heard = try alice.receive()
        #expect(heard.from == portA)
        #expect(heard.packet[12...].allSatisfy { $0 == UInt8(packet) })
        #expect(heard.packet.count == 172)
    }
    // Five packets, 20 ms apart: never faster.
    #expect(ContinuousClock.now - start >= .milliseconds(79))
    running.stop()
}

@Test(.enabled(if: Way.possible.contains(.steered), "this process may not load programs into the kernel (CAP_BPF, CAP_NET_ADMIN)"))
func aFloodToOnePortIsLeftToThatPortsSocketAndTheOtherCallLosesNothing() throws {
    let (sockets, portA, portB) = try freeSockets()
    let (otherSockets, otherA, otherB) = try freeSockets()
    let running = try RunningShard(ports: min(portA, otherA)...max(portB, otherB) + 1, .steered)
    var alice = try Phone()
    var bob = try Phone()
    for (number, a, b, sockets) in [(1, portA, portB, sockets), (2, otherA, otherB, otherSockets)] as [(UInt64, UInt16, UInt16, SessionSockets)] {
        running.shard.order(
            .open(sessionID(number), portA: a, portB: b, a: LegSetup(remote: alice.address), b: LegSetup(remote: bob.address), sockets))
    }
    let stranger = try UDPSocket(binding: SocketAddress(.v4(0x7F00_0002), port: 0))
    var batch = DatagramBatch(capacity: 50)
    let foreign = rtpPacket(sequence: 1, ssrc: 0xBAD)
    var sent = 0
    // At once, and more than twice what is too much: whenever a second ends, the port is let go. A worker that hardly gets to run may have
    // seen them in several seconds; then once more.
    let deadline = ContinuousClock.now + .seconds(20)
    repeat {
        for _ in 0..<44 {
            for index in 0..<50 {
                batch.load(foreign.span, at: index)
                batch.enqueue(index, count: foreign.count, to: .loopback(portA))
            }
            sent += 50 - batch.flush(over: stranger.descriptor)
        }
        // What is answered behind them: they have been read.
        alice.send(rtpPacket(sequence: 0), to: otherA)
        #expect(try bob.receive().packet == rtpPacket(sequence: 0))
        _ = try #require(running.report(sessionID(1)))
    } while running.shard.portsReleased == 0 && ContinuousClock.now < deadline
    for round in 1...40 as ClosedRange<UInt16> {
        alice.send(rtpPacket(sequence: round), to: otherA)
        #expect(try bob.receive().packet == rtpPacket(sequence: round))
        bob.send(rtpPacket(sequence: round, ssrc: 0xB0B), to: otherB)
        #expect(try alice.receive().packet == rtpPacket(sequence: round, ssrc: 0xB0B))
    }
    // The flooded port's own queue may have been too short for the rest. It has been read by now, in turn with the other call's.
    alice.send(rtpPacket(sequence: 1), to: portA)
    #expect(try bob.receive().from == portB)
    let report = try #require(running.report(sessionID(1)))
    #expect(report.a[.stranger] <= UInt64(sent))
    #expect(report.a[.stranger] >= 1_000)
    #expect(running.shard.portsReleased == 1)
    running.stop()
}
