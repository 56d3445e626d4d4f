import LMDB

/// Makes a log of an older format one of today's, in one transaction, before anything is appended. Events are not touched.
struct LogUpgrade {
    private static let stepMax = 10_000

    let tables: LMDBEventLog.Tables

    /// Format 1 had no check beside what stands under an idempotency key; its programs do not know what later events leave out.
    func run(_ environment: borrowing Environment, to format: UInt64) throws(LMDBError) {
        var transaction = try environment.beginWrite()
        var start: [UInt8] = []
        while true {
            let entries = try page(from: start, transaction)
            for (key, value) in entries {
                guard value.count >= 16 else { throw .corrupted }
                let record = CommandRecord(first: value.bigEndian(), last: value.bigEndian(at: 8), outcome: Array(value[16...]))
                try transaction.put(key, record.bytes(key: key), in: tables.commands)
            }
            guard entries.count == Self.stepMax, let last = entries.last else { break }
            start = last.key + [0]
        }
        try transaction.put(LMDBEventLog.formatKey, [UInt8](bigEndian: format), in: tables.meta)
        try transaction.commit()
    }

    private func page(
        from start: [UInt8], _ transaction: borrowing WriteTransaction
    ) throws(LMDBError) -> [(key: [UInt8], value: [UInt8])] {
        try transaction.withCursor(in: tables.commands) { (cursor: inout Cursor) throws(LMDBError) in
            var entries: [(key: [UInt8], value: [UInt8])] = []
            var isThere = start.isEmpty ? try cursor.first() : try cursor.seek(start)
            while isThere, entries.count < Self.stepMax {
                entries.append((cursor.key, cursor.value))
                isThere = try cursor.next()
            }
            return entries
        }.get()
    }
}
