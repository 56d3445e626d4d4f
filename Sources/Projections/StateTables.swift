import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Subjects

/// The state tables in an environment of their own, and how they come to hold a sequence.
///
/// Journal tables are there and stay empty, so that the same projections and the same queries work on them.
struct StateTables: ~Copyable, Sendable {
    let environment: Environment
    let databases: TableDatabases

    /// How far the tables are.
    struct Position: Equatable, Sendable {
        var sequence: UInt64
        /// How many call records there are up to there: what the journal of call records is cut off by.
        var records: UInt64
    }

    /// - Parameter directory: made if it is not there; may hold the tables of an earlier time.
    init(directory: String) throws(ViewsError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .file(path: directory, code: (error as NSError).code32)
        }
        let environment = try storage { () throws(LMDBError) in
            try Environment(directory: directory, sizeMax: 1 << 36, databasesMax: Table.allCases.count, durability: .none)
        }
        databases = try storage { () throws(LMDBError) in
            var transaction = try environment.beginWrite()
            let databases = try TableDatabases(&transaction)
            try transaction.commit()
            return databases
        }
        self.environment = environment
    }

    borrowing func position() throws(ViewsError) -> Position {
        let transaction = try storage { () throws(LMDBError) in try environment.beginRead() }
        return try position(transaction)
    }

    /// Runs the projections of the state tables over the log's events up to `last`.
    borrowing func catchUp(
        with log: some EventLog, keys: SubjectKeys?, through last: UInt64, progress: ((_ applied: UInt64, _ end: UInt64) -> Void)? = nil
    ) throws(ViewsError) {
        let buffers = ViewBuffers()
        var applied = try position().sequence
        while applied < last {
            let transaction = try storage { () throws(LMDBError) in try environment.beginWrite() }
            let before = try position(transaction)
            var views = ViewTransaction(
                transaction: transaction, databases: databases, buffers: buffers, applied: before.sequence,
                keys: keys, isStateAlone: true)
            let records = try views.takeInStates(log, through: last, records: before.records)
            guard views.applied > applied else { throw .outOfOrder(expected: applied + 1, actual: 0) }
            try views.put(Key(records).bytes, Key.records, in: .meta)
            applied = views.applied
            try views.commit()
            progress?(applied, last)
        }
    }

    /// Copies what the running views hold at this moment, into tables that are empty.
    borrowing func copy(from live: Views) throws(ViewsError) {
        try live.read { source throws(ViewsError) in
            let transaction = try storage { () throws(LMDBError) in try environment.beginWrite() }
            var views = ViewTransaction(
                transaction: transaction, databases: databases, buffers: ViewBuffers(), applied: 0, keys: live.keys,
                isStateAlone: true)
            for table in Table.stateTables {
                try source.scan(table, from: Key()) { key, value throws(ViewsError) in
                    try views.append(value, key, in: table)
                    return true
                }
            }
            views.last = try source.lastApplied()
            try views.put(Key(try source.nextCDRNumber() - 1).bytes, Key.records, in: .meta)
            try views.commit()
        }
    }

    private borrowing func position(
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(ViewsError) -> Position {
        let sequence = try databases.applied(transaction)
        guard let bytes = try databases.value(.records, in: .meta, transaction) else {
            return Position(sequence: sequence, records: 0)
        }
        var reader = KeyReader(bytes)
        guard let records = reader.number64() else { throw .unreadable(table: .meta) }
        return Position(sequence: sequence, records: records)
    }
}

extension ViewTransaction {
    /// As many events per transaction, and as much memory, as in a rebuild of all views.
    private static let eventsMax: UInt64 = 1 << 16
    private static let bytesMax = 64 << 20

    /// - Parameter records: how many call records there were so far.
    /// - Returns: how many there are then.
    fileprivate mutating func takeInStates(
        _ log: some EventLog, through last: UInt64, records: UInt64
    ) throws(ViewsError) -> UInt64 {
        var records = records
        var failure: ViewsError?
        let end = min(last, applied + Self.eventsMax)
        isTakingIn = true
        do {
            try log.readBytes(from: applied + 1) { (sequence, bytes) throws(LedgerError) in
                do throws(ViewsError) {
                    if try isRecord(sequence, bytes) {
                        records += 1
                    } else {
                        guard let header = EnvelopeHeader(parsing: bytes), header.sequence == sequence else {
                            throw .log(.damaged(sequence: sequence))
                        }
                        try replay(header, bytes)
                    }
                } catch {
                    failure = error
                    return false
                }
                return sequence < end && (sequence & 0xFF != 0 || buffers.byteCount < Self.bytesMax)
            }
        } catch {
            throw .log(error)
        }
        if let failure { throw failure }
        try settle()
        return records
    }

    /// Passes over the record of a call, its largest event, but for what was charged: no other state is changed by it.
    private mutating func isRecord(_ sequence: UInt64, _ bytes: RawSpan) throws(ViewsError) -> Bool {
        guard let header = EnvelopeHeader(parsing: bytes), header.sequence == sequence else {
            throw .log(.damaged(sequence: sequence))
        }
        guard CallFact(storedType: bytes.extracting(header.type)) == .cdrRecorded else { return false }
        guard sequence == applied + 1 else { throw .outOfOrder(expected: applied + 1, actual: sequence) }
        let context = EventContext(
            sequence: sequence, stream: header.stream, version: header.version, time: header.time)
        _ = try SpendProjection.evolve(.cdrRecorded, bytes.extracting(header.payload), context, in: &self)
        _ = try AllowancesProjection.evolve(.cdrRecorded, bytes.extracting(header.payload), context, in: &self)
        // Numbers of parties; the rows are of a journal, and go nowhere.
        _ = try StatisticsProjection.evolve(.cdrRecorded, bytes.extracting(header.payload), context, in: &self)
        last = context
        applied = sequence
        return true
    }

    /// After every key that the table has.
    fileprivate mutating func append(_ value: [UInt8], _ key: Key, in table: Table) throws(ViewsError) {
        do {
            try transaction.put(key.bytes, value, in: databases[table], .append)
        } catch {
            throw .storage(error)
        }
    }
}

extension Key {
    fileprivate static var records: Key { Key(text: "records") }
}
