import LMDB
import Ledger
import Model
import Primitives
import SwiftProtobuf

/// The journal tables of the running views, with everything after one sequence left out.
struct JournalsAsOf: ~Copyable {
    /// Stays open for as long as it is read, even if others are put in its place.
    let store: ViewStore
    let transaction: ReadTransaction
    let databases: TableDatabases
    let log: any EventLog
    let sequence: UInt64
    /// How many call records there were.
    let records: UInt64
    /// Where the state tables are, which the prices are cut off by.
    let states: TableDatabases

    func value(
        _ key: Key, in table: Table, _ bound: JournalBound, _ state: borrowing ReadTransaction
    ) throws(ViewsError) -> [UInt8]? {
        if bound == .streamVersion { return try version(ofStream: key) }
        guard let value = try databases.value(key, in: table, transaction),
            try isSeen(key, value, of: table, bound, state)
        else { return nil }
        return try cut(key, value, of: table, bound)
    }

    func scan(
        _ table: Table, _ bound: JournalBound, from start: Key, _ state: borrowing ReadTransaction,
        _ body: (Key, [UInt8]) throws(ViewsError) -> Bool
    ) throws(ViewsError) {
        var next: Key? = start
        while let from = next {
            next = nil
            try databases.scan(table, from: from, transaction) { key, value throws(ViewsError) in
                if bound == .streamVersion {
                    guard let version = try version(ofStream: key) else { return true }
                    return try body(key, version)
                }
                if try isSeen(key, value, of: table, bound, state) {
                    return try body(key, try cut(key, value, of: table, bound))
                }
                // What follows of the same owner is later still: a long history is not walked through to find nothing.
                next = key.afterAll(sharing: bound)
                return next == nil
            }
        }
    }

    func last(
        in table: Table, _ bound: JournalBound, atOrBefore key: Key, _ state: borrowing ReadTransaction
    ) throws(ViewsError) -> (key: Key, value: [UInt8])? {
        var wanted = key
        while let found = try databases.last(in: table, atOrBefore: wanted, transaction) {
            if bound == .streamVersion {
                if let version = try version(ofStream: found.key) { return (found.key, version) }
            } else if try isSeen(found.key, found.value, of: table, bound, state) {
                return (found.key, try cut(found.key, found.value, of: table, bound))
            }
            if bound == .deckVersion, let end = try importEnd(of: found.key, state), end.bytes.lexicographicallyPrecedes(found.key.bytes) {
                wanted = end
                continue
            }
            guard let before = found.key.lastBefore(bound, sequence: sequence, records: records) else { return nil }
            wanted = before
        }
        return nil
    }

    private func isSeen(
        _ key: Key, _ value: [UInt8], of table: Table, _ bound: JournalBound, _ state: borrowing ReadTransaction
    ) throws(ViewsError) -> Bool {
        switch bound {
        case .recordNumberInKey, .recordRun, .statisticsBlock, .sequenceInKey, .postingRun:
            guard let number = key.number(of: bound) else { throw .unreadable(table: table) }
            return number <= (bound.isOfRecords ? records : sequence)
        case .recordNumberInValue, .sequenceInValue:
            var reader = KeyReader(value)
            guard let number = reader.number64() else { throw .unreadable(table: table) }
            return number <= (bound == .recordNumberInValue ? records : sequence)
        case .deckVersion:
            if key.isOfImport {
                guard let end = try importEnd(of: key, state) else { return false }
                return !end.bytes.lexicographicallyPrecedes(key.bytes)
            }
            return try states.value(Key(Array(key.bytes.prefix(20))), in: .deckVersions, state) != nil
        case .streamVersion: return true
        }
    }

    /// Of a run that was begun before and goes on after.
    private func cut(_ key: Key, _ value: [UInt8], of table: Table, _ bound: JournalBound) throws(ViewsError) -> [UInt8] {
        let seen: [UInt8]?
        switch bound {
        case .recordRun: seen = RecordRun.cut(key, value, through: records)
        case .statisticsBlock: seen = StatisticsBlock.cut(key, value, through: records)
        case .postingRun: seen = PostingRun.cut(key, value, through: sequence)
        case .recordNumberInKey, .recordNumberInValue, .sequenceInKey, .sequenceInValue, .streamVersion, .deckVersion: seen = value
        }
        guard let seen else { throw .unreadable(table: table) }
        return seen
    }

    /// The last row that the import of a row had; nil: it is of no import, or of one that had not begun.
    private func importEnd(of key: Key, _ state: borrowing ReadTransaction) throws(ViewsError) -> Key? {
        guard key.isOfImport, let stored = try states.value(Key(Array(key.bytes.prefix(16))), in: .deckImports, state) else { return nil }
        guard let progress = try? DeckImport(serializedBytes: stored) else { throw .unreadable(table: .deckImports) }
        return Key(Array(key.bytes.prefix(20)) + Array(progress.lastKey.utf8))
    }

    /// What the table held: 8 bytes; nil if the stream had no event. The history leads to the stream's last event, and
    /// the log says which version that made.
    private func version(ofStream stream: Key) throws(ViewsError) -> [UInt8]? {
        guard let id = UUIDv7(bytes: stream.bytes) else { return nil }
        if let version = try versionOfCall(id) { return Key(version).bytes }
        var wanted = stream.adding(sequence)
        while let (key, _) = try databases.last(in: .history, atOrBefore: wanted, transaction), key.hasPrefix(stream) {
            guard let sequence = key.number(of: .sequenceInKey(bytesBehind: 0)) else { throw .unreadable(table: .history) }
            let stored: Envelope?
            do {
                stored = try log.event(at: sequence)
            } catch {
                throw .log(error)
            }
            // Events of other streams concern it too, such as a payment its customer.
            if let stored, stored.stream == id { return Key(stored.version).bytes }
            guard sequence > 0 else { return nil }
            wanted = stream.adding(sequence - 1)
        }
        return nil
    }

    /// What is in a call's own stream has no rows: the log is walked back to the sequence. nil: it is no call, or began later.
    private func versionOfCall(_ id: UUIDv7) throws(ViewsError) -> UInt64? {
        var isCall = try databases.value(Key(id), in: .liveCalls, transaction) != nil
        if !isCall { isCall = try databases.value(Key(id), in: .cdrsByCall, transaction) != nil }
        guard isCall else { return nil }
        return try StoredFact.stream(id, in: log).first { $0.sequence <= sequence }?.version
    }
}

extension Key {
    /// Of a row of prices: versions are counted from 1, so a 0 stands for rows of an import, which come in the order of their keys.
    fileprivate var isOfImport: Bool { bytes.count >= 20 && bytes[16..<20].allSatisfy { $0 == 0 } }

    /// The number that a journal's key is cut off by.
    fileprivate func number(of bound: JournalBound) -> UInt64? {
        guard let behind = bound.bytesBehindNumber, bytes.count >= behind + 8 else { return nil }
        var reader = KeyReader(Array(bytes.dropLast(behind).suffix(8)))
        return reader.number64()
    }

    /// The first key with another owner; nil: owners are not what the key begins with.
    fileprivate func afterAll(sharing bound: JournalBound) -> Key? {
        if bound == .deckVersion { return Key(Array(bytes.prefix(20)) + [0xFF]) }  // prefixes are digits
        guard let behind = bound.bytesBehindNumber, bytes.count >= behind + 8 else { return nil }
        return Key(Array(bytes.dropLast(behind + 8)) + Array(repeating: 0xFF, count: behind + 8)).successor
    }

    /// The greatest key before this one, which is cut off, that may not be; nil: there is none.
    fileprivate func lastBefore(_ bound: JournalBound, sequence: UInt64, records: UInt64) -> Key? {
        if bound == .deckVersion { return Key(Array(bytes.prefix(20))).predecessor }
        guard let behind = bound.bytesBehindNumber, bytes.count >= behind + 8 else { return predecessor }
        var key = Key(Array(bytes.dropLast(behind + 8)))
        key.add(bound.isOfRecords ? records : sequence)
        return Key(key.bytes + Array(repeating: 0xFF, count: behind))
    }

    /// A key before this one with none of a table's keys between them; nil for the empty key.
    private var predecessor: Key? {
        guard let last = bytes.last else { return nil }
        let head = Array(bytes.dropLast())
        return last == 0 ? Key(head) : Key(head + [last - 1] + Array(repeating: 0xFF, count: 16))
    }
}

extension JournalBound {
    /// Cut off by how many records there were, not by the sequence.
    fileprivate var isOfRecords: Bool {
        switch self {
        case .recordNumberInKey, .recordRun, .statisticsBlock, .recordNumberInValue: true
        case .sequenceInKey, .postingRun, .sequenceInValue, .streamVersion, .deckVersion: false
        }
    }

    /// nil: the number is not in the key.
    fileprivate var bytesBehindNumber: Int? {
        switch self {
        case .recordNumberInKey, .recordRun, .statisticsBlock: 0
        case .postingRun: 4
        case .sequenceInKey(let behind): behind
        case .recordNumberInValue, .sequenceInValue, .streamVersion, .deckVersion: nil
        }
    }
}
