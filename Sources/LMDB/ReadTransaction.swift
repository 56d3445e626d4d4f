internal import CLMDB

/// A snapshot; ends when it goes out of scope.
public struct ReadTransaction: ~Copyable, Transaction {
    public let handle: TransactionHandle

    init(raw: OpaquePointer) { unsafe handle = TransactionHandle(raw: raw) }

    deinit { unsafe mdb_txn_abort(handle.raw) }

    /// nil if there is no such table yet.
    public borrowing func database(_ name: String) throws(LMDBError) -> Database? {
        var number: UInt32 = 0
        let code = unsafe mdb_dbi_open(handle.raw, name, 0, &number)
        if code == MDB_NOTFOUND { return nil }
        try check(code)
        return Database(handle: number)
    }

    /// Ends it and keeps the handles of the tables that were opened in it.
    public consuming func commit() throws(LMDBError) {
        let raw = unsafe handle.raw
        discard self
        try check(unsafe mdb_txn_commit(raw))
    }
}
