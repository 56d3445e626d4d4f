import Primitives
import Testing

@testable import DNS

@Suite struct DNSMessageTests {
    /// A response: header, the question `example.test`, then records.
    private func response(code: UInt8 = 0, answers: [[UInt8]], authorities: [[UInt8]] = []) -> [UInt8] {
        var bytes: [UInt8] = [0, 1, 0x81, 0x80 | code, 0, 1, 0, UInt8(answers.count), 0, UInt8(authorities.count), 0, 0]
        bytes += name("example.test") + [0, 255, 0, 1]
        return bytes + answers.flatMap(\.self) + authorities.flatMap(\.self)
    }

    private func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// A record of the question's name, by a pointer.
    private func record(_ type: UInt8, seconds: UInt8, _ data: [UInt8]) -> [UInt8] {
        [0xC0, 12, 0, type, 0, 1, 0, 0, 0, seconds, 0, UInt8(data.count)] + data
    }

    @Test func addressesComeWithTheShortestTimeOfTheirAliases() {
        let bytes = response(answers: [record(5, seconds: 7, name("other.test")), record(1, seconds: 60, [192, 0, 2, 1]), record(1, seconds: 60, [192, 0, 2, 2])])
        let expected = [DNSRecord.address(SocketAddress.Host("192.0.2.1")!), .address(SocketAddress.Host("192.0.2.2")!)]
        #expect(DNSMessage.answer(to: .a, in: bytes) == .records(expected, seconds: 7))
    }

    @Test func serversAndPointersAreRead() {
        let srv = response(answers: [record(33, seconds: 9, [0, 10, 0, 60, 0x13, 0xC4] + [3] + Array("SIP".utf8) + [0xC0, 12])])
        #expect(DNSMessage.answer(to: .srv, in: srv) == .records([.server(priority: 10, weight: 60, port: 5060, target: "sip.example.test")], seconds: 9))
        let naptr = response(
            answers: [record(35, seconds: 9, [0, 50, 0, 20, 1] + Array("S".utf8) + [7] + Array("sip+d2u".utf8) + [0] + name("_sip._udp.example.test"))])
        let pointer = DNSRecord.pointer(order: 50, preference: 20, flags: "s", service: "SIP+D2U", replacement: "_sip._udp.example.test")
        #expect(DNSMessage.answer(to: .naptr, in: naptr) == .records([pointer], seconds: 9))
    }

    @Test func anAbsenceIsKeptAsLongAsItsZoneSays() {
        let soa = name("ns.test") + name("who.test") + [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]
        #expect(DNSMessage.answer(to: .a, in: response(code: 3, answers: [], authorities: [record(6, seconds: 90, soa)])) == .absent(seconds: 5))
        #expect(DNSMessage.answer(to: .a, in: response(answers: [])) == .absent(seconds: 30))
    }

    @Test func whatIsBrokenIsAFailureAndNothingWorse() {
        let whole = response(answers: [record(33, seconds: 9, [0, 10, 0, 60, 0x13, 0xC4] + [3] + Array("SIP".utf8) + [0xC0, 12])])
        for length in whole.indices {
            guard case .failed = DNSMessage.answer(to: .srv, in: Array(whole[..<length])) else {
                Issue.record("cut at \(length)")
                return
            }
        }
        // A pointer to itself.
        let loop = response(answers: [record(33, seconds: 9, [0, 10, 0, 60, 0x13, 0xC4, 0xC0, UInt8(whole.count - 6)])])
        guard case .failed = DNSMessage.answer(to: .srv, in: loop) else {
            Issue.record("a pointer to itself")
            return
        }
        var random = RandomSource(seed: 7)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<3 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
            for type in [DNSType.a, .aaaa, .srv, .naptr] { _ = DNSMessage.answer(to: type, in: bytes) }
        }
        guard case .failed(let reason) = DNSMessage.answer(to: .a, in: response(code: 2, answers: [])) else {
            Issue.record("a server's failure is no answer")
            return
        }
        #expect(reason.contains("2"))
    }
}
