public import LMDB
import OpenSSL
public import Primitives

/// Checks what stands beside the events of a log and is not looked at by `LogVerifier`: inner nodes of the tree, the
/// index of streams, the table of idempotency keys, and whether a search finds what a walk does. Meant for a log whose
/// events are known to be good.
public struct IndexVerifier: ~Copyable {
    public enum Finding: Hashable, Sendable {
        /// A hash above the leaves is not that of the tile below it; `sequence` is the first event under it.
        case nodeDiffers(level: UInt8, index: UInt64, sequence: UInt64)
        /// A tile is missing, too short, too long, or there although the tree does not reach it.
        case tileDiffers(level: UInt8, index: UInt64, sequence: UInt64)
        /// The tree holds at least as many leaves, but the events end before `sequence`.
        case tailMissing(sequence: UInt64, leaves: UInt64)
        /// The index does not lead to this event, which is the newest of its stream, or names another version.
        case streamIndexDiffers(sequence: UInt64)
        /// The index names a stream that has no such event.
        case strangeStream(UUIDv7)
        /// An idempotency key, or what stands under it, is not as it was written, or leads to events that are not one commit.
        case commandDiffers(sequence: UInt64)
        /// Every entry of that table is good for itself, but one is twice there, not where it is searched for, or not counted.
        case disordered(table: String, Disorder)
    }

    private let log: LMDBEventLog

    public init(_ log: LMDBEventLog) { self.log = log }

    /// nil: intact. Beside a running writer `size` must be a size that the log has had.
    public func run() throws(LedgerError) -> Finding? {
        let transaction = try storage { () throws(LMDBError) in try log.environment.beginRead() }
        let size: UInt64 = try last(transaction)
        if let finding = try tree(size, transaction) { return finding }
        if let finding = try streams(size, transaction) { return finding }
        if let finding = try commands(size, transaction) { return finding }
        return try order(transaction)
    }

    private func order(_ transaction: borrowing ReadTransaction) throws(LedgerError) -> Finding? {
        let tables = log.tables
        for (name, table) in [
            ("events", tables.events), ("streams", tables.streams), ("tiles", tables.tiles), ("commands", tables.commands), ("meta", tables.meta),
        ] {
            let disorder = try storage { () throws(LMDBError) in try transaction.disorder(of: table) }
            if let disorder { return .disordered(table: name, disorder) }
        }
        return nil
    }

    private func last(_ transaction: borrowing ReadTransaction) throws(LedgerError) -> UInt64 {
        try unwrap { () throws(LMDBError) in
            try transaction.withCursor(in: log.tables.events) { (cursor: inout Cursor) throws(LMDBError) in
                try cursor.last() ? cursor.key.bigEndian() : 0
            }
        }
    }

    private func tree(_ size: UInt64, _ transaction: borrowing ReadTransaction) throws(LedgerError) -> Finding? {
        let hasher = MerkleHasher()
        let reader = TileReader(tiles: log.tables.tiles)
        var tiles = 0
        var (level, count, span): (UInt8, UInt64, UInt64) = (0, size, 1)
        while count > 0 {
            for index in 0..<((count + TileKey.width - 1) / TileKey.width) {
                let first = index * TileKey.width
                let width = min(TileKey.width, count - first)
                let differs = Finding.tileDiffers(level: level, index: index, sequence: first * span + 1)
                guard let tile = try? reader.tile(level, index, transaction) else { return differs }
                guard UInt64(tile.count) == width else {
                    // More leaves than events: the newest events were taken out, the first of them is the next one.
                    let isCut = level == 0 && UInt64(tile.count) > width
                    return isCut ? .tailMissing(sequence: size + 1, leaves: first + UInt64(tile.count)) : differs
                }
                tiles += 1
                guard level > 0 else { continue }
                for offset in 0..<width {
                    let below = try reader.tile(level - 1, first + offset, transaction)
                    guard hasher.root(ofRow: below) == tile[Int(offset)] else {
                        return .nodeDiffers(level: level, index: first + offset, sequence: (first + offset) * span + 1)
                    }
                }
            }
            level += 1
            count /= TileKey.width
            span = span.multipliedReportingOverflow(by: TileKey.width).partialValue
        }
        let stored = try storage { () throws(LMDBError) in try transaction.count(of: log.tables.tiles) }
        return stored == tiles ? nil : .tileDiffers(level: level, index: 0, sequence: size)
    }

    /// Each entry leads to an event of its stream with its version. If the versions add up to the number of events, each
    /// is the newest: none can be larger than the truth, and one that were smaller would be missing in the sum.
    private func streams(_ size: UInt64, _ transaction: borrowing ReadTransaction) throws(LedgerError) -> Finding? {
        var sum: UInt64 = 0
        let finding = try unwrapped(transaction, log.tables.streams) { (key, value) throws(LedgerError) -> Finding? in
            guard key.count == 16, value.count == 16, let stream = UUIDv7(bytes: key[...]) else {
                return .strangeStream(UUIDv7(high: 0, low: 0))
            }
            let (version, last) = (value.bigEndian(), value.bigEndian(at: 8))
            guard last <= size, let event = try log.event(at: last), event.stream == stream else {
                return .strangeStream(stream)
            }
            guard event.version == version else { return .streamIndexDiffers(sequence: last) }
            sum += version
            return nil
        }
        if let finding { return try located(finding, size, transaction) }
        return sum == size ? nil : try firstNotIndexed(size, transaction)
    }

    /// A stream whose entry leads astray: its own newest event says where the damage is, if there is one.
    private func located(
        _ finding: Finding, _ size: UInt64, _ transaction: borrowing ReadTransaction
    ) throws(LedgerError) -> Finding {
        try firstNotIndexed(size, transaction) ?? finding
    }

    private func firstNotIndexed(
        _ size: UInt64, _ transaction: borrowing ReadTransaction
    ) throws(LedgerError) -> Finding? {
        var heads: [UUIDv7: StreamHead] = [:]
        try log.read(from: 1) { event throws(LedgerError) in
            heads[event.stream] = StreamHead(version: event.version, last: event.sequence)
            return event.sequence < size
        }
        var first: UInt64?
        for (stream, head) in heads {
            let stored = try storage { () throws(LMDBError) in
                try StreamHead(of: stream, transaction, log.tables.streams)
            }
            if stored.version != head.version || stored.last != head.last { first = min(first ?? head.last, head.last) }
        }
        return first.map { .streamIndexDiffers(sequence: $0) }
    }

    private func commands(_ size: UInt64, _ transaction: borrowing ReadTransaction) throws(LedgerError) -> Finding? {
        // A log of format 1 has no checks to look at until a writer has opened it.
        if log.formatAtOpening < 2 { return nil }
        return try unwrapped(transaction, log.tables.commands) { (key, value) throws(LedgerError) -> Finding? in
            guard let record = CommandRecord(value, key: key) else {
                return .commandDiffers(sequence: value.count >= 8 ? min(value.bigEndian(), size) : 0)
            }
            let (first, last) = (record.first, record.last)
            guard first > 0, last <= size else { return .commandDiffers(sequence: min(first, size)) }
            let commits = (
                try log.event(at: first)?.commit, try log.event(at: last)?.commit,
                last == size ? nil : try log.event(at: last + 1)?.commit
            )
            guard commits.0 == first, commits.1 == first, commits.2 != first else { return .commandDiffers(sequence: first) }
            return nil
        }
    }

    /// Hands over the entries of a table until something is found.
    private func unwrapped(
        _ transaction: borrowing ReadTransaction, _ table: Database,
        _ body: (_ key: [UInt8], _ value: [UInt8]) throws(LedgerError) -> Finding?
    ) throws(LedgerError) -> Finding? {
        let result = try storage { () throws(LMDBError) in
            try transaction.withCursor(in: table) { (cursor: inout Cursor) throws(LedgerError) -> Finding? in
                var isThere = try storage { () throws(LMDBError) in try cursor.first() }
                while isThere {
                    if let finding = try body(cursor.key, cursor.value) { return finding }
                    isThere = try storage { () throws(LMDBError) in try cursor.next() }
                }
                return nil
            }
        }
        return try result.get()
    }
}

extension IndexVerifier.Finding: CustomStringConvertible {
    public var description: String {
        switch self {
        case .nodeDiffers(let level, let index, let sequence):
            "event \(sequence): hash \(index) of level \(level) above it is not that of the tree below (a changed tree node)"
        case .tileDiffers(let level, let index, let sequence):
            "event \(sequence): tile \(level)/\(index) is missing or has another size than the tree"
        case .tailMissing(let sequence, let leaves): "event \(sequence) is missing: the tree holds \(leaves) or more, the log ends before it"
        case .streamIndexDiffers(let sequence): "event \(sequence): the index of streams does not lead to it as the newest of its stream"
        case .strangeStream(let stream): "stream \(stream): the index names an event that it does not have"
        case .commandDiffers(let sequence): "event \(sequence): its idempotency key, or what was answered under it, is not as it was recorded"
        case .disordered("events", .misplaced(let key)) where key.count == 8: "event \(key.bigEndian() as UInt64) is damaged: a search for it does not end there"
        case .disordered(let table, .misplaced(let key)): "table \(table) is damaged: a search for the entry \(hex(key)) does not end there"
        case .disordered(let table, .miscounted(let have, let said)): "table \(table) is damaged: it has \(have) entries and says \(said)"
        }
    }

    public var kind: String {
        switch self {
        case .nodeDiffers: "tree_node"
        case .tileDiffers: "tree_tile"
        case .tailMissing: "missing"
        case .streamIndexDiffers, .strangeStream: "stream_index"
        case .commandDiffers: "idempotency_key"
        case .disordered: "table_order"
        }
    }

    /// The first event that it concerns; nil: none that is there.
    public var sequence: UInt64? {
        switch self {
        case .nodeDiffers(_, _, let sequence), .tileDiffers(_, _, let sequence), .tailMissing(let sequence, _),
            .streamIndexDiffers(let sequence), .commandDiffers(let sequence):
            sequence
        case .disordered("events", .misplaced(let key)) where key.count == 8: key.bigEndian()
        case .strangeStream, .disordered: nil
        }
    }
}
