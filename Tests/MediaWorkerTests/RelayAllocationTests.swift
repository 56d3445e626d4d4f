import AllocationCounter
import MediaWorker
import Primitives
import RTP
import Testing

/// Allocations of this thread while 100 000 packets go through `core`, after a warm-up.
private func allocations(
    _ core: inout RelayCore, packet: [UInt8], port: UInt16, from source: SocketAddress,
    prepare: (inout MutableRawSpan) -> Int = { _ in 172 }
) -> UInt64 {
    var buffer = packet + Array(repeating: 0, count: 256)
    var bytes = buffer.mutableSpan
    var span = bytes.mutableBytes
    var start: UInt64 = 0
    for step in 0..<101_000 {
        if step == 1_000 { start = allocations_of_this_thread() }
        let sequence = UInt16(truncatingIfNeeded: step)
        span.storeBytes(of: sequence.bigEndian, toByteOffset: 2, as: UInt16.self)
        let count = prepare(&span)
        core.expect(port)
        core.expectSoon(port)
        let verdict = core.handle(port: port, from: source, &span, count: count, at: Instant(nanoseconds: UInt64(step)))
        guard case .forward = verdict else {
            Issue.record("packet \(step): \(verdict)")
            return .max
        }
    }
    return allocations_of_this_thread() - start
}

@Test func theCounterSeesAnAllocation() {
    let before = allocations_of_this_thread()
    let array = Array(repeating: UInt8(before & 0xFF), count: 10_000)
    #expect(array.count == 10_000)
    #expect(allocations_of_this_thread() > before)
}

@Test func relayingAllocatesNothing() throws {
    let (near, far) = (SocketAddress.loopback(4_000), SocketAddress.loopback(6_000))
    var core = RelayCore(ports: 30_000...30_003)
    try core.open(
        sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: near), b: LegSetup(remote: far), at: .zero)
    #expect(allocations(&core, packet: rtpPacket(sequence: 0), port: 30_000, from: near) == 0)
}

@Test func droppingStrangersAllocatesNothing() throws {
    var core = RelayCore(ports: 30_000...30_003)
    try core.open(
        sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: .loopback(1)),
        b: LegSetup(remote: .loopback(2)), at: .zero)
    var buffer = rtpPacket(sequence: 0)
    let count = buffer.count
    var bytes = buffer.mutableSpan
    var span = bytes.mutableBytes
    var before: UInt64 = 0
    for step in 0..<101_000 {
        if step == 1_000 { before = allocations_of_this_thread() }
        _ = core.handle(port: 30_000, from: address6, &span, count: count, at: .zero)
        _ = core.handle(port: 30_001, from: address6, &span, count: count, at: .zero)
    }
    #expect(allocations_of_this_thread() - before == 0)
    #expect(core.report(sessionID(1))?.a[.stranger] == 101_000)
}

private let address6 = SocketAddress(.v6(1, 2), port: 3)

@Test(arguments: SRTPSuite.allCases)
func protectingAllocatesNothing(suite: SRTPSuite) throws {
    let (near, far) = (SocketAddress.loopback(4_000), SocketAddress.loopback(6_000))
    let keys = PeerKeys(suite, seed: 1)
    var core = RelayCore(ports: 30_000...30_003)
    try core.open(
        sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: near),
        b: LegSetup(remote: far, protection: keys.protection), at: .zero)
    #expect(allocations(&core, packet: rtpPacket(sequence: 0), port: 30_000, from: near) == 0)
}

@Test func unprotectingAllocatesNothing() throws {
    let (near, far) = (SocketAddress.loopback(4_000), SocketAddress.loopback(6_000))
    let keys = PeerKeys(seed: 1)
    var peer = try keys.sender()
    var core = RelayCore(ports: 30_000...30_003)
    try core.open(
        sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: near, protection: keys.protection),
        b: LegSetup(remote: far), at: .zero)
    // The peer protects in the same buffer, in which the relay has left the last packet in clear.
    let allocated = allocations(&core, packet: rtpPacket(sequence: 0), port: 30_000, from: near) { span in
        (try? peer.protect(&span, count: 172)) ?? 0
    }
    #expect(allocated == 0)
}
