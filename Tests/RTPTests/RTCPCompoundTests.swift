import Primitives
import RTP
import Testing

private func parse(_ packet: [UInt8]) throws(RTPParseError) -> RTCPCompound {
    try RTCPCompound(parsing: packet.span.bytes)
}

private let senderReport = bytes(hex: "80c80006" + "0000002a" + String(repeating: "00", count: 20))!
private let goodbye = bytes(hex: "81cb0001" + "0000002a")!

@Test func aCompoundIsWalkedToItsEnd() throws {
    let compound = try parse(senderReport + receiverReport(ssrc: 1) + goodbye)
    #expect(compound.senderSSRC == 42)
    #expect(compound.packetCount == 3)
    #expect(compound.saysGoodbye)
    #expect(try !parse(senderReport).saysGoodbye)
}

@Test(arguments: 0...40)
func everyTruncationOfACompoundIsRefused(length: Int) throws {
    let whole = senderReport + receiverReport(ssrc: 1) + goodbye  // 28 + 8 + 8 bytes
    let part = Array(whole[..<length])
    if length == 28 || length == 36 {
        #expect(try parse(part).packetCount == (length == 28 ? 1 : 2))
    } else {
        #expect(throws: RTPParseError.self) { try parse(part) }
    }
}

@Test func aLengthBeyondTheDatagramIsRefused() {
    var packet = receiverReport(ssrc: 1)
    packet[3] = 2
    #expect(throws: RTPParseError.wrongLength(have: 8, claimed: 12)) { try parse(packet) }
}

@Test func paddingStandsOnlyInTheLastPacketAndInWholeWords() throws {
    let padded = bytes(hex: "a0c90002" + "00000001" + "00000004")!
    #expect(try parse(padded).packetCount == 1)
    #expect(throws: RTPParseError.self) { try parse(padded + goodbye) }
    #expect(throws: RTPParseError.wrongPadding(have: 8, claimed: 3)) {
        try parse(bytes(hex: "a0c90002" + "00000001" + "00000003")!)
    }
    #expect(throws: RTPParseError.wrongPadding(have: 8, claimed: 12)) {
        try parse(bytes(hex: "a0c90002" + "00000001" + "0000000c")!)
    }
}

@Test(arguments: 0...255 as ClosedRange<UInt8>)
func onlyTheTypesOfControlAreTaken(type: UInt8) {
    let packet: [UInt8] = [0x80, type, 0, 1, 0, 0, 0, 1]
    #expect(((try? parse(packet)) != nil) == (192...223).contains(type))
}
