package import LMDB
import OpenSSL
import Primitives
import Synchronization

/// The embedded log: one LMDB environment with the tables `events`, `streams`, `tiles`, `commands` and `meta`.
/// docs/wire/ledger.md gives every key and value to the byte.
///
/// A commit is acknowledged after LMDB has flushed the pages and then the root that refers to them, so an acknowledged
/// event survives kill -9 and power loss, and an unacknowledged one is there whole or not at all.
package final class LMDBEventLog: EventLog {
    package static let format: UInt64 = 1
    package static let eventBytesMax = 16 << 20

    let environment: Environment
    let tables: Tables
    private let state: Mutex<State>
    /// Touched inside `state`'s lock alone.
    private nonisolated(unsafe) let hasher = MerkleHasher()
    private let isReadOnly: Bool
    /// Held while the log is open for writing.
    private let lock: WriterLock?

    struct Tables: Sendable {
        let events: Database
        let streams: Database
        let tiles: Database
        let commands: Database
        let meta: Database
    }

    /// What the writer needs to go on without reading; always equal to what is stored.
    struct State: Sendable {
        var head: UInt64
        var tree: TileWriter
    }

    /// - Parameters:
    ///   - sizeMax: limit of the file; address space alone is reserved for it.
    ///   - isReadOnly: beside a running writer, or of a copy.
    package init(
        directory: String, sizeMax: Int = 1 << 40, durability: Environment.Durability = .full, isReadOnly: Bool = false
    ) throws(LedgerError) {
        let lock = isReadOnly ? nil : try WriterLock(directory: directory)
        let environment = try storage { () throws(LMDBError) in
            try Environment(
                directory: directory, sizeMax: sizeMax, databasesMax: 8, durability: durability, isReadOnly: isReadOnly)
        }
        let tables = try storage { () throws(LMDBError) in
            try isReadOnly ? Self.existingTables(environment) : Self.tables(environment)
        }
        let transaction = try storage { () throws(LMDBError) in try environment.beginRead() }
        let stored = try storage { () throws(LMDBError) in try transaction.value(of: Self.formatKey, in: tables.meta) }
        guard let have = stored?.bigEndian() else { throw .storage(.corrupted) }
        guard have <= Self.format else { throw .newerFormat(have: have, supported: Self.format) }
        let head = try Self.head(transaction, tables)
        state = Mutex(State(head: head, tree: try TileWriter(size: head, transaction, tables.tiles)))
        self.environment = environment
        self.tables = tables
        self.lock = lock
        self.isReadOnly = isReadOnly
    }

    package var head: UInt64 {
        guard isReadOnly else { return state.withLock { $0.head } }
        // Another process writes; ask the file. An error shows itself at the read that follows.
        guard let transaction = try? environment.beginRead() else { return 0 }
        return (try? Self.head(transaction, tables)) ?? 0
    }

    /// Bytes of the file that are in use.
    package var bytesUsed: Int { environment.bytesUsed }

    private static let formatKey = Array("format".utf8)

    private static func tables(_ environment: borrowing Environment) throws(LMDBError) -> Tables {
        var transaction = try environment.beginWrite()
        let tables = Tables(
            events: try transaction.database("events"), streams: try transaction.database("streams"),
            tiles: try transaction.database("tiles"), commands: try transaction.database("commands"),
            meta: try transaction.database("meta"))
        if try !transaction.contains(formatKey, in: tables.meta) {
            try transaction.put(formatKey, [UInt8](bigEndian: format), in: tables.meta)
        }
        try transaction.commit()
        return tables
    }

    private static func existingTables(_ environment: borrowing Environment) throws(LMDBError) -> Tables {
        let transaction = try environment.beginRead()
        let tables = Tables(
            events: try existing("events", transaction), streams: try existing("streams", transaction),
            tiles: try existing("tiles", transaction), commands: try existing("commands", transaction),
            meta: try existing("meta", transaction))
        try transaction.commit()
        return tables
    }

    private static func existing(_ name: String, _ transaction: borrowing ReadTransaction) throws(LMDBError) -> Database {
        guard let database = try transaction.database(name) else { throw .corrupted }
        return database
    }

    private static func head(_ transaction: borrowing ReadTransaction, _ tables: Tables) throws(LedgerError) -> UInt64 {
        try unwrap {
            () throws(LMDBError) in
            try transaction.withCursor(in: tables.events) { (cursor: inout Cursor) throws(LMDBError) in
                try cursor.last() ? cursor.key.bigEndian() : 0
            }
        }
    }

    // MARK: Appending

    package func append(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome] {
        for commit in commits {
            guard !commit.events.isEmpty else { throw .emptyCommit }
            for event in commit.events where event.payload.count > Self.eventBytesMax {
                throw .eventTooLarge(have: event.payload.count, limit: Self.eventBytesMax)
            }
        }
        let result: Result<[CommitOutcome], LMDBError> = state.withLock { state in
            do throws(LMDBError) {
                // Changed in a copy, taken over after the disk has it: a failed batch leaves nothing.
                var next = state
                var transaction = try environment.beginWrite()
                var outcomes: [CommitOutcome] = []
                outcomes.reserveCapacity(commits.count)
                var buffer: [UInt8] = []
                for commit in commits {
                    outcomes.append(try record(commit, &next, &transaction, &buffer))
                }
                guard next.head > state.head else { return .success(outcomes) }
                try next.tree.store(&transaction, tables.tiles)
                try transaction.commit()
                state = next
                return .success(outcomes)
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let outcomes): return outcomes
        case .failure(let error): throw .storage(error)
        }
    }

    /// Everything is looked at before anything is written, so a refused commit has left nothing.
    private func record(
        _ commit: Commit, _ state: inout State, _ transaction: inout WriteTransaction, _ buffer: inout [UInt8]
    ) throws(LMDBError) -> CommitOutcome {
        if let key = commit.idempotencyKey, let stored = try transaction.value(of: key, in: tables.commands) {
            return .repeated(stored.bigEndian()...stored.bigEndian(at: 8), outcome: Array(stored[16...]))
        }
        for expectation in commit.expectations {
            let actual = try StreamHead(of: expectation.stream, transaction, tables.streams).version
            guard actual == expectation.version else {
                return .conflict(stream: expectation.stream, expected: expectation.version, actual: actual)
            }
        }
        let first = state.head + 1
        for event in commit.events {
            var stream = try StreamHead(of: event.stream, transaction, tables.streams)
            state.head += 1
            let envelope = Envelope(
                sequence: state.head, stream: event.stream, version: stream.version + 1, previous: stream.last, commit: first,
                time: commit.time, actor: commit.actor, cause: commit.cause, type: event.type,
                schemaVersion: event.schemaVersion, payload: event.payload)
            buffer.removeAll(keepingCapacity: true)
            envelope.write(to: &buffer)
            try transaction.put([UInt8](bigEndian: state.head), buffer, in: tables.events, .append)
            unsafe state.tree.append(leaf: buffer, hasher)
            stream = StreamHead(version: envelope.version, last: state.head)
            try transaction.put(event.stream.bytes, stream.bytes, in: tables.streams)
        }
        if let key = commit.idempotencyKey {
            let value = [UInt8](bigEndian: first) + [UInt8](bigEndian: state.head) + commit.outcome
            try transaction.put(key, value, in: tables.commands, .insert)
        }
        return .appended(first...state.head)
    }
}

/// The newest version of a stream, and where it is: the only thing that is indexed of a stream.
struct StreamHead {
    var version: UInt64
    var last: UInt64

    init(version: UInt64, last: UInt64) {
        self.version = version
        self.last = last
    }

    init(of stream: UUIDv7, _ transaction: borrowing some Transaction & ~Copyable, _ table: Database) throws(LMDBError) {
        guard let stored = try transaction.value(of: stream.bytes, in: table) else {
            self.init(version: 0, last: 0)
            return
        }
        self.init(version: stored.bigEndian(), last: stored.bigEndian(at: 8))
    }

    var bytes: [UInt8] { [UInt8](bigEndian: version) + [UInt8](bigEndian: last) }
}

func storage<R: ~Copyable>(_ body: () throws(LMDBError) -> R) throws(LedgerError) -> R {
    do throws(LMDBError) {
        return try body()
    } catch {
        throw .storage(error)
    }
}

/// For bodies inside a cursor that can fail in both ways.
func unwrap<R>(_ body: () throws(LMDBError) -> Result<R, LMDBError>) throws(LedgerError) -> R {
    try storage { () throws(LMDBError) in try body().get() }
}
