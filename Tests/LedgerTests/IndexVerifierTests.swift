import Foundation
import LMDB
import OpenSSL
import Primitives
import Testing

@testable import Ledger

/// Damage beside the events, done in the database itself.
@Suite struct IndexVerifierTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let log = try LMDBEventLog(directory: directory.path, durability: .none)
        // 600 events: two full tiles of leaves and a partial one; seven streams; every commit has a key and two events.
        for number in 0..<300 as Range<UInt64> {
            _ = try log.append([
                commit(
                    [event(2 * number, on: number % 7), event(2 * number + 1, on: number % 7)], key: Array("key \(number)".utf8),
                    outcome: [1, 2, 3])
            ])
        }
    }

    /// For reading: what is damaged is not opened for writing.
    private func open() throws -> LMDBEventLog { try LMDBEventLog(directory: directory.path, isReadOnly: true) }

    private func tamper(_ table: String, _ body: (inout WriteTransaction, Database) throws -> Void) throws {
        let environment = try Environment(directory: directory.path, sizeMax: 1 << 40)
        var transaction = try environment.beginWrite()
        let database = try transaction.database(table)
        try body(&transaction, database)
        try transaction.commit()
    }

    private func change(_ table: String, _ key: [UInt8], _ body: (inout [UInt8]) -> Void) throws {
        try tamper(table) { transaction, database in
            var value = try #require(try transaction.value(of: key, in: database))
            body(&value)
            try transaction.put(key, value, in: database)
        }
    }

    private func finding() throws -> IndexVerifier.Finding? { try IndexVerifier(open()).run() }

    @Test func anUntouchedLogHasNothingToFind() throws { #expect(try finding() == nil) }

    @Test(arguments: [0, 31, 32, 63]) func aFlippedBitInANodeOfTheTreeIsFound(byte: Int) throws {
        try change("tiles", TileKey(level: 1, index: 0).bytes) { $0[byte] ^= 0x01 }
        let node = UInt64(byte / 32)
        #expect(try finding() == .nodeDiffers(level: 1, index: node, sequence: node * 256 + 1))
    }

    @Test(arguments: [0, 255, 256, 599]) func aFlippedBitInALeafHashIsFoundByItsEvent(leaf: Int) throws {
        try change("tiles", TileKey(level: 0, index: UInt64(leaf / 256)).bytes) { $0[leaf % 256 * 32 + 5] ^= 0x80 }
        #expect(try LogVerifier(open()).run().finding == .hashDiffers(sequence: UInt64(leaf) + 1))
    }

    @Test func aShortenedAMissingAndAStrangeTileAreFound() throws {
        try tamper("tiles") { transaction, tiles in
            try transaction.put(TileKey(level: 3, index: 9).bytes, [UInt8](repeating: 0, count: 32), in: tiles)
        }
        #expect(try finding() == .tileDiffers(level: 2, index: 0, sequence: 600))
        try tamper("tiles") { transaction, tiles in try transaction.remove(TileKey(level: 3, index: 9).bytes, from: tiles) }
        #expect(try finding() == nil)
        try tamper("tiles") { transaction, tiles in try transaction.remove(TileKey(level: 0, index: 1).bytes, from: tiles) }
        #expect(try finding() == .tileDiffers(level: 0, index: 1, sequence: 257))
    }

    @Test func everyBitOfAnEntryOfTheStreamIndexCounts() throws {
        let key = stream(3).bytes
        for bit in 0..<128 {
            try change("streams", key) { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
            let found = try finding()
            if case .streamIndexDiffers(let sequence)? = found { #expect((590...600).contains(sequence)) } else { Issue.record("bit \(bit): \(String(describing: found))") }
            try change("streams", key) { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
        }
        #expect(try finding() == nil)
    }

    @Test func aStreamIndexThatLacksAStreamOrNamesAnOldEventIsFound() throws {
        let key = stream(5).bytes
        let (newest, older) = try {
            let log = try open()
            let newest = try #require(try log.history(of: stream(5), before: nil, limit: 1).first)
            return (newest, try #require(try log.event(at: newest.previous)))
        }()
        try change("streams", key) { $0 = StreamHead(version: older.version, last: older.sequence).bytes }
        #expect(try finding() == .streamIndexDiffers(sequence: newest.sequence))
        try tamper("streams") { transaction, streams in try transaction.remove(key, from: streams) }
        #expect(try finding() == .streamIndexDiffers(sequence: newest.sequence))
        try change("streams", stream(1).bytes) { _ in }
        try tamper("streams") { transaction, streams in
            try transaction.put(key, StreamHead(version: newest.version, last: newest.sequence).bytes, in: streams)
            try transaction.put(stream(99).bytes, StreamHead(version: 1, last: 1).bytes, in: streams)
        }
        #expect(try finding() == .strangeStream(stream(99)))
    }

    @Test func everyBitOfTheSequencesOfAnIdempotencyKeyCounts() throws {
        let key = Array("key 100".utf8)
        for bit in 0..<128 {
            try change("commands", key) { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
            let found = try finding()
            if case .commandDiffers? = found {} else { Issue.record("bit \(bit): \(String(describing: found))") }
            try change("commands", key) { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
        }
        #expect(try finding() == nil)
    }

    /// The trees of the tables themselves: an entry that hides another one, one that is taken off its page, and signposts
    /// that lead elsewhere. What is found must be found in every page of every table.
    @Test func anEntryThatASearchOrAWalkMissesIsFound() throws {
        let path = directory.path + "/data.mdb"
        let good = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let whole = try entries()
        func number(_ place: Int) -> Int { Int(good[place]) | Int(good[place + 1]) << 8 }
        var (harmful, kinds) = (0, Set<String>())
        for page in stride(from: 2 * 4_096, to: good.count, by: 4_096) where number(page + 10) & 0x03 != 0 && number(page + 10) & 0x04 == 0 {
            let count = (number(page + 12) - 16) / 2
            guard count > 1, number(page + 12) <= 4_096 else { continue }
            let (pointers, middle) = (page + 16, page + 16 + count / 2 * 2)
            var hiding = good
            hiding.replaceSubrange(middle..<middle + 2, with: good[pointers..<pointers + 2])
            var shorter = good
            shorter.replaceSubrange(page + 12..<page + 14, with: [UInt8((number(page + 12) - 2) & 0xFF), UInt8((number(page + 12) - 2) >> 8)])
            // A node's key begins behind eight bytes; of a branch it says which keys are behind it.
            var misleading = good
            misleading[page + number(middle) + 8] ^= 0x10
            for (kind, bad) in [("hiding", hiding), ("shorter", shorter), ("misleading", misleading)] {
                try Data(bad).write(to: URL(fileURLWithPath: path))
                // Without events there is no table, and no log.
                guard let seen = try? entries(), seen != whole, let log = try? open() else { continue }
                let events = try? LogVerifier(log).run()
                let beside = Result { try IndexVerifier(log).run() }
                let isFound = if case .success(nil) = beside { events?.isIntact != true } else { true }
                #expect(isFound, "\(kind) in page \(page / 4_096)")
                if events?.isIntact == true, case .success(.disordered(_, let what)) = beside {
                    kinds.insert("\(kind) \(what)".prefix { $0 != "(" }.description)
                }
                harmful += 1
            }
        }
        try Data(good).write(to: URL(fileURLWithPath: path))
        #expect(try finding() == nil)
        #expect(harmful > 10)
        #expect(kinds.isSuperset(of: ["hiding misplaced", "shorter miscounted", "misleading misplaced"]), "\(kinds)")
    }

    /// Of all tables: what a walk meets, and what a search for each of these keys finds.
    private func entries() throws -> [[UInt8]] {
        let environment = try Environment(directory: directory.path, sizeMax: 1 << 40, databasesMax: 8, isReadOnly: true)
        let transaction = try environment.beginRead()
        var all: [[UInt8]] = []
        for name in ["events", "streams", "tiles", "commands", "meta"] {
            guard let table = try transaction.database(name) else { throw LMDBError.corrupted }
            var keys: [[UInt8]] = []
            try transaction.withCursor(in: table) { (cursor: inout Cursor) throws(LMDBError) in
                var isThere = try cursor.first()
                while isThere {
                    keys.append(cursor.key)
                    all.append(cursor.value)
                    isThere = try cursor.next()
                }
            }.get()
            for key in keys { all += [key, try transaction.value(of: key, in: table) ?? []] }
        }
        return all
    }

    @Test func anAddedEventAndACutTailAreFound() throws {
        let envelope = try #require(try open().bytes(at: 600))
        try tamper("events") { transaction, events in try transaction.put([UInt8](bigEndian: 601), envelope, in: events) }
        #expect(try LogVerifier(open()).run().finding == .hashDiffers(sequence: 601))
        try tamper("events") { transaction, events in
            for sequence in 590...601 as ClosedRange<UInt64> { try transaction.remove([UInt8](bigEndian: sequence), from: events) }
        }
        // The events alone are in order; the tree is larger than they are.
        #expect(try finding() == .tailMissing(sequence: 590, leaves: 600))
    }
}

extension StreamHead {
    /// The value as the table holds it.
    fileprivate var bytes: [UInt8] { Array(bigEndian: version) + Array(bigEndian: last) }
}
