import LMDB

/// The open LMDB table of every `Table`, and reading them in either kind of transaction.
public struct TableDatabases: Sendable {
    private let databases: [Database]  // in the order of `Table.allCases`

    init(_ transaction: inout WriteTransaction) throws(LMDBError) {
        var databases: [Database] = []
        for table in Table.allCases {
            precondition(table.position == databases.count, "tables are found by the number of their case")
            databases.append(try transaction.database(table.rawValue))
        }
        self.databases = databases
    }

    /// nil if a table is not there.
    init?(existing transaction: borrowing ReadTransaction) throws(LMDBError) {
        var databases: [Database] = []
        for table in Table.allCases {
            precondition(table.position == databases.count, "tables are found by the number of their case")
            guard let database = try transaction.database(table.rawValue) else { return nil }
            databases.append(database)
        }
        self.databases = databases
    }

    subscript(table: Table) -> Database { databases[table.position] }

    func value(
        _ key: Key, in table: Table, _ transaction: borrowing some Transaction & ~Copyable
    ) throws(ViewsError) -> [UInt8]? {
        guard key.fits else { return nil }
        do {
            return try transaction.value(of: key.bytes, in: self[table])
        } catch {
            throw .storage(error)
        }
    }

    func scan(
        _ table: Table, from start: Key, _ transaction: borrowing some Transaction & ~Copyable,
        _ body: (Key, [UInt8]) throws(ViewsError) -> Bool
    ) throws(ViewsError) {
        let result: Result<Void, ViewsError>
        do {
            result = try transaction.withCursor(in: self[table]) { cursor throws(ViewsError) in
                var isFound = try storage { () throws(LMDBError) in try cursor.seek(start.bytes) }
                while isFound, try body(Key(cursor.key), cursor.value) {
                    isFound = try storage { () throws(LMDBError) in try cursor.next() }
                }
            }
        } catch {
            throw .storage(error)
        }
        try result.get()
    }

    func last(
        in table: Table, atOrBefore key: Key, _ transaction: borrowing some Transaction & ~Copyable
    ) throws(ViewsError) -> (key: Key, value: [UInt8])? {
        do {
            return try transaction.withCursor(in: self[table]) { cursor throws(LMDBError) in
                try cursor.seek(atOrBefore: key.bytes) ? (key: Key(cursor.key), value: cursor.value) : nil
            }.get()
        } catch {
            throw .storage(error)
        }
    }
}

extension TableDatabases {
    /// The sequence of the last event that the tables hold.
    func applied(_ transaction: borrowing some Transaction & ~Copyable) throws(ViewsError) -> UInt64 {
        guard let bytes = try value(.lastApplied, in: .meta, transaction) else { return 0 }
        var reader = KeyReader(bytes)
        guard let sequence = reader.number64() else { throw .unreadable(table: .meta) }
        return sequence
    }
}

/// Names LMDB's errors as ours.
func storage<R: ~Copyable>(_ body: () throws(LMDBError) -> R) throws(ViewsError) -> R {
    do {
        return try body()
    } catch {
        throw .storage(error)
    }
}
