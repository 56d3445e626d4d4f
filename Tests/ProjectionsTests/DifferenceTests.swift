import Foundation
import LMDB
import Model
import Primitives
import Testing

@testable import Projections

@Suite struct DifferenceTests {
    private let fixture: Fixture
    private let path: String

    init() throws {
        fixture = try Fixture()
        path = fixture.path("copy")
        var history = History(seed: 21)
        try fixture.live(&history, steps: 300)
        try Views.rebuild(into: path, from: fixture.log).close()
    }

    /// Changes a table as no code of the project does.
    private func tamper(_ table: Table, _ change: (inout WriteTransaction, Database) throws -> Void) throws {
        let environment = try Environment(directory: path, sizeMax: 1 << 28, databasesMax: 128, durability: .none)
        var transaction = try environment.beginWrite()
        let database = try transaction.database(table.rawValue)
        try change(&transaction, database)
        try transaction.commit()
        // An opening would see by the file's time that somebody was there; here the comparison has to find it.
        var mark = try #require(ViewsMark.read(directory: path))
        mark.stamp = try ViewsMark.stamp(of: path)
        try mark.write(directory: path)
    }

    private func entry(_ table: Table, _ transaction: borrowing WriteTransaction, _ database: Database) throws -> (
        key: [UInt8], value: [UInt8]
    ) {
        try transaction.withCursor(in: database) { cursor throws(LMDBError) in
            _ = try cursor.last()
            return (key: cursor.key, value: cursor.value)
        }.get()
    }

    private func difference() throws -> ViewsDifference? {
        try Views.difference(fixture.views, Views(directory: path, sizeMax: 1 << 28))
    }

    @Test("a flipped bit is found in every table", arguments: Table.allCases.filter { $0 != .meta })
    func flippedBit(table: Table) throws {
        var expected: ViewsDifference?
        try tamper(table) { transaction, database in
            guard try transaction.count(of: database) > 0 else { return }
            let (key, value) = try entry(table, transaction, database)
            var flipped = value
            if flipped.isEmpty { flipped = [1] } else { flipped[flipped.count - 1] ^= 1 }
            try transaction.put(key, flipped, in: database)
            expected = .entry(table: table, key: key, value, flipped)
        }
        #expect(expected != nil, "the history leaves this table empty")
        #expect(try difference() == expected)
    }

    @Test func aMissingEntryIsFound() throws {
        var expected: ViewsDifference?
        try tamper(.postings) { transaction, database in
            let (key, value) = try entry(.postings, transaction, database)
            try transaction.remove(key, from: database)
            expected = .entry(table: .postings, key: key, value, nil)
        }
        #expect(try difference() == expected)
    }

    @Test func anEntryTooManyIsFoundWhereverItStands() throws {
        try tamper(.cdrs) { transaction, database in try transaction.put([0], [7], in: database) }
        #expect(try difference() == .entry(table: .cdrs, key: [0], nil, [7]))
        #expect(try difference()?.description == "cdrs, key 00: only in the second")
    }

    @Test func tablesOfSeveralPagesAreComparedToTheEnd() throws {
        let key: [UInt8] = [UInt8](repeating: 0xFF, count: 8)
        var random = RandomSource(seed: 1)
        let stream = UUIDv7(at: WallTime(microseconds: 1), random: &random)
        var contact = ContactChanged()
        contact.contact.id = Data(stream.bytes)
        try fixture.record(Array(repeating: (event: .contactChanged(contact), stream: stream), count: 2_500))
        try Views(directory: path, sizeMax: 1 << 28).catchUp(with: fixture.log)
        #expect(try difference() == nil)
        try tamper(.history) { transaction, database in try transaction.put(key, [], in: database) }
        #expect(try difference() == .entry(table: .history, key: key, nil, []))
    }

    @Test func theFirstTableInOrderIsNamed() throws {
        try tamper(.cdrs) { transaction, database in try transaction.put([0], [7], in: database) }
        try tamper(.providers) { transaction, database in try transaction.put([0xFF], [7], in: database) }
        #expect(try difference() == .entry(table: .providers, key: [0xFF], nil, [7]))
    }
}
