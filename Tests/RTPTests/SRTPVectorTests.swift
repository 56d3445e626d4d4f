import Primitives
import RTP
import Testing

private let masterKey = bytes(hex: "E1F97A0D3E018BE0D64FA32C06DE4139")!
private let masterSalt = bytes(hex: "0EC675AD498AFEEBB6960B3AABE6")!

@Test(arguments: [
    ("0000", "E03EAD0935C95E80E166B16DD92B4EB4"), ("0001", "D23513162B02D0F72A43A2FE4A5F97AB"),
    ("0002", "41E95B3BB0A2E8DD477901E4FCA894C0"), ("FEFF", "EC8CDF7398607CB0F2D21675EA9EA1E4"),
    ("FF00", "362B7C3C6773516318A077D7FC5073AE"), ("FF01", "6A2CC3787889374FBEB4C81B17BA6C44"),
])
func theKeyStreamIsThatOfAppendixB2(counter: String, stream: String) {
    let key = bytes(hex: "2B7E151628AED2A6ABF7158809CF4F3C")!
    let block = ReferenceSRTP.keyStream(key, counter: bytes(hex: "F0F1F2F3F4F5F6F7F8F9FAFBFCFD" + counter)!, count: 16)
    #expect(hex(block).uppercased() == stream)
}

@Test func theSessionKeysAreThoseOfAppendixB3() {
    let keys = ReferenceSRTP(masterKey: masterKey, masterSalt: masterSalt, tagByteCount: 10).media
    #expect(hex(keys.cipher).uppercased() == "C61E7A93744F39EE10734AFE3FF7A087")
    #expect(hex(keys.salt).uppercased() == "30CBBC08863D8C85D49DB34A9AE1")
    #expect(hex(keys.authentication).uppercased() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
}

@Test func hashAndAuthenticationAreThoseOfTheirStandards() {
    #expect(hex(ReferenceSHA1.hash(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    // RFC 2202, case 1.
    let code = ReferenceSHA1.hmac(Array(repeating: 0x0B, count: 20), Array("Hi There".utf8))
    #expect(hex(code) == "b617318655057264e28bc0b6fb378c8ef146be00")
}

/// The key of appendix B.3 over one packet of each kind.
@Test func aPacketProtectedUnderTheKeyOfAppendixB3HasKnownBytes() throws {
    let key = try #require(SRTPMasterKey(masterKey + masterSalt))
    var session = try SRTPSession(.outbound, suite: .aesCounterMode128HMACSHA1With80Bits, key: key)
    let media = bytes(hex: "800f1234decafbadcafebabe" + String(repeating: "ab", count: 16))!
    #expect(
        hex(try session.protect(media))
            == "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb")
    let control = bytes(hex: "81c8000bcafebabe" + String(repeating: "ab", count: 16))!
    #expect(
        hex(try session.protectControl(control))
            == "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798")
}

@Test(arguments: [SRTPSuite.aesCounterMode128HMACSHA1With80Bits, .aesCounterMode128HMACSHA1With32Bits])
func theLibraryAgreesWithTheReference(suite: SRTPSuite) throws {
    var random = RandomSource(seed: 3_711)
    for _ in 0..<20 {
        let material = random.bytes(30)
        let reference = ReferenceSRTP(
            masterKey: Array(material[..<16]), masterSalt: Array(material[16...]), tagByteCount: suite.mediaTagByteCount
        )
        var session = try SRTPSession(.outbound, suite: suite, key: #require(SRTPMasterKey(material)))
        // Across the point where sequence numbers start anew and the rollover counter rises (§3.3.1).
        let ssrc = UInt32(truncatingIfNeeded: random.next())
        for step in 0..<8 {
            let sequence = UInt16(truncatingIfNeeded: 0xFFFC + step)
            let payload = random.bytes(Int(random.next() % 200))
            let packet = rtpPacket(sequence: sequence, ssrc: ssrc, payload: payload)
            #expect(
                try session.protect(packet)
                    == reference.protect(packet, headerByteCount: 12, rollover: step < 4 ? 0 : 1))
        }
        for index in 1...3 as ClosedRange<UInt32> {
            let packet = receiverReport(ssrc: ssrc)
            #expect(try session.protectControl(packet) == reference.protectControl(packet, index: index))
        }
    }
}
