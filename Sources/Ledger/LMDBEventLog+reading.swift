public import OpenSSL
public import Primitives
import LMDB
import Synchronization

extension LMDBEventLog {
    public func read(from sequence: UInt64, _ body: (Envelope) throws(LedgerError) -> Bool) throws(LedgerError) {
        try readBytes(from: sequence) { (sequence, bytes) throws(LedgerError) in
            guard let envelope = Envelope(parsing: bytes), envelope.sequence == sequence else {
                throw .damaged(sequence: sequence)
            }
            return try body(envelope)
        }
    }

    public func readBytes(
        from sequence: UInt64, _ body: (_ sequence: UInt64, _ envelope: RawSpan) throws(LedgerError) -> Bool
    ) throws(LedgerError) {
        let transaction = try storage { () throws(LMDBError) in try environment.beginRead() }
        try readBytes(from: sequence, in: transaction, body)
    }

    func readBytes(
        from sequence: UInt64, in transaction: borrowing ReadTransaction,
        _ body: (_ sequence: UInt64, _ envelope: RawSpan) throws(LedgerError) -> Bool
    ) throws(LedgerError) {
        var failure: LedgerError?
        try unwrap { () throws(LMDBError) in
            try transaction.withCursor(in: tables.events) { (cursor: inout Cursor) throws(LMDBError) in
                try cursor.walk(from: [UInt8](bigEndian: max(1, sequence))) { key, value in
                    do throws(LedgerError) {
                        guard key.byteCount == 8 else { throw .damaged(sequence: sequence) }
                        return try body(key.bigEndian(at: 0), value)
                    } catch {
                        failure = error
                        return false
                    }
                }
            }
        }
        if let failure { throw failure }
    }

    public func event(at sequence: UInt64) throws(LedgerError) -> Envelope? {
        guard let bytes = try bytes(at: sequence) else { return nil }
        guard let envelope = unsafe Envelope(parsing: bytes.span.bytes), envelope.sequence == sequence else {
            throw .damaged(sequence: sequence)
        }
        return envelope
    }

    public func bytes(at sequence: UInt64) throws(LedgerError) -> [UInt8]? {
        try storage { () throws(LMDBError) in
            try environment.beginRead().value(of: [UInt8](bigEndian: sequence), in: tables.events)
        }
    }

    public func version(of stream: UUIDv7) throws(LedgerError) -> UInt64 {
        try storage { () throws(LMDBError) in
            let transaction = try environment.beginRead()
            return try StreamHead(of: stream, transaction, tables.streams).version
        }
    }

    public func history(of stream: UUIDv7, before: UInt64?, limit: Int) throws(LedgerError) -> [Envelope] {
        var next: UInt64
        if let before {
            guard let envelope = try event(at: before), envelope.stream == stream else { return [] }
            next = envelope.previous
        } else {
            next = try storage { () throws(LMDBError) in
                let transaction = try environment.beginRead()
                return try StreamHead(of: stream, transaction, tables.streams).last
            }
        }
        var events: [Envelope] = []
        while next > 0, events.count < limit {
            guard let envelope = try event(at: next), envelope.stream == stream, envelope.previous < next else {
                throw .damaged(sequence: next)
            }
            events.append(envelope)
            next = envelope.previous
        }
        return events
    }

    public func outcome(forKey key: [UInt8]) throws(LedgerError) -> (sequences: ClosedRange<UInt64>, outcome: [UInt8])? {
        // Before the tables: what is published leaves these answers after the tables have it.
        let stored: [UInt8]?
        switch answers.withLock({ $0[key] }) {
        case .stored(let bytes): stored = bytes
        case .released: stored = nil
        case nil: stored = try storage { () throws(LMDBError) in try environment.beginRead().value(of: key, in: tables.commands) }
        }
        guard let stored else { return nil }
        guard let record = CommandRecord(stored, key: key) else { throw .storage(.corrupted) }
        return (record.first...record.last, Array(record.outcome))
    }

    // MARK: The tree

    public func rootHash(size: UInt64) throws(LedgerError) -> SHA256Digest {
        try withTree(size: size) { (hasher, subtree) throws(LedgerError) in
            try MerkleProofs.root(size: size, hasher, subtree)
        }
    }

    public func inclusionProof(of sequence: UInt64, size: UInt64) throws(LedgerError) -> [SHA256Digest] {
        guard sequence > 0, sequence <= size else { throw .outOfRange(asked: sequence, size: size) }
        return try withTree(size: size) { (hasher, subtree) throws(LedgerError) in
            try MerkleProofs.inclusion(index: sequence - 1, size: size, hasher, subtree)
        }
    }

    public func inclusionProof(of sequences: [UInt64], size: UInt64) throws(LedgerError) -> [SHA256Digest] {
        for sequence in sequences where sequence == 0 || sequence > size { throw .outOfRange(asked: sequence, size: size) }
        return try withTree(size: size) { (hasher, subtree) throws(LedgerError) in
            try BatchProof.hashes(of: sequences.map { $0 - 1 }, size: size, hasher, subtree)
        }
    }

    public func consistencyProof(from old: UInt64, to new: UInt64) throws(LedgerError) -> [SHA256Digest] {
        guard old <= new else { throw .outOfRange(asked: old, size: new) }
        return try withTree(size: new) { (hasher, subtree) throws(LedgerError) in
            try MerkleProofs.consistency(from: old, to: new, hasher, subtree)
        }
    }

    /// The tile with that number on that level: up to 256 hashes. For publishing (C2SP tlog-tiles) and for the verifier.
    public func tile(level: UInt8, index: UInt64) throws(LedgerError) -> [UInt8]? {
        try storage { () throws(LMDBError) in
            try environment.beginRead().value(of: TileKey(level: level, index: index).bytes, in: tables.tiles)
        }
    }

    private func withTree<R>(
        size: UInt64,
        _ body: (borrowing MerkleHasher, MerkleProofs.Subtree<LedgerError>) throws(LedgerError) -> R
    ) throws(LedgerError) -> R {
        let head = head
        guard size <= head else { throw .outOfRange(asked: size, size: head) }
        let transaction = try storage { () throws(LMDBError) in try environment.beginRead() }
        let reader = TileReader(tiles: tables.tiles)
        let hasher = MerkleHasher()
        return try body(hasher) { (level, index) throws(LedgerError) in
            try reader.subtree(level, index, transaction, hasher)
        }
    }
}
