import MediaWorker
import Primitives
import RTP
import Testing

private let alice = address("198.51.100.7:4000")
private let bob = address("203.0.113.9:6000")

private func packet(_ sequence: UInt16, type: UInt8) -> [UInt8] {
    var bytes = rtpPacket(sequence: sequence)
    bytes[1] = type
    return bytes
}

struct PayloadTypeTests {
    private func core(_ types: [UInt8], _ protection: LegSetup.Protection? = nil) throws -> RelayCore {
        var core = RelayCore(ports: 30_000...30_015)
        try core.open(
            sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: alice, protection: protection, payloadTypes: PayloadTypes(types)),
            b: LegSetup(remote: bob), at: milliseconds(0))
        return core
    }

    @Test func aNumberThatNobodyHasNamedIsDroppedAndCounted() throws {
        var core = try core([8, 101])
        for (number, type) in [UInt8(8), 101, 13, 19].enumerated() {
            let sent = packet(UInt16(number), type: type)
            #expect(core.pass(sent, to: 30_000, from: alice, at: milliseconds(number)) == .forward(from: 30_002, to: bob, sent))
        }
        for (number, type) in [UInt8(0), 9, 96, 127].enumerated() {
            #expect(core.pass(packet(UInt16(10 + number), type: type), to: 30_000, from: alice, at: milliseconds(10 + number)) == .drop(.notNegotiated))
        }
        // The mark of a talk spurt is no part of the number.
        let marked = packet(20, type: 0x80 | 8)
        #expect(core.pass(marked, to: 30_000, from: alice, at: milliseconds(20)) == .forward(from: 30_002, to: bob, marked))
        let counted = core.report(sessionID(1))
        #expect(counted?.a.packetsIn == 5 && counted?.a[.notNegotiated] == 4 && counted?.b.packetsOut == 5)
        // Of the other side nothing is known.
        let any = packet(1, type: 126)
        #expect(core.pass(any, to: 30_002, from: bob, at: milliseconds(30)) == .forward(from: 30_000, to: alice, any))
    }

    /// A re-INVITE that changes codecs: packets on their way, and phones that keep to their first numbers, are still heard.
    @Test func whatWasNamedOnceStaysNamed() throws {
        var core = try core([8])
        try core.change(sessionID(1), a: LegSetup(remote: alice, payloadTypes: PayloadTypes([96])), b: nil, at: milliseconds(1))
        for (number, type) in [UInt8(8), 96].enumerated() {
            let sent = packet(UInt16(number), type: type)
            #expect(core.pass(sent, to: 30_000, from: alice, at: milliseconds(2 + number)) == .forward(from: 30_002, to: bob, sent))
        }
        #expect(core.pass(packet(9, type: 0), to: 30_000, from: alice, at: milliseconds(9)) == .drop(.notNegotiated))
        // Nothing is known any more, and then something again.
        try core.change(sessionID(1), a: LegSetup(remote: alice), b: nil, at: milliseconds(10))
        let any = packet(11, type: 0)
        #expect(core.pass(any, to: 30_000, from: alice, at: milliseconds(11)) == .forward(from: 30_002, to: bob, any))
        try core.change(sessionID(1), a: LegSetup(remote: alice, payloadTypes: PayloadTypes([0])), b: nil, at: milliseconds(12))
        #expect(core.pass(packet(12, type: 8), to: 30_000, from: alice, at: milliseconds(13)) == .drop(.notNegotiated))
    }

    @Test func underAKeyTheNumberIsLookedAtOnceItIsProved() throws {
        let keys = PeerKeys(seed: 3)
        var core = try core([0], keys.protection)
        var sender = try keys.sender()
        let good = try sender.protect(packet(1, type: 0))
        let foreign = try sender.protect(packet(2, type: 8))
        var forged = try sender.protect(packet(3, type: 8))
        forged[40] ^= 1
        #expect(core.pass(good, to: 30_000, from: alice, at: milliseconds(1)) == .forward(from: 30_002, to: bob, packet(1, type: 0)))
        #expect(core.pass(foreign, to: 30_000, from: alice, at: milliseconds(2)) == .drop(.notNegotiated))
        #expect(core.pass(forged, to: 30_000, from: alice, at: milliseconds(3)) == .drop(.wrongKey))
    }
}
