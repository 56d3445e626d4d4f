import Foundation
import Glibc
import Logging
import Namespaces
import Primitives
import RTP
import Synchronization
import Testing
import UDP
import XDP

@testable import MediaWorker

/// A shard in the worker's namespace, over its interfaces.
private final class DistantShard: Sendable {
    let estate: Estate
    let shard: RelayShard
    let program: ForwardingProgram
    private let letters: Letters
    /// On the phones' ends of the pairs: a driver of a pair sends natively only to one that has a program, too.
    private let far: [ForwardingProgram]
    static let ports: ClosedRange<UInt16> = 30_000...30_003

    /// - Parameter isSteered: packets that do not pass by XDP come by one socket for all ports.
    init(_ estate: Estate, _ mode: ForwardingProgram.Mode, _ host: SocketAddress.Host, isSteered: Bool = false) throws {
        self.estate = estate
        let ports = DistantShard.ports
        let words = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let program = try #require(
            try estate.inside(estate.worker) {
                KernelShortcuts.program(.interfaces(["wa", "wb"]), host: host, ports: ports, mode: mode, logger: words)
            })
        self.program = program
        var far: [ForwardingProgram] = []
        for (space, name) in [(estate.alice, "pa"), (estate.bob, "pb")] where mode == .native {
            far.append(
                try estate.inside(space) {
                    let program = try ForwardingProgram(flows: 8)
                    try program.attach(to: [Routes.interface(named: name)!], .native)
                    return program
                })
        }
        self.far = far
        let letters = Letters()
        shard = try estate.inside(estate.worker) {
            let steering = isSteered ? ShardSteering(host: host, steering: try PortSteering(host: host, places: 1), place: 0) : nil
            return try RelayShard(
                ports: ports, rules: SourceRules(), steering: steering, shortcuts: { KernelShortcuts.make(program, host: host, logger: words) },
                answer: { letters.put($0) })
        }
        let (running, space) = (shard, estate.worker)
        self.letters = letters
        Thread.detachNewThread {
            guard namespaces_enter(space) == 0 else { return letters.put(.ended(reason: "setns")) }
            running.run()
        }
    }

    private final class Letters: Sendable {
        private let answers = Mutex<[ShardAnswer]>([])
        private let arrived = DispatchSemaphore(value: 0)

        func put(_ answer: ShardAnswer) {
            answers.withLock { $0.append(answer) }
            arrived.signal()
        }

        func next() throws -> ShardAnswer {
            guard arrived.wait(timeout: .now() + 60) == .success else { throw NothingHeard() }
            return answers.withLock { $0.removeFirst() }
        }
    }

    func open(_ alice: DistantPhone, _ bob: DistantPhone, _ host: SocketAddress.Host) throws {
        let sockets = try estate.inside(estate.worker) { try SessionSockets(host: host, portA: 30_000, portB: 30_002) }
        shard.order(.open(sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: alice.address), b: LegSetup(remote: bob.address), sockets))
    }

    func report() throws -> RelayReport {
        shard.order(.query(sessionID(1)))
        guard case .reported(let report) = try letters.next() else { throw NothingHeard() }
        return report
    }

    func close() throws -> RelayReport {
        shard.order(.close(sessionID(1)))
        guard case .closed(let report) = try letters.next() else { throw NothingHeard() }
        return report
    }

    func stop() throws {
        shard.order(.stop)
        guard case .ended(reason: nil) = try letters.next() else { throw NothingHeard() }
    }
}

@Suite(.serialized, .enabled(if: Estate.hindrance == nil, "no network namespaces with XDP here: \(Estate.hindrance ?? "")")) struct XDPShardTests {
    /// Both sides send one packet and wait for the other's, so often.
    private func talk(_ sequences: ClosedRange<UInt16>, _ alice: DistantPhone, _ bob: DistantPhone, _ host: SocketAddress.Host) throws {
        for sequence in sequences {
            let (there, back) = (rtpPacket(sequence: sequence), rtpPacket(sequence: sequence, ssrc: 0xB0B))
            alice.send(there, to: SocketAddress(host, port: 30_000))
            let atBob = try #require(try bob.receive(1).first)
            #expect(atBob.packet == there)
            #expect(atBob.from == SocketAddress(host, port: 30_002))
            bob.send(back, to: SocketAddress(host, port: 30_002))
            let atAlice = try #require(try alice.receive(1).first)
            #expect(atAlice.packet == back)
            #expect(atAlice.from == SocketAddress(host, port: 30_000))
        }
    }

    struct Setting: CustomTestStringConvertible {
        let mode: ForwardingProgram.Mode
        var isSix = false
        var isSteered = false
        var testDescription: String { "\(mode), IPv\(isSix ? 6 : 4)\(isSteered ? ", ports steered to one socket" : "")" }
    }

    @Test(arguments: [
        Setting(mode: .generic), Setting(mode: .generic, isSix: true), Setting(mode: .native), Setting(mode: .native, isSix: true),
        Setting(mode: .generic, isSteered: true), Setting(mode: .native, isSix: true, isSteered: true),
    ])
    func packetsOfSettledStreamsPassByTheKernelAndAllAreCounted(setting: Setting) throws {
        let estate = try Estate()
        let isSix = setting.isSix
        let host = isSix ? Estate.workerHost6 : Estate.workerHost
        let running = try DistantShard(estate, setting.mode, host, isSteered: setting.isSteered)
        let alice = try DistantPhone(estate, estate.alice, isSix ? Estate.aliceHost6 : Estate.aliceHost)
        let bob = try DistantPhone(estate, estate.bob, isSix ? Estate.bobHost6 : Estate.bobHost)
        try running.open(alice, bob, host)
        try talk(1...200, alice, bob, host)
        let report = try running.report()
        #expect(report.a.packetsPassed > 150)
        #expect(report.b.packetsPassed > 150)
        // Keys pass, too, and a stranger does not.
        var key = rtpPacket(sequence: 201, payload: [5, 0x80, 0, 160])
        key[1] = 101
        alice.send(key, to: SocketAddress(host, port: 30_000))
        #expect(try bob.receive(1).first?.packet == key)
        let stranger = try DistantPhone(estate, estate.bob, isSix ? Estate.bobHost6 : Estate.bobHost)
        for sequence in 202...211 as ClosedRange<UInt16> { stranger.send(rtpPacket(sequence: sequence), to: SocketAddress(host, port: 30_000)) }
        try talk(202...211, alice, bob, host)
        let closed = try running.close()
        #expect(closed.a.quality.heard.lost == 0)
        // Its number 201 was never sent.
        #expect(closed.b.quality.heard.lost == 1)
        #expect(closed.a.packetsIn == 211)
        #expect(closed.a.bytesIn == 210 * 172 + 16)
        #expect(closed.b.packetsIn == 210)
        #expect(closed.b.packetsOut == 211)
        #expect(closed.b.bytesOut == 210 * 172 + 16)
        #expect(closed.a[.stranger] == 10)
        #expect(bob.waiting() + alice.waiting() == 0)
        try running.stop()
    }

    /// A recording begins and ends and a side is told of again, again and again, while packets of both sides are on their way.
    @Test(arguments: [false, true])
    func takingPacketsBackAndLettingThemGoLosesNone(isSteered: Bool) throws {
        let estate = try Estate()
        let host = Estate.workerHost
        let running = try DistantShard(estate, .generic, host, isSteered: isSteered)
        let alice = try DistantPhone(estate, estate.alice, Estate.aliceHost)
        let bob = try DistantPhone(estate, estate.bob, Estate.bobHost)
        try running.open(alice, bob, host)
        try talk(1...20, alice, bob, host)
        let count = 3_000
        var (atBob, atAlice): ([[UInt8]], [[UInt8]]) = ([], [])
        for number in 0..<count {
            let sequence = UInt16(21 + number)
            alice.send(rtpPacket(sequence: sequence), to: SocketAddress(host, port: 30_000))
            bob.send(rtpPacket(sequence: sequence, ssrc: 0xB0B), to: SocketAddress(host, port: 30_002))
            if number % 150 == 75 {
                running.shard.order(.record(sessionID(1), number / 150 % 2 == 0 ? RecordingTap() : nil))
                running.shard.order(.change(sessionID(1), a: LegSetup(remote: alice.address), b: LegSetup(remote: bob.address)))
            }
            // Some are always on their way, and never more than any queue takes.
            while number - atBob.count > 32 { atBob += try bob.receiveSome() }
            while number - atAlice.count > 32 { atAlice += try alice.receiveSome() }
        }
        while atBob.count < count { atBob += try bob.receiveSome() }
        while atAlice.count < count { atAlice += try alice.receiveSome() }
        #expect(atBob.count == count)
        #expect(atAlice.count == count)
        #expect(Set(atBob.map { $0[2...3].reduce(0) { $0 << 8 | Int($1) } }) == Set(21..<21 + count))
        let closed = try running.close()
        for leg in [closed.a, closed.b] {
            #expect(leg.packetsIn == UInt64(count) + 20)
            #expect(leg.packetsOut == UInt64(count) + 20)
            #expect(leg.quality.heard.lost == 0)
            #expect(leg.packetsPassed > 0)
            #expect(leg.packetsPassed < UInt64(count))
        }
        try running.stop()
    }

    @Test func theProgramGoesWithTheProcessHoweverItEnds() throws {
        let estate = try Estate()
        let holder = Process()
        // Beside the tests themselves.
        let products = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).deletingLastPathComponent()
        holder.executableURL = URL(filePath: "/usr/bin/env")
        holder.arguments = ["ip", "netns", "exec", estate.worker, products.appending(path: "program-holder").path, "wa"]
        let output = Pipe()
        holder.standardOutput = output
        try holder.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "ready\n")
        #expect(try estate.ip("-n \(estate.worker) link show wa").contains("xdp"))
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        var isGone = false
        for _ in 0..<1_200 where !isGone {
            isGone = try !estate.ip("-n \(estate.worker) link show wa").contains("xdp")
            if !isGone { usleep(50_000) }
        }
        #expect(isGone)
    }

    @Test func anInterfaceThatAnotherProgramHasIsLeftAlone() throws {
        let estate = try Estate()
        let first = try estate.inside(estate.worker) {
            let program = try ForwardingProgram(flows: 8)
            try program.attach(to: [Routes.interface(named: "wa")!], .generic)
            return program
        }
        #expect(throws: XDPError.interfaceTaken("wa")) {
            try estate.inside(estate.worker) {
                let program = try ForwardingProgram(flows: 8)
                try program.attach(to: [Routes.interface(named: "wb")!, Routes.interface(named: "wa")!], .generic)
            }
        }
        #expect(try !estate.ip("-n \(estate.worker) link show wb").contains("xdp"))
        #expect(first.mode == .generic)
    }
}
