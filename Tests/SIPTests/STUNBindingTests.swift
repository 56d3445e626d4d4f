import Primitives
import Testing

@testable import SIP

/// The keep-alive of phones on UDP (RFC 5626 §3.5.1, RFC 8489).
@Suite struct STUNBindingTests {
    // RFC 5769 §2: its transaction and its addresses.
    private static let transaction: [UInt8] = [0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6, 0x86, 0xFA, 0x87, 0xDF, 0xAE]
    private static let cookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]

    private func request(_ attributes: [UInt8] = [], kind: [UInt8] = [0, 1]) -> [UInt8] {
        kind + [0, UInt8(attributes.count)] + Self.cookie + Self.transaction + attributes
    }

    @Test func theSourceIsAnsweredAsTheTestVectorsHaveIt() throws {
        let near = try #require(SocketAddress("192.0.2.1:32853"))
        let v4 = try #require(STUNBinding.answer(to: request(), from: near))
        #expect(v4 == [1, 1, 0, 12] + Self.cookie + Self.transaction + [0, 0x20, 0, 8, 0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43])
        let source = try #require(SocketAddress("[2001:db8:1234:5678:11:2233:4455:6677]:32853"))
        let v6 = try #require(STUNBinding.answer(to: request(), from: source))
        let address: [UInt8] = [0x01, 0x13, 0xA9, 0xFA, 0xA5, 0xD3, 0xF1, 0x79, 0xBC, 0x25, 0xF4, 0xB5, 0xBE, 0xD2, 0xB9, 0xD9]
        #expect(v6 == [1, 1, 0, 24] + Self.cookie + Self.transaction + [0, 0x20, 0, 20, 0, 2, 0xA1, 0x47] + address)
    }

    @Test func whatMustBeUnderstoodAndIsNotIsNamed() throws {
        let source = try #require(SocketAddress("192.0.2.1:5060"))
        let answer = try #require(STUNBinding.answer(to: request([0x00, 0x24, 0, 4, 1, 2, 3, 4, 0x80, 0x22, 0, 0]), from: source))
        #expect(answer[..<2] == [1, 0x11])
        #expect(answer[20...].starts(with: [0, 9, 0, 4, 0, 0, 4, 20, 0, 10, 0, 2, 0, 0x24]))
        // SOFTWARE and FINGERPRINT need not be understood.
        #expect(STUNBinding.answer(to: request([0x80, 0x22, 0, 2, 65, 66, 0, 0, 0x80, 0x28, 0, 4, 1, 2, 3, 4]), from: source)?[..<2] == [1, 1])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func anythingElseGetsNoAnswerOrASmallOne(seed: UInt64) throws {
        let source = try #require(SocketAddress("192.0.2.1:5060"))
        #expect(STUNBinding.answer(to: request(kind: [0, 0x11]), from: source) == nil)
        #expect(STUNBinding.answer(to: request(kind: [1, 1]), from: source) == nil)
        #expect(!STUNBinding.isSTUN(Samples.request("OPTIONS").bytes))
        var random = RandomSource(seed: seed)
        for _ in 0..<2_000 {
            var bytes = request((0..<random.next() % 60).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            if let answer = STUNBinding.answer(to: bytes, from: source) { #expect(answer.count <= 64 && answer.count % 4 == 0) }
        }
    }
}
