import Primitives
import Testing

@testable import SIP

/// Messages cut from a stream (RFC 3261 §18.3, RFC 5626 §4.4.1).
@Suite struct StreamFramerTests {
    private enum Seen: Equatable {
        case message([UInt8])
        case ping
        case failed(ParseError)
    }

    private func read(_ pieces: [[UInt8]]) -> [Seen] {
        var framer = StreamFramer()
        var seen: [Seen] = []
        for piece in pieces {
            framer.append(piece)
            do throws(ParseError) {
                while let next = try framer.next() {
                    switch next {
                    case .message(let bytes): seen.append(.message(bytes))
                    case .ping: seen.append(.ping)
                    }
                }
            } catch {
                seen.append(.failed(error))
                return seen
            }
        }
        return seen
    }

    private func cut(_ bytes: [UInt8], _ random: inout RandomSource) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        // Now single bytes, now large parts, so that line ends and heads are cut at every place.
        let most = [1, 3, 40, 4_000][Int(random.next() % 4)]
        while start < bytes.count {
            let end = min(bytes.count, start + 1 + Int(random.next() % UInt64(most)))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }

    private static let stream: [UInt8] = {
        let large = String(repeating: "a=x\r\n\r\n", count: 2_000)
        let messages = [
            Samples.request("INVITE", body: Samples.offer).bytes, Samples.request("OPTIONS").bytes,
            Samples.request("MESSAGE", body: large).bytes,
            Array("OPTIONS sip:x SIP/2.0\r\nl\t: \r\n 3\r\nX: y\r\n\r\nabc".utf8),
        ]
        return messages[0] + messages[1] + Array("\r\n\r\n".utf8) + messages[2] + Array("\r\n".utf8) + messages[3] + Array("\r\n\r\n\r\n\r\n\r\n".utf8) + messages[1]
    }()

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func anySplitOfAStreamGivesTheSamePieces(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let whole = read([Self.stream])
        #expect(whole.count == 8 && whole.filter { $0 == .ping }.count == 3)
        // Compared here, because what is not alike fills pages.
        let isAlike = read(cut(Self.stream, &random)) == whole
        #expect(isAlike, "seed \(seed)")
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func anySplitOfADamagedStreamFailsAlikeOrGivesTheSamePieces(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var bytes = Self.stream
        for _ in 0..<1 + random.next() % 4 { bytes[Int(random.next() % 1_200)] = UInt8(truncatingIfNeeded: random.next()) }
        let (whole, parts) = (read([bytes]), read(cut(bytes, &random)))
        // How much of a message that is too large had come says the error, and nothing else differs.
        func plain(_ seen: Seen) -> Seen {
            if case .failed(.tooLarge(_, let limit)) = seen { .failed(.tooLarge(have: 0, limit: limit)) } else { seen }
        }
        let isAlike = whole.map(plain) == parts.map(plain)
        #expect(isAlike, "seed \(seed)")
    }

    @Test func headsAndMessagesAreBounded() {
        func head(_ count: Int) -> [UInt8] {
            let rest = "\r\nl:0\r\n\r\n"
            return Array("OPTIONS sip:x SIP/2.0\r\n".utf8) + [UInt8](repeating: 0x41, count: count - 23 - rest.utf8.count) + Array(rest.utf8)
        }
        #expect(read([head(StreamFramer.headMax)]).count == 1)
        #expect(read([head(StreamFramer.headMax)]).allSatisfy { if case .message = $0 { true } else { false } })
        #expect(read([head(StreamFramer.headMax + 1)]) == [.failed(.tooLarge(have: StreamFramer.headMax + 1, limit: StreamFramer.headMax))])
        let endless = [UInt8](repeating: 0x41, count: StreamFramer.headMax)
        #expect(read([endless]).isEmpty)
        #expect(read([endless, [0x41]]) == [.failed(.tooLarge(have: StreamFramer.headMax + 1, limit: StreamFramer.headMax))])
        // A length that would not fit is refused before a byte of the body has come.
        let start = "OPTIONS sip:x SIP/2.0\r\nContent-Length: "
        let most = StreamFramer.messageMax - start.utf8.count - 9
        #expect(read([Array("\(start)\(most)\r\n\r\n".utf8)]).isEmpty)
        #expect(read([Array("\(start)\(most + 1)\r\n\r\n".utf8)]).count == 1)
    }

    @Test(arguments: [
        ("", ParseError.missing(.contentLength)), ("Content-Length: 3\r\nl: 3\r\n", .repeated(.contentLength)),
        ("Content-Length: +3\r\n", .malformed(.contentLength)), ("l: 3 3\r\n", .malformed(.contentLength)),
        ("l: \r\n", .malformed(.contentLength)), ("l: 99999999999999999999\r\n", .malformed(.contentLength)),
    ])
    func aLengthThatSaysNothingOrTwoThingsEndsTheStream(fields: String, error: ParseError) {
        #expect(read([Array("OPTIONS sip:x SIP/2.0\r\n\(fields)\r\nabc".utf8)]) == [.failed(error)])
    }

    @Test func whatHasBegunIsPartialAndEmptyLinesAreNot() throws {
        var framer = StreamFramer()
        #expect(!framer.isPartial)
        framer.append(Array("\r\n".utf8))
        #expect(try framer.next() == nil)
        #expect(!framer.isPartial)
        framer.append(Array("O".utf8))
        #expect(framer.isPartial)
        #expect(try framer.next() == nil)
        framer.append(Array("PTIONS sip:x SIP/2.0\r\nl:1\r\n\r\n".utf8))
        #expect(try framer.next() == nil)
        #expect(framer.isPartial)
        framer.append([0x2E])
        #expect(try framer.next() != nil)
        #expect(!framer.isPartial)
    }
}
