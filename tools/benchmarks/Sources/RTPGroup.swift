import ArgumentParser
import Dispatch
import Foundation
import MediaWorker
import Model
import Primitives
import RTP
import Synchronization
import UDP

struct RTPGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtp", abstract: "Packets relayed and protected.", discussion: "Example: ledgerline-bench rtp")

    /// G.711, 20 ms.
    private static let packet: [UInt8] = [0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0x0A, 0x11, 0xCE] + Array(repeating: 0xD5, count: 160)

    mutating func run() throws {
        try relay()
        try protect()
        try sockets()
    }

    /// What the relay itself costs for a packet, without the kernel: table, source check, counters. A thousand
    /// sessions in turn, so that the caches are not better off than with a thousand calls.
    private func relay() throws {
        let sessions = 1_000
        var core = RelayCore(ports: 30_000...34_999)
        for index in 0..<sessions {
            let port = UInt16(30_000 + index * 4)
            try core.open(
                id(index), portA: port, portB: port + 2, a: LegSetup(remote: .loopback(port + 10_000)),
                b: LegSetup(remote: .loopback(port + 10_002)), at: .zero)
        }
        var buffer = Self.packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var step = 0
        let time = timePerRun(round: sessions) {
            let (round, index) = step.quotientAndRemainder(dividingBy: sessions)
            step += 1
            let port = UInt16(30_000 + index * 4)
            number(&buffer, round)
            var bytes = buffer.mutableSpan
            var span = unsafe bytes.mutableBytes
            let verdict = core.handle(
                port: port, from: .loopback(port + 10_000), &span, count: Self.packet.count,
                at: Instant(nanoseconds: UInt64(step) * 20_000))
            guard case .forward = verdict else { preconditionFailure("\(verdict)") }
        }
        Figure(name: "rtp.relay_packet", value: time.inMicroseconds, unit: "µs").print()
    }

    /// What encryption costs for a packet that is SRTP on both legs with different keys: one protect and one
    /// unprotect, AES_CM_128_HMAC_SHA1_80.
    private func protect() throws {
        var random = RandomSource(seed: 1)
        let key = SRTPMasterKey(random: &random)
        var sender = try SRTPSession(.outbound, suite: .aesCounterMode128HMACSHA1With80Bits, key: key)
        var receiver = try SRTPSession(.inbound, suite: .aesCounterMode128HMACSHA1With80Bits, key: key)
        var buffer = Self.packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var step = 0
        let time = try timePerRun(round: 1_000) {
            number(&buffer, step)
            step += 1
            var bytes = buffer.mutableSpan
            var span = unsafe bytes.mutableBytes
            let count = try sender.protect(&span, count: Self.packet.count)
            guard try receiver.unprotect(&span, count: count) == Self.packet.count else { preconditionFailure() }
        }
        Figure(name: "srtp.packet", value: time.inMicroseconds, unit: "µs").print()
    }

    /// What a media worker's thread costs for a packet with the kernel's part: 100 sessions over loopback sockets,
    /// user and system time of the relaying thread alone, divided by the packets that it sent on. The peers'
    /// sockets are read by another thread; loopback delivery is part of the sender's system call and so counts.
    private func sockets() throws {
        let ended = DispatchSemaphore(value: 0)
        let cpu = Mutex(Duration.zero)
        let shard = try RelayShard(ports: 30_000...39_999, rules: SourceRules()) { _ in }
        Thread.detachNewThread {
            shard.run()
            // The thread's whole life; its start is a matter of microseconds.
            cpu.withLock { $0 = threadCPU() }
            ended.signal()
        }
        let near = try UDPSocket(binding: .loopback(0))
        let far = try UDPSocket(binding: .loopback(0))
        var ports: [UInt16] = []
        var base: UInt16 = 30_000
        while ports.count < 100, base < 39_996 {
            defer { base += 4 }
            // Ports that others have are left to them.
            guard let sockets = try? SessionSockets(host: .v4(0x7F00_0001), portA: base, portB: base + 2) else { continue }
            shard.order(
                .open(
                    id(ports.count), portA: base, portB: base + 2, a: LegSetup(remote: near.address),
                    b: LegSetup(remote: far.address), sockets))
            ports.append(base)
        }
        var queue = try ReadinessQueue(capacity: 1)
        try queue.add(far.descriptor, tag: 0)
        var sending = DatagramBatch(capacity: 32)
        var receiving = DatagramBatch(capacity: 32)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(2)
        var received = 0
        var packet = Self.packet
        var step = 0
        while clock.now < end {
            number(&packet, step)
            step += 1
            var sent = 0
            for first in stride(from: 0, to: ports.count, by: 32) {
                let group = ports[first..<min(first + 32, ports.count)]
                for (slot, port) in group.enumerated() {
                    sending.load(packet.span, at: slot)
                    sending.enqueue(slot, count: packet.count, to: .loopback(port))
                }
                _ = sending.flush(over: near.descriptor)
                sent += group.count
            }
            // All of a round come back before the next is sent, or are given up for lost.
            var back = 0
            while back < sent, queue.wait(timeoutMilliseconds: 20) > 0 { back += receiving.receive(from: far) }
            received += back
        }
        shard.order(.stop)
        ended.wait()
        guard received > 0 else { throw Failure("nothing was relayed") }
        let time = cpu.withLock { $0 } / received
        Figure(name: "rtp.socket_packet", value: time.inMicroseconds, unit: "µs").print()
    }

    private func id(_ number: Int) -> MediaSessionID { MediaSessionID(UUIDv7(high: 0x7000, low: UInt64(number))) }

    private func number(_ packet: inout [UInt8], _ sequence: Int) {
        packet[2] = UInt8(truncatingIfNeeded: sequence >> 8)
        packet[3] = UInt8(truncatingIfNeeded: sequence)
    }
}
