import MediaWorker
import Primitives
import RTP
import Testing

private let alice = address("198.51.100.7:4000")
private let bob = address("203.0.113.9:6000")
private let mallory = address("192.0.2.66:666")

/// Alice on 30000, Bob on 30002.
private func openRelay(a: LegSetup = LegSetup(remote: alice), b: LegSetup = LegSetup(remote: bob)) throws -> RelayCore {
    var core = RelayCore(ports: 30_000...30_015)
    try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: a, b: b, at: milliseconds(0))
    return core
}

@Test func mediaAndControlGoBothWays() throws {
    var core = try openRelay()
    let packet = rtpPacket(sequence: 1)
    let report = receiverReport()
    #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(1)) == .forward(from: 30_002, to: bob, packet))
    #expect(core.pass(packet, to: 30_002, from: bob, at: milliseconds(2)) == .forward(from: 30_000, to: alice, packet))
    let aliceControl = address("198.51.100.7:4001")
    let bobControl = address("203.0.113.9:6001")
    #expect(
        core.pass(report, to: 30_001, from: aliceControl, at: milliseconds(3))
            == .forward(from: 30_003, to: bobControl, report))
    #expect(
        core.pass(report, to: 30_003, from: bobControl, at: milliseconds(4))
            == .forward(from: 30_001, to: aliceControl, report))

    let counted = core.report(sessionID(1))
    #expect(counted?.a.packetsIn == 1)
    #expect(counted?.a.bytesIn == 172)
    #expect(counted?.a.packetsOut == 1)
    #expect(counted?.a.bytesOut == 172)
    #expect(counted?.a.controlIn == 1)
    #expect(counted?.b.controlOut == 1)
    #expect(counted?.a.lastHeard == milliseconds(3))
    #expect(counted?.b.lastHeard == milliseconds(4))
    #expect(counted?.a.dropped == 0)
}

@Test func packetsThatAreExpectedMayComeOrNot() throws {
    let keys = PeerKeys(seed: 1)
    var core = try openRelay(b: LegSetup(remote: bob, protection: keys.protection))
    func expectAll() {
        for port in [0, 29_999, 30_000, 30_001, 30_002, 30_003, 30_004, 30_015, 30_016, .max] as [UInt16] {
            core.expect(port)
            core.expectSoon(port)
        }
    }
    expectAll()
    let packet = rtpPacket(sequence: 1)
    guard case .forward(from: 30_002, to: bob, let sent) = core.pass(packet, to: 30_000, from: alice, at: milliseconds(1)) else {
        Issue.record("the packet was not sent on")
        return
    }
    #expect(sent.count == packet.count + 10)
    #expect(core.packetsWithoutSession == 0)
    #expect(core.close(sessionID(1))?.a.packetsIn == 1)
    // Its keys are gone, and its place is free.
    expectAll()
    #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(2)) == .drop(.noSession))
}

@Test func controlSharesThePortOnTheSideThatAskedForIt() throws {
    var core = try openRelay(a: LegSetup(remote: alice, sharesControlPort: true))
    let report = receiverReport()
    let bobControl = address("203.0.113.9:6001")
    #expect(
        core.pass(report, to: 30_000, from: alice, at: milliseconds(1))
            == .forward(from: 30_003, to: bobControl, report))
    #expect(
        core.pass(report, to: 30_003, from: bobControl, at: milliseconds(2))
            == .forward(from: 30_000, to: alice, report))
    #expect(core.pass(report, to: 30_002, from: bob, at: milliseconds(3)) == .drop(.notNegotiated))
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_001, from: alice, at: milliseconds(4)) == .drop(.notNegotiated))
}

@Test func controlIsTakenFromAnyPortOfTheHostWhoseMediaIsTaken() throws {
    var core = try openRelay()
    let report = receiverReport()
    let elsewhere = address("198.51.100.7:9")
    #expect(core.pass(report, to: 30_001, from: elsewhere, at: milliseconds(1)) == .drop(.stranger))
    _ = core.pass(rtpPacket(sequence: 1), to: 30_000, from: alice, at: milliseconds(2))
    #expect(core.pass(report, to: 30_001, from: elsewhere, at: milliseconds(3)) != .drop(.stranger))
    #expect(core.pass(report, to: 30_001, from: mallory, at: milliseconds(4)) == .drop(.stranger))
    // It has a port now: another one must bring the known stream, and wait for a silence.
    let third = address("198.51.100.7:10")
    #expect(core.pass(report, to: 30_001, from: third, at: milliseconds(5)) == .drop(.stranger))
    #expect(core.pass(receiverReport(ssrc: 5), to: 30_001, from: third, at: milliseconds(600)) == .drop(.stranger))
    #expect(core.pass(report, to: 30_001, from: third, at: milliseconds(601)) != .drop(.stranger))
}

@Test func strangersAreDroppedAndCounted() throws {
    var core = try openRelay()
    _ = core.pass(rtpPacket(sequence: 1), to: 30_000, from: alice, at: milliseconds(1))
    for sequence in 2...101 as ClosedRange<UInt16> {
        #expect(
            core.pass(rtpPacket(sequence: sequence), to: 30_000, from: mallory, at: milliseconds(5)) == .drop(.stranger)
        )
    }
    #expect(core.report(sessionID(1))?.a[.stranger] == 100)
    #expect(core.report(sessionID(1))?.a.dropped == 100)
    #expect(core.report(sessionID(1))?.b.packetsOut == 1)
}

@Test func packetsGoNowhereUntilThePeerIsKnown() throws {
    var core = try openRelay(b: LegSetup())
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_000, from: alice, at: milliseconds(1)) == .drop(.undeliverable))
    #expect(core.report(sessionID(1))?.a.packetsIn == 1)
    #expect(core.report(sessionID(1))?.a.dropped == 0)
    try core.change(sessionID(1), a: nil, b: LegSetup(remote: bob), at: milliseconds(0))
    let packet = rtpPacket(sequence: 2)
    #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(2)) == .forward(from: 30_002, to: bob, packet))
}

@Test func eachProtocolThatIsNotMediaIsDropped() throws {
    var core = try openRelay()
    let stun: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42] + Array(repeating: 0, count: 12)
    let dtls: [UInt8] = [22, 254, 253] + Array(repeating: 0, count: 20)
    #expect(core.pass(stun, to: 30_000, from: alice, at: milliseconds(1)) == .drop(.notMedia))
    #expect(core.pass(dtls, to: 30_000, from: alice, at: milliseconds(1)) == .drop(.notMedia))
    #expect(core.pass([], to: 30_000, from: alice, at: milliseconds(1)) == .drop(.notMedia))
    #expect(core.report(sessionID(1))?.a[.notMedia] == 3)
}

@Test func aPortWithoutASessionSwallowsAndCounts() throws {
    var core = try openRelay()
    for port in [30_004, 29_999, 30_016, 0, 65_535] as [UInt16] {
        #expect(core.pass(rtpPacket(sequence: 1), to: port, from: alice, at: milliseconds(1)) == .drop(.noSession))
    }
    #expect(core.packetsWithoutSession == 5)
    #expect(core.close(sessionID(1))?.session == sessionID(1))
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_000, from: alice, at: milliseconds(2)) == .drop(.noSession))
    #expect(core.close(sessionID(1)) == nil)
    #expect(core.sessionCount == 0)
}

@Test(arguments: SRTPSuite.allCases)
func protectedMeetsPlainBothWays(suite: SRTPSuite) throws {
    let keys = PeerKeys(suite, seed: 1)
    var sender = try keys.sender()
    var receiver = try keys.receiver()
    var core = try openRelay(a: LegSetup(remote: alice, protection: keys.protection))
    for sequence in 1...50 as ClosedRange<UInt16> {
        let packet = rtpPacket(sequence: sequence)
        let sent = try sender.protect(packet)
        #expect(
            core.pass(sent, to: 30_000, from: alice, at: milliseconds(1)) == .forward(from: 30_002, to: bob, packet))
        guard
            case .forward(30_000, alice, let protected) = core.pass(packet, to: 30_002, from: bob, at: milliseconds(1))
        else {
            Issue.record("packet \(sequence) was not passed on")
            return
        }
        #expect(try receiver.unprotect(protected) == packet)
    }
    let report = receiverReport()
    let aliceControl = address("198.51.100.7:4001")
    let bobControl = address("203.0.113.9:6001")
    let sent = try sender.protectControl(report)
    #expect(
        core.pass(sent, to: 30_001, from: aliceControl, at: milliseconds(2))
            == .forward(from: 30_003, to: bobControl, report))
    guard
        case .forward(30_001, aliceControl, let back) = core.pass(
            report, to: 30_003, from: bobControl, at: milliseconds(2))
    else {
        Issue.record("the report was not passed on")
        return
    }
    #expect(try receiver.unprotectControl(back) == report)
}

@Test func protectedMeetsProtectedUnderAnotherSuite() throws {
    let near = PeerKeys(.aesCounterMode128HMACSHA1With80Bits, seed: 1)
    let far = PeerKeys(.aesCounterMode128HMACSHA1With32Bits, seed: 2)
    var sender = try near.sender()
    var receiver = try far.receiver()
    var core = try openRelay(
        a: LegSetup(remote: alice, protection: near.protection), b: LegSetup(remote: bob, protection: far.protection))
    let packet = rtpPacket(sequence: 65_535)
    guard
        case .forward(30_002, bob, let passed) = core.pass(
            try sender.protect(packet), to: 30_000, from: alice, at: milliseconds(1))
    else {
        Issue.record("the packet was not passed on")
        return
    }
    #expect(passed.count == packet.count + 4)
    #expect(try receiver.unprotect(passed) == packet)
}

@Test func wrongKeyReplayAndTooShortAreCountedApart() throws {
    let keys = PeerKeys(seed: 1)
    var sender = try keys.sender()
    var forger = try PeerKeys(seed: 2).sender()
    var core = try openRelay(a: LegSetup(remote: alice, protection: keys.protection))
    let good = try sender.protect(rtpPacket(sequence: 1))
    let forged = try forger.protect(rtpPacket(sequence: 2))
    #expect(core.pass(forged, to: 30_000, from: alice, at: milliseconds(1)) == .drop(.wrongKey))
    #expect(core.pass(good, to: 30_000, from: alice, at: milliseconds(1)) != .drop(.wrongKey))
    #expect(core.pass(good, to: 30_000, from: alice, at: milliseconds(1)) == .drop(.replayed))
    #expect(core.pass(Array(good[..<21]), to: 30_000, from: alice, at: milliseconds(1)) == .drop(.tooShort))
    #expect(core.pass(rtpPacket(sequence: 3), to: 30_000, from: alice, at: milliseconds(1)) == .drop(.wrongKey))
    let counted = core.report(sessionID(1))?.a
    #expect(counted?[.wrongKey] == 2)
    #expect(counted?[.replayed] == 1)
    #expect(counted?[.tooShort] == 1)
    #expect(counted?.packetsIn == 1)
}

@Test func aForgerCannotTakeOverAProtectedLeg() throws {
    let keys = PeerKeys(seed: 1)
    var sender = try keys.sender()
    var forger = try PeerKeys(seed: 2).sender()
    var core = try openRelay(a: LegSetup(remote: nil, protection: keys.protection))
    for sequence in 1...20 as ClosedRange<UInt16> {
        let forged = try forger.protect(rtpPacket(sequence: sequence))
        #expect(core.pass(forged, to: 30_000, from: mallory, at: milliseconds(Int(sequence) * 20)) == .drop(.wrongKey))
    }
    let packet = rtpPacket(sequence: 1)
    let sent = try sender.protect(packet)
    #expect(core.pass(sent, to: 30_000, from: alice, at: milliseconds(500)) == .forward(from: 30_002, to: bob, packet))
}

@Test func nothingLeavesInClearWhileAKeyIsMissing() throws {
    let keys = PeerKeys(seed: 1)
    var half = keys.protection
    half.sendKey = nil
    var core = try openRelay(b: LegSetup(remote: bob, protection: half))
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_000, from: alice, at: milliseconds(1)) == .drop(.keyMissing))
    half = keys.protection
    half.receiveKey = nil
    try core.change(sessionID(1), a: nil, b: LegSetup(remote: bob, protection: half), at: milliseconds(0))
    #expect(core.pass(rtpPacket(sequence: 1), to: 30_002, from: bob, at: milliseconds(1)) == .drop(.keyMissing))
    #expect(core.pass(rtpPacket(sequence: 2), to: 30_000, from: alice, at: milliseconds(1)) != .drop(.keyMissing))
}

@Test func aChangeThatRepeatsTheKeyKeepsItsReplayWindow() throws {
    let keys = PeerKeys(seed: 1)
    var sender = try keys.sender()
    let setup = LegSetup(remote: alice, protection: keys.protection)
    var core = try openRelay(a: setup)
    let packet = try sender.protect(rtpPacket(sequence: 1))
    _ = core.pass(packet, to: 30_000, from: alice, at: milliseconds(1))
    try core.change(sessionID(1), a: setup, b: nil, at: milliseconds(0))
    #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(2)) == .drop(.replayed))
}

@Test(arguments: 0...40)
func everyTruncatedPacketIsDroppedOrStillWhole(length: Int) throws {
    let keys = PeerKeys(seed: 1)
    var sender = try keys.sender()
    var core = try openRelay(b: LegSetup(remote: bob, protection: keys.protection))
    let plain = Array(rtpPacket(sequence: 1)[..<length])
    let verdict = core.pass(plain, to: 30_000, from: alice, at: milliseconds(1))
    switch length {
    case 0...1: #expect(verdict == .drop(.notMedia))
    case 2...11: #expect(verdict == .drop(.tooShort))
    default:
        guard case .forward = verdict else {
            Issue.record("\(length) bytes are a packet, and were dropped: \(verdict)")
            return
        }
    }
    let protected = Array(try sender.protect(rtpPacket(sequence: 1))[..<length])
    let outcome = core.pass(protected, to: 30_002, from: bob, at: milliseconds(1))
    switch length {
    case 0...1: #expect(outcome == .drop(.notMedia))
    case 2...21: #expect(outcome == .drop(.tooShort))
    default: #expect(outcome == .drop(.wrongKey))
    }
}

@Test func silentSessionsAreNamedInOrder() throws {
    var core = RelayCore(ports: 30_000...30_015)
    for number in (1...3 as ClosedRange<UInt16>).reversed() {
        try core.open(
            sessionID(UInt64(number)), portA: 30_000 + (number - 1) * 4, portB: 30_002 + (number - 1) * 4,
            a: LegSetup(remote: alice), b: LegSetup(remote: bob), at: milliseconds(0))
    }
    _ = core.pass(rtpPacket(sequence: 1), to: 30_004, from: alice, at: milliseconds(900))
    #expect(core.sessions(silentSince: milliseconds(500)).map(\.session) == [sessionID(1), sessionID(3)])
    #expect(core.sessions(silentSince: milliseconds(900)).count == 3)
}

@Test(arguments: 1...6 as ClosedRange<UInt64>)
func noBytesStopTheRelay(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let keys = PeerKeys(seed: seed)
    var sender = try keys.sender()
    var core = try openRelay(
        a: LegSetup(remote: alice, protection: keys.protection), b: LegSetup(remote: bob, sharesControlPort: true))
    let sources = [
        alice, bob, mallory, address("198.51.100.7:4001"), address("198.51.100.7:9"), address("203.0.113.9:6001"),
    ]
    var (forwarded, dropped) = (0, 0)
    for step in 0..<4_000 {
        var packet =
            switch random.next() % 4 {
            case 0:
                try sender.protect(rtpPacket(sequence: UInt16(step), payload: random.bytes(Int(random.next() % 60))))
            case 1: rtpPacket(sequence: UInt16(step), payload: random.bytes(Int(random.next() % 60)))
            case 2: receiverReport() + receiverReport()
            default: random.bytes(Int(random.next() % 64))
            }
        if random.next() % 2 == 0, !packet.isEmpty {
            packet[Int(random.next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        packet.removeLast(random.next() % 3 == 0 ? Int(random.next() % UInt64(packet.count + 1)) : 0)
        let port = 30_000 + UInt16(random.next() % 5)
        switch core.pass(packet, to: port, from: sources[Int(random.next() % 6)], at: milliseconds(step)) {
        case .forward: forwarded += 1
        case .drop: dropped += 1
        case .consumed: Issue.record("neither side has agreed to checks or handshakes")
        case .convert: Issue.record("nothing is to be converted here")
        }
    }
    // Every packet is in exactly one count.
    let report = try #require({ core.close(sessionID(1)) }())
    let heard = report.a.packetsIn + report.b.packetsIn + report.a.controlIn + report.b.controlIn
    let sent = report.a.packetsOut + report.b.packetsOut + report.a.controlOut + report.b.controlOut
    #expect(Int(sent) == forwarded)
    #expect(forwarded > 0)
    let refused = DropReason.allCases.reduce(UInt64(0)) { $0 + report.a[$1] + report.b[$1] }
    #expect(Int(refused + core.packetsWithoutSession) == dropped)
    #expect(heard >= sent)
}
