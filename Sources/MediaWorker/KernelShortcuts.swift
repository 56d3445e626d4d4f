package import Primitives
package import RTP
internal import XDP

/// Shortcuts through the kernel, by a program at the interfaces (docs/decisions/0071-xdp.md). Belongs to a shard's thread; the program is shared.
package final class KernelShortcuts: ShortcutTable {
    private struct Passing {
        let flow: ForwardedFlow
        let hop: NextHop
    }

    /// How often a way is looked at, and how many times in between some of them are.
    private static let checkInterval: Duration = .seconds(5)
    private static let checkParts = 20

    private let program: ForwardingProgram
    private let routes: Routes
    private let host: SocketAddress.Host
    private var passing: [UInt32: Passing] = [:]
    /// Flows that are still to be looked at in this round.
    private var unchecked: [UInt32] = []
    package private(set) var nextCheck: Instant?

    /// - Parameter host: ours.
    init(_ program: ForwardingProgram, host: SocketAddress.Host) throws(XDPError) {
        self.program = program
        self.host = host
        routes = try Routes()
    }

    package func open(_ flow: ShortcutFlow, from position: StreamPosition) -> UInt32? {
        let forwarded = ForwardedFlow(
            local: SocketAddress(host, port: flow.port), remote: flow.source, source: SocketAddress(host, port: flow.outPort), destination: flow.destination,
            ssrc: flow.ssrc, payloadType: flow.payloadType)
        guard case .hop(let hop) = routes.find(from: host, to: flow.destination.host), program.canLeave(by: hop.interface),
            let number = program.add(forwarded, by: hop, from: ForwardingProgram.Position(position))
        else { return nil }
        passing[number] = Passing(flow: forwarded, hop: hop)
        if nextCheck == nil { nextCheck = Instant.now + KernelShortcuts.checkInterval }
        return number
    }

    package func close(_ number: UInt32) {
        guard let closed = passing.removeValue(forKey: number) else { return }
        program.remove(closed.flow)
        if passing.isEmpty { nextCheck = nil }
    }

    package func counts(_ number: UInt32) -> ShortcutCounts {
        let counts = program.counts(number)
        return ShortcutCounts(
            packets: counts.packets, bytes: counts.bytes, lastHeard: Instant(nanoseconds: counts.lastHeard), position: StreamPosition(counts.position))
    }

    package func move(_ number: UInt32, to position: StreamPosition) { program.move(number, to: ForwardingProgram.Position(position)) }

    package func end(_ number: UInt32) { program.release(number) }

    /// A part of the flows, so that a worker with many does not stand still for it.
    package func check(at now: Instant) -> [UInt16] {
        if unchecked.isEmpty { unchecked = passing.keys.sorted() }
        nextCheck = passing.isEmpty ? nil : now + .nanoseconds(KernelShortcuts.checkInterval.nanoseconds / Int64(KernelShortcuts.checkParts))
        var lost: [UInt16] = []
        for _ in 0...passing.count / KernelShortcuts.checkParts {
            guard let number = unchecked.popLast() else { break }
            guard let known = passing[number] else { continue }
            // Nothing of ours goes there, so nobody else asks whether the neighbour is still where it was.
            switch routes.find(from: host, to: known.flow.destination.host, refreshing: true) {
            case .hop(known.hop): break
            case .hop(let hop) where program.canLeave(by: hop.interface) && program.change(known.flow, by: hop, slot: number):
                passing[number] = Passing(flow: known.flow, hop: hop)
            case .hop, .notYet, .none: lost.append(known.flow.local.port)
            }
        }
        return lost
    }
}

extension ForwardingProgram.Position {
    fileprivate init(_ position: StreamPosition) {
        self.init()
        heardAt = position.heardAt.nanoseconds
        tick = position.tick
        jitter = position.jitter
        jitterMax = position.jitterMax
        silence = position.silence
        highestSequence = position.highestSequence
        timestamp = position.timestamp
    }
}

extension StreamPosition {
    fileprivate init(_ position: ForwardingProgram.Position) {
        self.init(
            highestSequence: position.highestSequence, timestamp: position.timestamp, heardAt: Instant(nanoseconds: position.heardAt), tick: position.tick,
            jitter: position.jitter, jitterMax: position.jitterMax, silence: position.silence)
    }
}
