import LMDB
import OpenSSL
import Primitives
import Synchronization

/// What a backup takes out of a log, and what a restore puts in.
extension LMDBEventLog {
    /// A compacted copy of everything as of now into an existing empty directory, while the writer goes on.
    public func copy(to directory: String) throws(LedgerError) {
        try storage { () throws(LMDBError) in try environment.copy(to: directory) }
    }

    /// Hands over the idempotency keys whose commits lie within the range, with what is stored under them.
    public func readCommands(
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
    public func adopt(
        _ envelopes: [[UInt8]], commands: [(key: [UInt8], value: [UInt8])] = [], releasing released: [[UInt8]] = []
    ) throws(LedgerError) {
        try publish()
        let result: Result<Void, LedgerError> = publisher.withLock { publisher in
            writer.withLock { writer in
                do throws(LedgerError) {
                    var next = publisher.tree
                    var (head, time, leaf) = (writer.head, writer.time, writer.leaf)
                    var transaction = try storage { () throws(LMDBError) in try environment.beginWrite() }
                    for bytes in envelopes {
                        guard let envelope = unsafe EnvelopeHeader(parsing: bytes.span.bytes), envelope.sequence == head + 1 else {
                            throw .damaged(sequence: head + 1)
                        }
                        let streamHead = try storage { () throws(LMDBError) in
                            try StreamHead(after: envelope, transaction, tables.streams)
                        }
                        guard let streamHead else { throw .damaged(sequence: envelope.sequence) }
                        (head, time) = (envelope.sequence, envelope.time)
                        leaf = unsafe hasher.leaf(bytes.span.bytes)
                        unsafe next.append(leaf, hasher)
                        try storage { () throws(LMDBError) in
                            try transaction.put([UInt8](bigEndian: envelope.sequence), bytes, in: tables.events, .append)
                            try streamHead.store(for: envelope.stream, &transaction, tables.streams)
                        }
                    }
                    try storage { () throws(LMDBError) in
                        for command in commands { try transaction.put(command.key, command.value, in: tables.commands) }
                        for key in released { try transaction.remove(key, from: tables.commands) }
                        try next.store(&transaction, tables.tiles)
                    }
                    do throws(LMDBError) {
                        try transaction.commit()
                    } catch {
                        throw LedgerError.storage(error)
                    }
                    publisher.tree = next
                    (writer.head, writer.time, writer.leaf) = (head, time, leaf)
                    progress.withLock { $0 = Progress(head: head, recordedHead: head, recordedTime: time) }
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
        }
        try result.get()
    }

    /// Flushes what was adopted without durability.
    public func sync() throws(LedgerError) {
        try storage { () throws(LMDBError) in try environment.sync() }
    }

    private static let originKey = Array("continues".utf8)

    /// Of which log this one is a continuation, and from which checkpoint on; nil: it is nobody's.
    public func continues() throws(LedgerError) -> String? {
        let stored = try storage { () throws(LMDBError) in
            try environment.beginRead().value(of: Self.originKey, in: tables.meta)
        }
        return stored.map { String(decoding: $0, as: UTF8.self) }
    }

    /// - Parameter body: the first lines of a checkpoint: origin, size, root.
    public func mark(continues body: String) throws(LedgerError) {
        try storage { () throws(LMDBError) in
            var transaction = try environment.beginWrite()
            try transaction.put(Self.originKey, Array(body.utf8), in: tables.meta)
            try transaction.commit()
        }
    }
}
