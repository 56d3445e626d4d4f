internal import CLMDB

/// What is wrong with the tree that a table's entries stand in, where each entry for itself may be as it was written.
public enum Disorder: Hashable, Sendable {
    /// The entry does not come after the one before it, or is not where a search for its key ends.
    case misplaced(key: [UInt8])
    /// The table does not have as many entries as it says.
    case miscounted(have: Int, said: Int)
}

extension Transaction where Self: ~Copyable {
    /// Walks a whole table; nil: its keys ascend, a search from the root finds each of them, and their number is what the table
    /// says. A pointer or a key in a page that no entry stands in is looked at by nothing else, and an entry that a walk
    /// meets and a search does not is lost to everybody who asks for it.
    public borrowing func disorder(of database: Database) throws(LMDBError) -> Disorder? {
        let said = try count(of: database)
        return try withCursor(in: database) { (cursor: inout Cursor) throws(LMDBError) -> Disorder? in
            var have = 0
            var last: Entry?
            var isThere = try cursor.first()
            while isThere {
                let entry = unsafe Entry(key: cursor.rawKey, value: cursor.rawValue)
                if let before = unsafe last {
                    guard unsafe isAscending(before.key, entry.key, database) else { return unsafe .misplaced(key: entry.keyBytes) }
                    // All keys of a page take the same way from the root if its first and its last do.
                    if unsafe before.page != entry.page, unsafe try !isFound(before, database) { return unsafe .misplaced(key: before.keyBytes) }
                }
                if unsafe last?.page != entry.page, unsafe try !isFound(entry, database) { return unsafe .misplaced(key: entry.keyBytes) }
                unsafe last = entry
                have += 1
                isThere = try cursor.next()
            }
            if let last = unsafe last, unsafe try !isFound(last, database) { return unsafe .misplaced(key: last.keyBytes) }
            return have == said ? nil : .miscounted(have: have, said: said)
        }.get()
    }

    private borrowing func isAscending(_ one: MDB_val, _ other: MDB_val, _ database: Database) -> Bool {
        var (one, other) = unsafe (one, other)
        return unsafe mdb_cmp(handle.raw, database.handle, &one, &other) < 0
    }

    /// Whether a search for the key ends at this very place.
    private borrowing func isFound(_ entry: Entry, _ database: Database) throws(LMDBError) -> Bool {
        var (key, found) = unsafe (entry.key, MDB_val())
        let code = unsafe mdb_get(handle.raw, database.handle, &key, &found)
        if code == MDB_NOTFOUND { return false }
        try check(code)
        return unsafe found.mv_data == entry.value.mv_data
    }
}

/// Valid as long as its transaction.
@unsafe private struct Entry {
    let key: MDB_val
    let value: MDB_val

    /// The page that the key stands in. A value may stand in pages of its own.
    var page: UInt { unsafe UInt(bitPattern: key.mv_data) / UInt(Cursor.pageBytes) }
    var keyBytes: [UInt8] { unsafe [UInt8](UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size)) }
}
