package import LMDB
import OpenSSL
package import Primitives
import Synchronization

/// The embedded log: one LMDB environment with the tables `events`, `streams`, `tiles`, `commands` and `meta`.
/// docs/wire/ledger.md gives every key and value to the byte.
///
/// A commit is acknowledged after LMDB has flushed the pages and then the root that refers to them, so an acknowledged
/// event survives kill -9 and power loss, and an unacknowledged one is there whole or not at all.
package final class LMDBEventLog: EventLog {
    package static let format: UInt64 = 2
    package static let eventBytesMax = Commit.eventBytesMax

    let environment: Environment
    let tables: Tables
    let state: Mutex<State>
    /// Head and time as they are on the disk. Behind a lock of its own: `state` is held while the disk is waited for.
    let durable: Mutex<(head: UInt64, time: WallTime)>
    /// Touched inside `state`'s lock alone.
    private nonisolated(unsafe) let hasher = MerkleHasher()
    /// A reader may see a log that no writer of today has opened yet.
    let formatAtOpening: UInt64
    private let isReadOnly: Bool
    private let durability: Environment.Durability
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
        /// The time of the last event. Times never decrease: a clock that was set back does not put a fact before its cause.
        var time: WallTime
        var tree: TileWriter
        /// Up to where the file was extended; see `extendFile`.
        var fileEnd = 0
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
        guard let stored, stored.count == 8 else { throw .storage(.corrupted) }
        formatAtOpening = stored.bigEndian()
        guard formatAtOpening <= Self.format else { throw .newerFormat(have: formatAtOpening, supported: Self.format) }
        // A log that is read keeps no state, so that a damaged one can be opened and looked at; one that is written must not
        // go on from a torn end.
        let head = isReadOnly ? 0 : try Self.head(transaction, tables)
        if !isReadOnly { try Self.checkEnd(head, transaction, tables) }
        if !isReadOnly, formatAtOpening < Self.format {
            try storage { () throws(LMDBError) in try LogUpgrade(tables: tables).run(environment, to: Self.format) }
        }
        let time = try Self.time(of: head, transaction, tables)
        state = Mutex(State(head: head, time: time, tree: try TileWriter(size: head, transaction, tables.tiles)))
        durable = Mutex((head, time))
        self.environment = environment
        self.tables = tables
        self.lock = lock
        self.isReadOnly = isReadOnly
        self.durability = durability
    }

    package var head: UInt64 {
        guard isReadOnly else { return durable.withLock { $0.head } }
        // Another process writes; ask the file. An error shows itself at the read that follows.
        guard let transaction = try? environment.beginRead() else { return 0 }
        return (try? Self.head(transaction, tables)) ?? 0
    }

    package var lastTime: WallTime {
        guard isReadOnly else { return durable.withLock { $0.time } }
        return (try? event(at: head))?.time ?? WallTime(microseconds: 0)
    }

    /// Bytes of the file that are in use.
    package var bytesUsed: Int { environment.bytesUsed }

    static let formatKey = Array("format".utf8)

    private static func tables(_ environment: borrowing Environment) throws(LMDBError) -> Tables {
        // The first transaction makes all tables; a file with a past and without them has lost them.
        if !environment.isNew { return try existingTables(environment) }
        var transaction = try environment.beginWrite()
        let tables = Tables(
            events: try transaction.database("events"), streams: try transaction.database("streams"),
            tiles: try transaction.database("tiles"), commands: try transaction.database("commands"),
            meta: try transaction.database("meta"))
        try transaction.put(formatKey, [UInt8](bigEndian: format), in: tables.meta)
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
                guard try cursor.last() else { return 0 }
                guard cursor.key.count == 8 else { throw .corrupted }
                return cursor.key.bigEndian()
            }
        }
    }

    private static func time(
        of sequence: UInt64, _ transaction: borrowing ReadTransaction, _ tables: Tables
    ) throws(LedgerError) -> WallTime {
        guard sequence > 0 else { return WallTime(microseconds: 0) }
        let stored = try storage { () throws(LMDBError) in
            try transaction.value(of: [UInt8](bigEndian: sequence), in: tables.events)
        }
        guard let stored, let envelope = unsafe Envelope(parsing: stored.span.bytes), envelope.sequence == sequence else {
            throw .damaged(sequence: sequence)
        }
        return envelope.time
    }

    /// That the last tile's events are there, are those whose hashes stand in it, and stand in the index of streams. A disk
    /// that said it had flushed and had not leaves the newest pages torn: then the log is refused, not half shown.
    private static func checkEnd(
        _ head: UInt64, _ transaction: borrowing ReadTransaction, _ tables: Tables
    ) throws(LedgerError) {
        let count = try storage { () throws(LMDBError) in try transaction.count(of: tables.events) }
        guard count == head else { throw .damaged(sequence: head) }
        guard head > 0 else { return }
        let index = (head - 1) / TileKey.width
        let tile = try TileReader(tiles: tables.tiles).tile(0, index, transaction)
        guard UInt64(tile.count) == (head - 1) % TileKey.width + 1 else { throw .treeDamaged(level: 0, index: index) }
        let hasher = MerkleHasher()
        for (offset, hash) in tile.enumerated() {
            let sequence = index * TileKey.width + UInt64(offset) + 1
            let stored = try storage { () throws(LMDBError) in
                try transaction.value(of: [UInt8](bigEndian: sequence), in: tables.events)
            }
            guard let stored, let event = unsafe EnvelopeHeader(parsing: stored.span.bytes), event.sequence == sequence,
                unsafe hasher.leaf(stored.span.bytes) == hash
            else { throw .damaged(sequence: sequence) }
            let newest = try storage { () throws(LMDBError) in
                try StreamHead(of: event.stream, transaction, tables.streams)
            }
            guard newest.last == sequence ? newest.version == event.version : newest.last > sequence && newest.version > event.version
            else { throw .damaged(sequence: sequence) }
        }
    }

    // MARK: Appending

    package func append(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome] {
        // By index and borrowed: a copy of a commit would count six references up and down.
        let all = commits.span
        for index in all.indices { try all[index].validate() }
        let result: Result<[CommitOutcome], LMDBError> = state.withLock { state in
            do throws(LMDBError) {
                if durability == .full { extendFile(&state) }
                // Changed in a copy, taken over after the disk has it: a failed batch leaves nothing.
                var next = state
                var transaction = try environment.beginWrite()
                var outcomes: [CommitOutcome] = []
                outcomes.reserveCapacity(commits.count)
                var buffer: [UInt8] = []
                let all = commits.span
                for index in all.indices {
                    outcomes.append(try record(all[index], &next, &transaction, &buffer))
                }
                guard next.head > state.head else { return .success(outcomes) }
                try next.tree.store(&transaction, tables.tiles)
                try transaction.commit()
                state = next
                durable.withLock { $0 = (next.head, next.time) }
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

    /// The file doubles ahead of its use, by at most 64 MiB at a time: a pause of a tenth of a second for some 180,000 events.
    private func extendFile(_ state: inout State) {
        let used = environment.bytesUsed
        let step = min(max(used, 1 << 20), 64 << 20)
        guard used + step / 8 > state.fileEnd else { return }
        // Where that fails the next attempt is made when LMDB has grown the file by itself.
        state.fileEnd = max(environment.extendFile(by: step), used + step / 4)
    }

    /// Everything is looked at before anything is written, so a refused commit has left nothing.
    private func record(
        _ commit: Commit, _ state: inout State, _ transaction: inout WriteTransaction, _ buffer: inout [UInt8]
    ) throws(LMDBError) -> CommitOutcome {
        if let key = commit.idempotencyKey, let stored = try transaction.value(of: key, in: tables.commands) {
            guard let record = CommandRecord(stored, key: key) else { throw .corrupted }
            return .repeated(record.first...record.last, outcome: Array(record.outcome))
        }
        // Most commits expect and change one stream: it is looked up once.
        var known: (stream: UUIDv7, head: StreamHead)?
        for expectation in commit.expectations {
            let head = try StreamHead(of: expectation.stream, transaction, tables.streams)
            guard head.version == expectation.version else {
                return .conflict(stream: expectation.stream, expected: expectation.version, actual: head.version)
            }
            known = (expectation.stream, head)
        }
        let first = state.head + 1
        state.time = max(state.time, commit.time)
        let events = commit.events.span
        for index in events.indices {
            let stream = events[index].stream
            let before: StreamHead
            if let known, known.stream == stream {
                before = known.head
            } else {
                before = try StreamHead(of: stream, transaction, tables.streams)
            }
            state.head += 1
            let after = StreamHead(version: before.version + 1, last: state.head)
            let count = Self.write(
                events[index], of: commit, into: &buffer, sequence: state.head, version: after.version,
                previous: before.last, first: first, time: state.time)
            let bytes = unsafe buffer.span.bytes.extracting(0..<count)
            let key: InlineArray<1, UInt64> = [state.head.bigEndian]
            try transaction.put(unsafe key.span.bytes, bytes, in: tables.events, .append)
            unsafe state.tree.append(leaf: bytes, hasher)
            try after.store(for: stream, &transaction, tables.streams)
            known = (stream, after)
        }
        if let key = commit.idempotencyKey {
            let record = CommandRecord(first: first, last: state.head, outcome: commit.outcome)
            try transaction.put(key, record.bytes(key: key), in: tables.commands, .insert)
        }
        for key in commit.releases { try transaction.remove(key, from: tables.commands) }
        return .appended(first...state.head)
    }

    /// The envelope's bytes, at the start of the buffer.
    private static func write(
        _ event: borrowing NewEvent, of commit: borrowing Commit, into buffer: inout [UInt8], sequence: UInt64,
        version: UInt64, previous: UInt64, first: UInt64, time: WallTime
    ) -> Int {
        let room = Envelope.byteCountMax(
            actor: commit.actor, cause: commit.cause, type: event.type, payload: event.payload, origin: commit.origin)
        if buffer.count < room { buffer = [UInt8](repeating: 0, count: room) }
        var span = buffer.mutableSpan
        return unsafe span.withUnsafeMutableBytes { memory in
            var writer = unsafe ByteWriter(memory)
            Envelope.write(
                to: &writer, sequence: sequence, stream: event.stream, version: version, previous: previous, commit: first,
                time: time, actor: commit.actor, cause: commit.cause, type: event.type,
                schemaVersion: event.schemaVersion, payload: event.payload, origin: commit.origin)
            return writer.count
        }
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
        let key: InlineArray<2, UInt64> = [stream.high.bigEndian, stream.low.bigEndian]
        let stored = try transaction.sixteenBytes(of: unsafe key.span.bytes, in: table)
        self.init(version: stored?[0].bigEndian ?? 0, last: stored?[1].bigEndian ?? 0)
    }

    func store(for stream: UUIDv7, _ transaction: inout WriteTransaction, _ table: Database) throws(LMDBError) {
        let key: InlineArray<2, UInt64> = [stream.high.bigEndian, stream.low.bigEndian]
        let value: InlineArray<2, UInt64> = [version.bigEndian, last.bigEndian]
        try transaction.put(unsafe key.span.bytes, unsafe value.span.bytes, in: table)
    }
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
