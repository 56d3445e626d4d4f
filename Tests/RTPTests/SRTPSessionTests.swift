import Primitives
import RTP
import Testing

private struct Pair: ~Copyable {
    var sender: SRTPSession
    var receiver: SRTPSession

    init(_ suite: SRTPSuite = .aesCounterMode128HMACSHA1With80Bits, seed: UInt64 = 1) throws {
        var random = RandomSource(seed: seed)
        let key = SRTPMasterKey(random: &random, for: suite)
        let outbound = try SRTPSession(.outbound, suite: suite, key: key)
        let inbound = try SRTPSession(.inbound, suite: suite, key: key)
        sender = outbound
        receiver = inbound
    }
}

@Test(arguments: SRTPSuite.allCases)
func whatIsProtectedComesBackAsItWas(suite: SRTPSuite) throws {
    var pair = try Pair(suite)
    for sequence in 0..<100 as Range<UInt16> {
        let packet = rtpPacket(sequence: sequence, ssrc: 7)
        let protected = try pair.sender.protect(packet)
        #expect(protected.count == packet.count + suite.mediaTagByteCount)
        #expect(protected != packet)
        #expect(try pair.receiver.unprotect(protected) == packet)
    }
    let report = receiverReport(ssrc: 7)
    let protected = try pair.sender.protectControl(report)
    #expect(protected.count == report.count + suite.controlTrailerByteCount)
    #expect(try pair.receiver.unprotectControl(protected) == report)
}

@Test func anotherKeyIsNamed() throws {
    var pair = try Pair(seed: 1)
    var stranger = try Pair(seed: 2)
    #expect(throws: SRTPError.wrongKey) {
        try pair.receiver.unprotect(stranger.sender.protect(rtpPacket(sequence: 1, ssrc: 7)))
    }
    #expect(throws: SRTPError.wrongKey) {
        try pair.receiver.unprotectControl(stranger.sender.protectControl(receiverReport(ssrc: 7)))
    }
}

@Test func everyChangedByteIsNoticed() throws {
    var pair = try Pair()
    let protected = try pair.sender.protect(rtpPacket(sequence: 1, ssrc: 7, payload: Array(repeating: 1, count: 20)))
    for index in 1..<protected.count {
        var changed = protected
        changed[index] ^= 0x40
        #expect(throws: SRTPError.self, "byte \(index)") { try pair.receiver.unprotect(changed) }
    }
    #expect(try pair.receiver.unprotect(protected).count == 32)
}

@Test func aRepeatedPacketIsAReplayAndNotAWrongKey() throws {
    var pair = try Pair()
    let protected = try pair.sender.protect(rtpPacket(sequence: 9, ssrc: 7))
    _ = try pair.receiver.unprotect(protected)
    #expect(throws: SRTPError.replayed) { try pair.receiver.unprotect(protected) }
    let report = try pair.sender.protectControl(receiverReport(ssrc: 7))
    _ = try pair.receiver.unprotectControl(report)
    #expect(throws: SRTPError.replayed) { try pair.receiver.unprotectControl(report) }
}

@Test func aPacketOlderThanTheWindowIsTold() throws {
    var pair = try Pair()
    let old = try pair.sender.protect(rtpPacket(sequence: 1, ssrc: 7))
    for sequence in 2..<400 as Range<UInt16> {
        _ = try pair.receiver.unprotect(pair.sender.protect(rtpPacket(sequence: sequence, ssrc: 7)))
    }
    #expect(throws: SRTPError.replayWindowPassed) { try pair.receiver.unprotect(old) }
}

@Test func packetsOutOfOrderAreAccepted() throws {
    var pair = try Pair()
    let packets = try (1...20 as ClosedRange<UInt16>).map { try pair.sender.protect(rtpPacket(sequence: $0, ssrc: 7)) }
    for packet in packets.reversed() { _ = try pair.receiver.unprotect(packet) }
}

@Test(arguments: SRTPSuite.allCases)
func everyTruncationIsRefused(suite: SRTPSuite) throws {
    var pair = try Pair(suite)
    let media = try pair.sender.protect(rtpPacket(sequence: 1, ssrc: 7, payload: Array(repeating: 0, count: 40)))
    let control = try pair.sender.protectControl([0x80, 200, 0, 6] + Array(repeating: 0, count: 24))
    for length in 0...40 {
        #expect(throws: SRTPError.self) { try pair.receiver.unprotect(Array(media[..<length])) }
        #expect(throws: SRTPError.self) { try pair.receiver.unprotectControl(Array(control[..<length])) }
        if length < 12 + suite.mediaTagByteCount {
            #expect(throws: SRTPError.tooShort(have: length, need: 12 + suite.mediaTagByteCount)) {
                try pair.receiver.unprotect(Array(media[..<length]))
            }
        }
    }
    #expect(try pair.receiver.unprotect(media).count == 52)
    #expect(try pair.receiver.unprotectControl(control).count == 28)
}

@Test func aBufferWithoutRoomForTheTagIsRefused() throws {
    var pair = try Pair()
    var packet = rtpPacket(sequence: 1, ssrc: 7)
    let count = packet.count
    var bytes = packet.mutableSpan
    var span = bytes.mutableBytes
    #expect(throws: SRTPError.noRoom(have: count, need: count + SRTPSession.spareByteCount)) {
        try pair.sender.protect(&span, count: count)
    }
}

@Test func aPeerCannotOpenAnyNumberOfSources() throws {
    var pair = try Pair()
    for ssrc in 0..<UInt32(SRTPSession.sourceCountMax) {
        _ = try pair.receiver.unprotect(pair.sender.protect(rtpPacket(sequence: 1, ssrc: ssrc)))
    }
    #expect(throws: SRTPError.tooManySources) { try pair.sender.protect(rtpPacket(sequence: 1, ssrc: 999)) }
    #expect(try pair.receiver.unprotect(pair.sender.protect(rtpPacket(sequence: 2, ssrc: 0))).count == 172)
}

@Test func aForgedSourceTakesNoPlace() throws {
    var pair = try Pair(seed: 1)
    var stranger = try Pair(seed: 2)
    for ssrc in 100..<140 as Range<UInt32> {
        // The stranger's own session has a limit too, so it starts anew for each.
        stranger = try Pair(seed: 2)
        let forged = try stranger.sender.protect(rtpPacket(sequence: 1, ssrc: ssrc))
        #expect(throws: SRTPError.wrongKey) { try pair.receiver.unprotect(forged) }
    }
    #expect(try pair.receiver.unprotect(pair.sender.protect(rtpPacket(sequence: 1, ssrc: 7))).count == 172)
}

@Test(arguments: [0, 1, 29, 31, 60])
func aMasterKeyHasThirtyBytes(count: Int) {
    #expect(SRTPMasterKey(Array(repeating: 1, count: count)) == nil)
}

@Test func aMasterKeyIsNeverPrinted() throws {
    let key = try #require(SRTPMasterKey(Array(repeating: 0xAB, count: 30)))
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(reflecting: key), dumped] {
        #expect(!text.contains("171") && !text.lowercased().contains("ab, ab") && text.contains("secret"))
    }
}

// MARK: - Sources that join late

@Test(arguments: SRTPSuite.allCases)
func aSourceWhoseNumbersHaveBegunAnewBeforeItIsHeardIsFound(suite: SRTPSuite) throws {
    var pair = try Pair(suite)
    // As a phone that has talked for some forty minutes when another media worker takes the call.
    var sequence: UInt32 = 0
    while sequence < 3 * 65_536 + 500 {
        _ = try pair.sender.protect(rtpPacket(sequence: UInt16(truncatingIfNeeded: sequence), ssrc: 7))
        sequence += 50
    }
    for _ in 0..<3 {
        let packet = rtpPacket(sequence: UInt16(truncatingIfNeeded: sequence), ssrc: 7)
        #expect(try pair.receiver.unprotect(pair.sender.protect(packet)) == packet)
        sequence += 1
    }
    // Another source of the same peer begins at the beginning.
    let fresh = rtpPacket(sequence: 65_535, ssrc: 8)
    #expect(try pair.receiver.unprotect(pair.sender.protect(fresh)) == fresh)
    let next = rtpPacket(sequence: 0, ssrc: 8)
    #expect(try pair.receiver.unprotect(pair.sender.protect(next)) == next)
}

@Test func aFloodOfForgedSourcesCostsASearchEachOnlyForAWhile() throws {
    var pair = try Pair()
    for ssrc in 100..<400 as Range<UInt32> {
        #expect(throws: SRTPError.wrongKey) { try pair.receiver.unprotect(rtpPacket(sequence: 1, ssrc: ssrc)) }
    }
    let packet = rtpPacket(sequence: 1, ssrc: 7)
    #expect(try pair.receiver.unprotect(pair.sender.protect(packet)) == packet)
}

@Test func aKeyOfAnotherSuiteIsRefused() {
    #expect(SRTPMasterKey(Array(repeating: 1, count: 30), for: .aesGalois128) == nil)
    for suite in SRTPSuite.allCases { #expect(SRTPMasterKey(Array(repeating: 1, count: suite.keyByteCount), for: suite) != nil) }
    var random = RandomSource(seed: 1)
    #expect(throws: SRTPError.unavailable) {
        _ = try SRTPSession(.inbound, suite: .aesGalois256, key: SRTPMasterKey(random: &random))
    }
}
