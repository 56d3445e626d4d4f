import Codecs
import MediaWorker
import Primitives
import RTP
import Testing

private let alice = address("198.51.100.7:4000")
private let bob = address("203.0.113.9:6000")
private let mallory = address("192.0.2.66:666")

private func openRelay() throws -> RelayCore {
    var core = RelayCore(ports: 30_000...30_015)
    try core.open(
        sessionID(1), portA: 30_000, portB: 30_002, a: LegSetup(remote: alice, isOpaque: true), b: LegSetup(remote: bob, isOpaque: true), at: milliseconds(0))
    return core
}

@Test func faxPassesUnreadAndStrangersDoNot() throws {
    var core = try openRelay()
    for number in UInt8(0)..<10 {
        let packet: [UInt8] = [0, number, 4, 0xC0, 1, 2, 3, 0, 0]
        #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(Int(number))) == .forward(from: 30_002, to: bob, packet))
        #expect(core.pass(packet, to: 30_002, from: mallory, at: milliseconds(Int(number))) == .drop(.stranger))
        #expect(core.pass(packet, to: 30_002, from: bob, at: milliseconds(Int(number))) == .forward(from: 30_000, to: alice, packet))
    }
    #expect(core.pass([0, 1, 2], to: 30_000, from: alice, at: milliseconds(20)) == .drop(.tooShort))
    let counted = core.report(sessionID(1))
    #expect(counted?.a.packetsIn == 10 && counted?.b.packetsOut == 10 && counted?.b[.stranger] == 10)
}

@Test func streamsUnderKeysOfTheSidesPassUnread() throws {
    var core = try openRelay()
    // Whatever the key is: the tag behind makes it no packet that could be read here.
    let packet = rtpPacket(sequence: 7) + Array(repeating: 0xAA, count: 10)
    let report = receiverReport() + Array(repeating: 0xBB, count: 14)
    #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(1)) == .forward(from: 30_002, to: bob, packet))
    #expect(core.pass(report, to: 30_001, from: address("198.51.100.7:4001"), at: milliseconds(2)) == .forward(from: 30_003, to: address("203.0.113.9:6001"), report))
    #expect(core.pass(report, to: 30_003, from: mallory, at: milliseconds(3)) == .drop(.stranger))
}

/// A phone that sends its fax from another port than it has said, on the same host.
@Test func aFaxFromAnotherPortIsLearnedByItsNumbers() throws {
    var core = try openRelay()
    let other = address("198.51.100.7:4002")
    var forwarded = 0
    for number in 0..<60 {
        let packet: [UInt8] = [0, UInt8(number), 4, 0xC0, 1, 2, 3, 0, 0]
        if case .forward = core.pass(packet, to: 30_000, from: other, at: milliseconds(number * 30)) { forwarded += 1 }
    }
    #expect(forwarded > 20 && forwarded < 60)
}

@Test func soundAgainIsReadAgain() throws {
    var core = try openRelay()
    try core.change(sessionID(1), a: LegSetup(remote: alice), b: LegSetup(remote: bob), at: milliseconds(1))
    #expect(core.pass([0, 1, 4, 0xC0, 1, 2, 3, 0, 0], to: 30_000, from: alice, at: milliseconds(2)) == .drop(.notMedia))
    let packet = rtpPacket(sequence: 1)
    #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(3)) == .forward(from: 30_002, to: bob, packet))
}

@Test func whatPassesUnreadIsNotConvertedWhateverItsFormats() throws {
    func unread(_ remote: SocketAddress, _ codec: Codec, _ type: UInt8) -> LegSetup {
        var formats = LegFormats()
        formats.speech = [LegFormats.Speech(codec: codec, payloadType: type, heardAs: type)]
        formats.converts = true
        return LegSetup(remote: remote, formats: formats, isOpaque: true)
    }
    var core = RelayCore(ports: 30_000...30_015)
    try core.open(sessionID(1), portA: 30_000, portB: 30_002, a: unread(alice, .gsm, 3), b: unread(bob, .pcmu, 0), at: milliseconds(0))
    let packet: [UInt8] = [0, 1, 4, 0xC0, 1, 2, 3, 0, 0]
    #expect(core.pass(packet, to: 30_000, from: alice, at: milliseconds(1)) == .forward(from: 30_002, to: bob, packet))
}
