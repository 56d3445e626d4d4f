internal import CLMDB

/// What can be read inside either kind of transaction.
public protocol Transaction: ~Copyable {
    var handle: TransactionHandle { get }
}

/// LMDB's transaction, seen by this module alone.
@safe public struct TransactionHandle {
    let raw: OpaquePointer
}

extension Transaction where Self: ~Copyable {
    /// Looks at a value in place; nil if the key is not there. The bytes must not be kept.
    public borrowing func withValue<R, E: Error>(
        of key: [UInt8], in database: Database, _ body: (RawSpan) throws(E) -> R
    ) throws(LMDBError) -> Result<R, E>? {
        let (code, value) = unsafe lookUp(key.span.bytes, in: database)
        if code == MDB_NOTFOUND { return nil }
        try check(code)
        let bytes = unsafe UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
        let span = unsafe bytes.bytes
        do throws(E) {
            return .success(try body(span))
        } catch {
            return .failure(error)
        }
    }

    /// A copy of the value; nil if the key is not there.
    public borrowing func value(of key: [UInt8], in database: Database) throws(LMDBError) -> [UInt8]? {
        let (code, value) = unsafe lookUp(key.span.bytes, in: database)
        if code == MDB_NOTFOUND { return nil }
        try check(code)
        return unsafe [UInt8](UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }

    /// A copy of a value that must have sixteen bytes; nil if the key is not there. Neither generic nor on the heap, for
    /// what is looked up with every event.
    public borrowing func sixteenBytes(of key: RawSpan, in database: Database) throws(LMDBError) -> InlineArray<2, UInt64>? {
        let (code, value) = unsafe lookUp(key, in: database)
        if code == MDB_NOTFOUND { return nil }
        try check(code)
        guard unsafe value.mv_size == 16 else { throw .corrupted }
        return unsafe value.mv_data.loadUnaligned(as: InlineArray<2, UInt64>.self)
    }

    public borrowing func contains(_ key: [UInt8], in database: Database) throws(LMDBError) -> Bool {
        let (code, _) = unsafe lookUp(key.span.bytes, in: database)
        if code == MDB_NOTFOUND { return false }
        try check(code)
        return true
    }

    /// How many entries the table has.
    public borrowing func count(of database: Database) throws(LMDBError) -> Int {
        var stat = MDB_stat()
        try check(unsafe mdb_stat(handle.raw, database.handle, &stat))
        return stat.ms_entries
    }

    /// A cursor for the time of the body.
    public borrowing func withCursor<R, E: Error>(
        in database: Database, _ body: (inout Cursor) throws(E) -> R
    ) throws(LMDBError) -> Result<R, E> {
        var raw: OpaquePointer?
        try check(unsafe mdb_cursor_open(handle.raw, database.handle, &raw))
        var cursor = unsafe Cursor(raw: raw!)
        do throws(E) {
            return .success(try body(&cursor))
        } catch {
            return .failure(error)
        }
    }

    private borrowing func lookUp(_ key: RawSpan, in database: Database) -> (Int32, MDB_val) {
        var found = unsafe MDB_val()
        let code = unsafe key.withUnsafeBytes { bytes in
            var name = unsafe MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return unsafe mdb_get(handle.raw, database.handle, &name, &found)
        }
        return unsafe (code, found)
    }
}
