import ICE
import Primitives
import Testing

/// The messages of RFC 5769 §2, and what is in them.
enum Vectors {
    static let password = "VOkJxbRl1RmTxUk/WvJxBt"

    /// §2.1.
    static let request = bytes(
        """
        00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008 932ff9b1
        51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf
        """)
    /// §2.2.
    static let response = bytes(
        """
        0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643 00080014 2b91f599
        fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96
        """)
    /// §2.3.
    static let response6 = bytes(
        """
        01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa a5d3f179 bc25f4b5
        bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c
        """)

    static func bytes(_ text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

@Test func theRequestOfRFC5769IsReadAndProven() throws {
    let message = try #require(STUNMessage(parsing: Vectors.request))
    #expect(message.kind == .bindingRequest)
    #expect(message.text(STUNAttribute.username) == "evtj:h6vY")
    #expect(message.text(STUNAttribute.software) == "STUN test client")
    #expect(message.value(STUNAttribute.priority).map { Array($0) } == [0x6E, 0, 1, 0xFF])
    #expect(message.holds(STUNAttribute.iceControlled))
    #expect(message.hasValidFingerprint)
    #expect(message.hasValidIntegrity(password: Vectors.password))
    #expect(!message.hasValidIntegrity(password: Vectors.password + "x"))
}

@Test func theResponsesOfRFC5769AreReadAndProven() throws {
    let message = try #require(STUNMessage(parsing: Vectors.response))
    #expect(message.kind == .bindingSuccess)
    #expect(message.mappedAddress == SocketAddress("192.0.2.1:32853"))
    #expect(message.hasValidFingerprint && message.hasValidIntegrity(password: Vectors.password))
    let message6 = try #require(STUNMessage(parsing: Vectors.response6))
    #expect(message6.mappedAddress == SocketAddress("[2001:db8:1234:5678:11:2233:4455:6677]:32853"))
    #expect(message6.hasValidFingerprint && message6.hasValidIntegrity(password: Vectors.password))
}

@Test func anyBitThatChangesIsNoticed() throws {
    for index in Vectors.request.indices.dropLast(8) {
        var changed = Vectors.request
        changed[index] ^= 0x04
        guard let message = STUNMessage(parsing: changed) else { continue }
        #expect(!message.hasValidFingerprint)
        #expect(!message.hasValidIntegrity(password: Vectors.password), "byte \(index)")
    }
}

@Test func cutAndMisshapenMessagesAreRefused() {
    for count in 0..<Vectors.request.count { #expect(STUNMessage(parsing: Array(Vectors.request[..<count])) == nil) }
    var many: [UInt8] = [0, 1, 0, 200] + STUNMessage.cookie + [UInt8](repeating: 1, count: 12)
    for _ in 0..<50 { many += [0x80, 0x22, 0, 0] }
    #expect(STUNMessage(parsing: many) == nil)
    var random = RandomSource(seed: 5_769)
    for _ in 0..<20_000 {
        var bytes = Vectors.request
        for _ in 0..<(1 + random.next() % 4) { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
        guard let message = STUNMessage(parsing: bytes) else { continue }
        _ = (message.mappedAddress, message.hasValidFingerprint, message.unknown(to: []), message.text(STUNAttribute.username))
    }
}
