import LMDB
import Ledger
import Primitives
import Testing

@Suite struct OriginTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func envelope(_ origin: [UInt8]) throws -> Envelope {
        let log = try LMDBEventLog(directory: directory.path, sizeMax: 1 << 28, durability: .none)
        var commit = commit([event(1)])
        commit.origin = origin
        _ = try log.append([commit])
        return try #require(try log.event(at: log.head))
    }

    @Test func anEventSaysFromWhereItWasAsked() throws {
        let origin = [UInt8](0...200)
        let stored = try envelope(origin)
        #expect(stored.origin == origin)
        #expect(stored.actor == "tester" && stored.cause == "request-1")
        let log = try LMDBEventLog(directory: directory.path, isReadOnly: true)
        #expect(try LogVerifier(log).run().isIntact)
        #expect(try log.bytes(at: 1) == stored.bytes)
    }

    @Test func anEventWithoutAnOriginHasTheBytesThatItHadBefore() throws {
        let stored = try envelope([])
        // Written field by field, as every binary before the audit did.
        var expected: [UInt8] = [0x08, 1, 0x12, 16] + stored.stream.bytes
        expected += [0x18, 1, 0x28, 1, 0x30] + varint(1_700_000_000_000_000)
        for (tag, text) in [(UInt8(0x3A), "tester"), (0x42, "request-1"), (0x4A, "test.happened")] {
            expected += [tag, UInt8(text.utf8.count)] + Array(text.utf8)
        }
        expected += [0x50, 1, 0x5A, UInt8(stored.payload.count)] + stored.payload
        #expect(stored.bytes == expected)
        let parsed = Envelope(parsing: expected.span.bytes)
        #expect(parsed == stored && parsed?.origin == [])
    }

    @Test func fieldsOfALaterBinaryArePassedOver() throws {
        let stored = try envelope([1, 2, 3])
        let later = stored.bytes + [0x72, 3, 1, 2, 3, 0x78, 5]  // fields 14 and 15
        let (parsed, header) = (Envelope(parsing: later.span.bytes), EnvelopeHeader(parsing: later.span.bytes))
        #expect(parsed == stored)
        #expect(header?.sequence == stored.sequence)
    }

    private func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
