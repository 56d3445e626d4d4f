internal import Primitives
internal import RTP

/// What the worker may leave to others: packets that it would pass on as they are.
extension RelaySession {
    /// Takes note of a packet of media that was passed on.
    mutating func noteForShortcut(_ side: Side, _ packet: RawSpan, at now: Instant, _ rules: ShortcutRules) {
        guard mayPassUnseen else {
            shortcutsNeedReview = a.shortcut.state == .open || b.shortcut.state == .open
            return
        }
        let payloadType = unsafe packet.unsafeLoad(fromByteOffset: 1, as: UInt8.self) & 0x7F
        let isWorthALook =
            switch side {
            case .a: RelaySession.note(&a, payloadType, at: now, rules)
            case .b: RelaySession.note(&b, payloadType, at: now, rules)
            }
        if isWorthALook { shortcutsNeedReview = true }
    }

    private static func note(_ near: inout RelayLeg, _ payloadType: UInt8, at now: Instant, _ rules: ShortcutRules) -> Bool {
        guard let ssrc = near.media.ssrc else { return false }
        // Keys between the speech go by the worker; they change nothing.
        if near.shortcut.state == .open, ssrc == near.shortcut.stream.ssrc, near.setup.formats.codec(heardAs: payloadType) == nil { return true }
        return near.shortcut.hears(ssrc: ssrc, payloadType: payloadType, at: now, rules: rules)
    }

    private var mayPassUnseen: Bool { !converts && !isEnding && tap == nil && a.isPlain && b.isPlain }

    /// What a side sends now, if the worker does nothing but pass it on; nil: it does more, or not all of it is known.
    func shortcut(from side: Side) -> ShortcutFlow? {
        guard mayPassUnseen else { return nil }
        return switch side {
        case .a: RelaySession.shortcut(a, b)
        case .b: RelaySession.shortcut(b, a)
        }
    }

    private static func shortcut(_ near: borrowing RelayLeg, _ far: borrowing RelayLeg) -> ShortcutFlow? {
        // Both are heard: nobody is sent anything because of what a description says alone.
        guard far.prompt == nil, let source = near.media.latched, let destination = far.media.latched, source.isV4 == destination.isV4 else { return nil }
        return ShortcutFlow(
            port: near.port, source: source, outPort: far.port, destination: destination, ssrc: near.shortcut.stream.ssrc, payloadType: near.shortcut.stream.payloadType)
    }

    /// Packets of a side have passed.
    /// - Parameter counts: since the shortcut was opened.
    mutating func passed(_ side: Side, _ counts: ShortcutCounts) {
        switch side {
        case .a: RelaySession.passed(&a, &b, counts)
        case .b: RelaySession.passed(&b, &a, counts)
        }
    }

    private static func passed(_ near: inout RelayLeg, _ far: inout RelayLeg, _ counts: ShortcutCounts) {
        let (packets, bytes) = near.shortcut.take(counts)
        guard packets > 0, let flow = near.shortcut.flow else { return }
        near.counters.packetsIn += packets
        near.counters.bytesIn += bytes
        near.counters.packetsPassed += packets
        near.counters.lastHeard = max(near.counters.lastHeard ?? .zero, counts.lastHeard)
        near.counters.quality.heard.goOn(to: counts.position, of: flow.ssrc, packets: packets)
        near.media.passed(upTo: UInt16(truncatingIfNeeded: counts.position.highestSequence), at: counts.lastHeard)
        far.counters.packetsOut += packets
        far.counters.bytesOut += bytes
    }

    mutating func withShortcut<Result>(_ side: Side, _ body: (inout Shortcut) -> Result) -> Result {
        switch side {
        case .a: body(&a.shortcut)
        case .b: body(&b.shortcut)
        }
    }
}
