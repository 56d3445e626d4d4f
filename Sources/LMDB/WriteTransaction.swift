internal import CLMDB

/// Changes that become visible together with `commit`; dropped when it goes out of scope without it.
public struct WriteTransaction: ~Copyable, Transaction {
    public let handle: TransactionHandle

    init(raw: OpaquePointer) { unsafe handle = TransactionHandle(raw: raw) }

    deinit { unsafe mdb_txn_abort(handle.raw) }

    /// Opens the table, making it if it is not there. Handles are kept for the life of the environment once
    /// this transaction has been committed.
    public mutating func database(_ name: String) throws(LMDBError) -> Database {
        var number: UInt32 = 0
        try check(unsafe mdb_dbi_open(handle.raw, name, UInt32(MDB_CREATE), &number))
        return Database(handle: number)
    }

    public mutating func put(
        _ key: [UInt8], _ value: [UInt8], in database: Database, _ mode: PutMode = .upsert
    ) throws(LMDBError) {
        let bytes = unsafe value.span.bytes
        try put(key, bytes, in: database, mode)
    }

    public mutating func put(
        _ key: [UInt8], _ value: RawSpan, in database: Database, _ mode: PutMode = .upsert
    ) throws(LMDBError) {
        let name = unsafe key.span.bytes
        try put(name, value, in: database, mode)
    }

    /// The same with a key that stands anywhere, so that a writer in a hurry allocates nothing for it.
    public mutating func put(
        _ key: RawSpan, _ value: RawSpan, in database: Database, _ mode: PutMode = .upsert
    ) throws(LMDBError) {
        let flags: UInt32 =
            switch mode {
            case .upsert: 0
            case .append: UInt32(MDB_APPEND)
            case .insert: UInt32(MDB_NOOVERWRITE)
            }
        let code = unsafe key.withUnsafeBytes { key in
            unsafe value.withUnsafeBytes { value in
                var name = unsafe MDB_val(mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
                var data = unsafe MDB_val(
                    mv_size: value.count, mv_data: UnsafeMutableRawPointer(mutating: value.baseAddress))
                return unsafe mdb_put(handle.raw, database.handle, &name, &data, flags)
            }
        }
        try check(code)
    }

    /// - Returns: whether it was there.
    @discardableResult
    public mutating func remove(_ key: [UInt8], from database: Database) throws(LMDBError) -> Bool {
        let code = unsafe key.withUnsafeBytes { key in
            var name = unsafe MDB_val(mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
            return unsafe mdb_del(handle.raw, database.handle, &name, nil)
        }
        if code == MDB_NOTFOUND { return false }
        try check(code)
        return true
    }

    /// Takes every entry out of the table.
    public mutating func empty(_ database: Database) throws(LMDBError) {
        try check(unsafe mdb_drop(handle.raw, database.handle, 0))
    }

    /// On an error nothing of the transaction is there.
    public consuming func commit() throws(LMDBError) {
        let raw = unsafe handle.raw
        discard self
        try check(unsafe mdb_txn_commit(raw))
    }
}
