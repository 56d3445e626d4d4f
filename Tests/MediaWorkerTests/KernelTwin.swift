import Primitives
import RTP

@testable import MediaWorker

/// Passes packets on as the program in the kernel does, and counts them.
final class KernelTwin: ShortcutTable {
    private struct Passing {
        let flow: ShortcutFlow
        var counts: ShortcutCounts
        var heard = StreamStatistics()
        var isOpen = true
    }

    private var flows: [UInt32: Passing] = [:]
    private var last: UInt32 = 0
    /// What `open` says.
    var isWilling = true
    var lost: [UInt16] = []
    var nextCheck: Instant?

    var openFlows: [ShortcutFlow] { flows.values.filter(\.isOpen).map(\.flow).sorted { $0.port < $1.port } }
    var asked = 0
    /// Those included that are closed and not ended.
    var held: Int { flows.count }

    func open(_ flow: ShortcutFlow, from position: StreamPosition) -> UInt32? {
        asked += 1
        guard isWilling else { return nil }
        last += 1
        flows[last] = Passing(flow: flow, counts: ShortcutCounts(packets: 0, bytes: 0, lastHeard: .zero, position: position))
        move(last, to: position)
        return last
    }

    func close(_ number: UInt32) { flows[number]?.isOpen = false }
    func counts(_ number: UInt32) -> ShortcutCounts { flows[number]!.counts }
    func end(_ number: UInt32) { flows[number] = nil }

    func move(_ number: UInt32, to position: StreamPosition) {
        guard let ssrc = flows[number]?.flow.ssrc else { return }
        var heard = StreamStatistics()
        heard.hear(ssrc: ssrc, sequence: UInt16(truncatingIfNeeded: position.highestSequence), timestamp: position.timestamp, at: position.heardAt)
        heard.position = position
        flows[number]?.heard = heard
        flows[number]?.counts.position = position
    }

    func check(at now: Instant) -> [UInt16] {
        nextCheck = nil
        defer { lost = [] }
        return lost
    }

    /// - Returns: where the packet went; nil: it is the worker's.
    func pass(_ packet: [UInt8], to port: UInt16, from source: SocketAddress, at now: Instant) -> (from: UInt16, to: SocketAddress)? {
        guard let (number, known) = flows.first(where: { $0.value.isOpen && $0.value.flow.port == port && $0.value.flow.source == source }),
            packet.count >= 12, packet[0] == 0x80, packet[1] & 0x7F == known.flow.payloadType, let header = try? RTPHeader(parsing: packet.span.bytes),
            header.ssrc == known.flow.ssrc
        else { return nil }
        let step = Int16(bitPattern: header.sequence &- UInt16(truncatingIfNeeded: known.counts.position.highestSequence))
        guard step > -3_000, step < 3_000 else { return nil }
        flows[number]!.heard.hear(ssrc: header.ssrc, sequence: header.sequence, timestamp: header.timestamp, at: now)
        flows[number]!.counts.packets += 1
        flows[number]!.counts.bytes += UInt64(packet.count)
        flows[number]!.counts.lastHeard = now
        flows[number]!.counts.position = flows[number]!.heard.position
        return (known.flow.outPort, known.flow.destination)
    }
}
