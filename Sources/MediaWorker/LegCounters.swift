package import Primitives

/// What one leg has heard and been sent. Media alone is counted in packets and bytes; bytes are those of UDP payloads.
package struct LegCounters: Sendable {
    package internal(set) var packetsIn: UInt64 = 0
    package internal(set) var bytesIn: UInt64 = 0
    /// Of `packetsIn`, those that were passed on without the worker.
    package internal(set) var packetsPassed: UInt64 = 0
    package internal(set) var packetsOut: UInt64 = 0
    package internal(set) var bytesOut: UInt64 = 0
    package internal(set) var controlIn: UInt64 = 0
    package internal(set) var controlOut: UInt64 = 0
    /// How its packets are protected, for people: nothing, `sdes` or `dtls` and the suite.
    package internal(set) var protection = ""
    /// When a valid packet, media, control or a check of its address, last came from the peer.
    package internal(set) var lastHeard: Instant?
    package internal(set) var quality = LegQuality()
    private var drops = InlineArray<24, UInt64>(repeating: 0)

    package init() {}

    package subscript(reason: DropReason) -> UInt64 { drops[reason.rawValue] }

    /// Everything that did not belong; valid packets that had nowhere to go, or gave way to an announcement or to reports of ours, are not among them.
    package var dropped: UInt64 {
        var sum: UInt64 = 0
        for reason in DropReason.allCases where reason != .undeliverable && reason != .announcing && reason != .converted { sum += self[reason] }
        return sum
    }

    mutating func count(_ reason: DropReason) { drops[reason.rawValue] += 1 }
}
