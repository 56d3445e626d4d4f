internal import CLMDB

/// Writes many rows of one table in the order of their keys: LMDB looks at the page that the cursor stands on first, so
/// neighbours cost no walk from the root. Lives for the body it was made for.
@safe public struct WriteCursor: ~Copyable {
    private let raw: OpaquePointer
    private let transaction: OpaquePointer
    private let database: UInt32

    init(raw: OpaquePointer, _ transaction: OpaquePointer, _ database: UInt32) {
        unsafe self.raw = raw
        unsafe self.transaction = transaction
        self.database = database
    }

    deinit { unsafe mdb_cursor_close(raw) }

    /// The greatest key, while `body` runs; nil: the table is empty.
    public borrowing func withLastKey<R>(_ body: (RawSpan?) -> R) throws(LMDBError) -> R {
        var (key, value) = unsafe (MDB_val(), MDB_val())
        let code = unsafe mdb_cursor_get(raw, &key, &value, MDB_LAST)
        if code == MDB_NOTFOUND { return body(nil) }
        try check(code)
        let bytes = unsafe UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)
        return unsafe body(bytes.bytes)
    }

    /// With `.append`: false if the key is not after every other; nothing was written then.
    public borrowing func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ mode: PutMode = .upsert
    ) throws(LMDBError) -> Bool {
        let flags: UInt32 =
            switch mode {
            case .upsert: 0
            case .append: UInt32(MDB_APPEND)
            case .insert: UInt32(MDB_NOOVERWRITE)
            }
        var name = unsafe MDB_val(mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
        var data = unsafe MDB_val(mv_size: value.count, mv_data: UnsafeMutableRawPointer(mutating: value.baseAddress))
        let code = unsafe mdb_cursor_put(raw, &name, &data, flags)
        if code == MDB_KEYEXIST { return false }
        try check(code)
        return true
    }

    /// Nothing happens if there is no such key.
    public borrowing func remove(_ key: UnsafeRawBufferPointer) throws(LMDBError) {
        var name = unsafe MDB_val(mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
        let code = unsafe mdb_del(transaction, database, &name, nil)
        if code != MDB_NOTFOUND { try check(code) }
    }
}

extension WriteTransaction {
    /// A cursor for the time of the body. Borrowing, so that what was gathered can be written when somebody reads.
    public borrowing func withWriteCursor(
        in database: Database, _ body: (borrowing WriteCursor) throws(LMDBError) -> Void
    ) throws(LMDBError) {
        var raw: OpaquePointer?
        try check(unsafe mdb_cursor_open(handle.raw, database.handle, &raw))
        try body(unsafe WriteCursor(raw: raw!, handle.raw, database.handle))
    }
}
