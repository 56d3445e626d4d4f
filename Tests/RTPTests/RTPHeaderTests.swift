import Primitives
import RTP
import Testing

private func payload(of packet: [UInt8]) throws(RTPParseError) -> Range<Int> {
    try RTPHeader(parsing: packet.span.bytes).payload(of: packet.span.bytes)
}

private func kind(_ packet: [UInt8]) -> PacketKind { PacketKind(packet.span.bytes) }

private func parse(_ packet: [UInt8]) throws(RTPParseError) -> RTPHeader { try RTPHeader(parsing: packet.span.bytes) }

@Test func everyFieldOfTheFixedHeaderIsRead() throws {
    let header = try parse(bytes(hex: "80e0abcd0102030405060708ffff")!)
    #expect(header.marker)
    #expect(header.payloadType == 96)
    #expect(header.sequence == 0xABCD)
    #expect(header.timestamp == 0x0102_0304)
    #expect(header.ssrc == 0x0506_0708)
    #expect(header.byteCount == 12)
    #expect(try payload(of: bytes(hex: "80e0abcd0102030405060708ffff")!) == 12..<14)
}

@Test(arguments: 0...40)
func everyLengthEitherParsesOrSaysWhatIsMissing(length: Int) {
    let whole = rtpPacket(sequence: 1, ssrc: 2)
    if length < 12 {
        #expect(throws: RTPParseError.tooShort(have: length, need: 12)) { try parse(Array(whole[..<length])) }
    } else {
        #expect(throws: Never.self) { try parse(Array(whole[..<length])) }
    }
}

@Test(arguments: 0...255 as ClosedRange<UInt8>)
func everyFirstByteIsJudged(first: UInt8) {
    var packet = rtpPacket(sequence: 1, ssrc: 2, payload: Array(repeating: 0, count: 70))
    packet[0] = first
    if first >> 6 != 2 {
        #expect(throws: RTPParseError.wrongVersion(Int(first >> 6))) { try parse(packet) }
    } else {
        let sources = 12 + Int(first & 0x0F) * 4
        #expect((try? parse(packet))?.byteCount == sources + (first & 0x10 != 0 ? 4 : 0))
    }
}

@Test func anExtensionLongerThanThePacketIsRefused() throws {
    let head = bytes(hex: "90000001000000020000000300000002")!
    #expect(throws: RTPParseError.tooShort(have: 16, need: 24)) { try parse(head) }
    #expect(throws: RTPParseError.tooShort(have: 14, need: 16)) { try parse(Array(head[..<14])) }
    #expect(try parse(head + Array(repeating: 0, count: 8)).byteCount == 24)
}

@Test(arguments: [(0, false), (1, true), (4, true), (5, false), (255, false)])
func paddingMustFitThePayload(claimed: UInt8, fits: Bool) throws {
    let packet = bytes(hex: "a00000010000000200000003")! + [1, 2, 3, claimed]
    if fits {
        #expect(try payload(of: packet) == 12..<16 - Int(claimed))
    } else {
        #expect(throws: RTPParseError.wrongPadding(have: 4, claimed: Int(claimed))) { try payload(of: packet) }
    }
}

@Test(arguments: 0...255 as ClosedRange<UInt8>)
func theFirstByteTellsTheProtocol(first: UInt8) {
    let expected: PacketKind =
        switch first {
        case 0...3: .stun
        case 20...63: .dtls
        case 128...191: .rtp
        default: .unknown
        }
    #expect(kind([first, 0]) == expected)
}

@Test(arguments: 0...255 as ClosedRange<UInt8>)
func theSecondByteTellsControlFromMedia(second: UInt8) {
    #expect(kind([0x80, second]) == ((192...223).contains(second) ? .rtcp : .rtp))
}

@Test func nothingAndOneByteAreUnknown() {
    #expect(kind([]) == .unknown)
    #expect(kind([0x80]) == .unknown)
}
