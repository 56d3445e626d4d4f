public import LMDB
import OpenSSL
public import Primitives
import Synchronization

/// The embedded log: one LMDB environment with the tables `events`, `streams`, `tiles`, `commands` and `meta`.
/// docs/wire/ledger.md gives every key and value to the byte.
///
/// A commit is acknowledged after the journal beside the tables was flushed with it, or after LMDB has flushed the pages and then the
/// root that refers to them. So an acknowledged event survives kill -9 and power loss, and an unacknowledged one is there whole or
/// not at all. Readers see what is in the tables.
public final class LMDBEventLog: EventLog {
    public static let format: UInt64 = 2
    public static let eventBytesMax = Commit.eventBytesMax

    let environment: Environment
    let tables: Tables
    let publisher: Mutex<Publisher>
    let writer: Mutex<Writer>
    /// Behind locks of their own: the writer's is held while the disk is waited for.
    let progress: Mutex<Progress>
    let answers = Mutex(UnpublishedAnswers())
    /// Touched inside the writer's lock alone.
    nonisolated(unsafe) let hasher = MerkleHasher()
    nonisolated(unsafe) let sha256 = SHA256Hasher()
    /// Touched inside the publisher's lock alone.
    nonisolated(unsafe) let publishingHasher = MerkleHasher()
    /// A reader may see a log that no writer of today has opened yet.
    let formatAtOpening: UInt64
    /// Of a stopped log that is read.
    public let leftInJournal: LeftInJournal
    private let isReadOnly: Bool
    let durability: Environment.Durability
    /// Held while the log is open for writing.
    private let lock: WriterLock?

    struct Tables: Sendable {
        let events: Database
        let streams: Database
        let tiles: Database
        let commands: Database
        let meta: Database
    }

    /// - Parameters:
    ///   - sizeMax: limit of the file; address space alone is reserved for it.
    ///   - isReadOnly: beside a running writer, or of a copy.
    public init(
        directory: String, sizeMax: Int = 1 << 40, durability: Environment.Durability = .full, isReadOnly: Bool = false
    ) throws(LedgerError) {
        let left = isReadOnly ? Self.finishJournal(of: directory, sizeMax: sizeMax) : .nothing
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
        guard formatAtOpening > 0 else { throw .storage(.corrupted) }
        leftInJournal = left
        guard formatAtOpening <= Self.format else { throw .newerFormat(have: formatAtOpening, supported: Self.format) }
        // A log that is read keeps no state, so that a damaged one can be opened and looked at; one that is written must not
        // go on from a torn end.
        let head = isReadOnly ? 0 : try Self.head(transaction, tables)
        if !isReadOnly { try Self.checkEnd(head, transaction, tables) }
        if !isReadOnly, formatAtOpening < Self.format {
            try storage { () throws(LMDBError) in try LogUpgrade(tables: tables).run(environment, to: Self.format) }
        }
        let (time, leaf) = try Self.last(head, transaction, tables)
        publisher = Mutex(Publisher(tree: try TileWriter(size: head, transaction, tables.tiles)))
        writer = Mutex(
            Writer(head: head, time: time, leaf: leaf, journal: Journal(directory: directory, flushes: durability == .full)))
        progress = Mutex(Progress(head: head, recordedHead: head, recordedTime: time))
        self.environment = environment
        self.tables = tables
        self.lock = lock
        self.isReadOnly = isReadOnly
        self.durability = durability
        if !isReadOnly { try takeInJournal(of: directory, after: head, leaf) }
    }

    public var head: UInt64 {
        guard isReadOnly else { return progress.withLock { $0.head } }
        // Another process writes; ask the file. An error shows itself at the read that follows.
        guard let transaction = try? environment.beginRead() else { return 0 }
        return (try? Self.head(transaction, tables)) ?? 0
    }

    public var recorded: (head: UInt64, time: WallTime) {
        guard isReadOnly else { return progress.withLock { ($0.recordedHead, $0.recordedTime) } }
        let head = head
        return (head, (try? event(at: head))?.time ?? WallTime(microseconds: 0))
    }

    /// Bytes of the file that are in use.
    public var bytesUsed: Int { environment.bytesUsed }

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

    static func existingTables(_ environment: borrowing Environment) throws(LMDBError) -> Tables {
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

    static func head(_ transaction: borrowing ReadTransaction, _ tables: Tables) throws(LedgerError) -> UInt64 {
        try unwrap {
            () throws(LMDBError) in
            try transaction.withCursor(in: tables.events) { (cursor: inout Cursor) throws(LMDBError) in
                guard try cursor.last() else { return 0 }
                guard cursor.key.count == 8 else { throw .corrupted }
                return cursor.key.bigEndian()
            }
        }
    }

    /// Of the last event: its time, its leaf.
    static func last(
        _ head: UInt64, _ transaction: borrowing ReadTransaction, _ tables: Tables
    ) throws(LedgerError) -> (WallTime, SHA256Digest) {
        guard head > 0 else { return (WallTime(microseconds: 0), .zero) }
        let stored = try storage { () throws(LMDBError) in
            try transaction.value(of: [UInt8](bigEndian: head), in: tables.events)
        }
        guard let stored, let header = unsafe EnvelopeHeader(parsing: stored.span.bytes), header.sequence == head else {
            throw .damaged(sequence: head)
        }
        return (header.time, unsafe MerkleHasher().leaf(stored.span.bytes))
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
}

/// The newest version of a stream, and where it is: the only thing that is indexed of a stream.
struct StreamHead {
    var version: UInt64
    var last: UInt64

    init(version: UInt64, last: UInt64) {
        self.version = version
        self.last = last
    }

    /// With one event more; nil: it is not the stream's next one.
    init?(
        after event: EnvelopeHeader, _ transaction: borrowing some Transaction & ~Copyable, _ table: Database
    ) throws(LMDBError) {
        let before = try StreamHead(of: event.stream, transaction, table)
        guard event.version == before.version + 1, event.previous == before.last else { return nil }
        self.init(version: event.version, last: event.sequence)
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
