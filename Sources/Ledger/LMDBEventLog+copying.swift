import LMDB
import OpenSSL
import Primitives
import Synchronization

/// What a backup takes out of a log, and what a restore puts in.
extension LMDBEventLog {
    /// A compacted copy of everything as of now into an existing empty directory, while the writer goes on.
    package func copy(to directory: String) throws(LedgerError) {
        try storage { () throws(LMDBError) in try environment.copy(to: directory) }
    }

    /// Hands over the idempotency keys whose commits lie within the range, with what is stored under them.
    package func readCommands(
        of sequences: ClosedRange<UInt64>, _ body: (_ key: [UInt8], _ value: [UInt8]) throws(LedgerError) -> Void
    ) throws(LedgerError) {
        let transaction = try storage { () throws(LMDBError) in try environment.beginRead() }
        let result = try storage { () throws(LMDBError) in
            try transaction.withCursor(in: tables.commands) { (cursor: inout Cursor) throws(LedgerError) in
                var isThere = try storage { () throws(LMDBError) in try cursor.first() }
                while isThere {
                    let value = cursor.value
                    if value.count >= 16, sequences.contains(value.bigEndian()) { try body(cursor.key, value) }
                    isThere = try storage { () throws(LMDBError) in try cursor.next() }
                }
            }
        }
        try result.get()
    }

    /// Takes over events of another log byte for byte, so that leaves and tree are the same. Each must be the next one.
    package func adopt(
        _ envelopes: [[UInt8]], commands: [(key: [UInt8], value: [UInt8])] = []
    ) throws(LedgerError) {
        let hasher = MerkleHasher()
        let result: Result<Void, LedgerError> = state.withLock { state in
            do throws(LedgerError) {
                var next = state
                var transaction = try storage { () throws(LMDBError) in try environment.beginWrite() }
                for bytes in envelopes {
                    guard let envelope = unsafe Envelope(parsing: bytes.span.bytes), envelope.sequence == next.head + 1 else {
                        throw .damaged(sequence: next.head + 1)
                    }
                    let before = try storage { () throws(LMDBError) in
                        try StreamHead(of: envelope.stream, transaction, tables.streams)
                    }
                    guard envelope.version == before.version + 1, envelope.previous == before.last else {
                        throw .damaged(sequence: envelope.sequence)
                    }
                    next.head += 1
                    unsafe next.tree.append(leaf: bytes.span.bytes, hasher)
                    let head = StreamHead(version: envelope.version, last: envelope.sequence)
                    try storage { () throws(LMDBError) in
                        try transaction.put([UInt8](bigEndian: envelope.sequence), bytes, in: tables.events, .append)
                        try head.store(for: envelope.stream, &transaction, tables.streams)
                    }
                }
                try storage { () throws(LMDBError) in
                    for command in commands { try transaction.put(command.key, command.value, in: tables.commands) }
                    try next.tree.store(&transaction, tables.tiles)
                }
                do throws(LMDBError) {
                    try transaction.commit()
                } catch {
                    throw LedgerError.storage(error)
                }
                state = next
                durable.withLock { $0 = (next.head, next.time) }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Flushes what was adopted without durability.
    package func sync() throws(LedgerError) {
        try storage { () throws(LMDBError) in try environment.sync() }
    }

    private static let originKey = Array("continues".utf8)

    /// Of which log this one is a continuation, and from which checkpoint on; nil: it is nobody's.
    package func continues() throws(LedgerError) -> String? {
        let stored = try storage { () throws(LMDBError) in
            try environment.beginRead().value(of: Self.originKey, in: tables.meta)
        }
        return stored.map { String(decoding: $0, as: UTF8.self) }
    }

    /// - Parameter body: the first lines of a checkpoint: origin, size, root.
    package func mark(continues body: String) throws(LedgerError) {
        try storage { () throws(LMDBError) in
            var transaction = try environment.beginWrite()
            try transaction.put(Self.originKey, Array(body.utf8), in: tables.meta)
            try transaction.commit()
        }
    }
}
