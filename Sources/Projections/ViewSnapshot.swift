import LMDB
package import Subjects

/// The views as they were at one sequence number, for as long as `Views.read` runs; writers go on meanwhile.
package struct ViewSnapshot: ~Copyable, ViewQueries {
    let transaction: ReadTransaction
    let databases: TableDatabases
    package let applied: UInt64
    package let keys: SubjectKeys?

    package func value(_ key: Key, in table: Table) throws(ViewsError) -> [UInt8]? {
        try databases.value(key, in: table, transaction)
    }

    package func scan(
        _ table: Table, from start: Key, _ body: (Key, [UInt8]) throws(ViewsError) -> Bool
    ) throws(ViewsError) {
        try databases.scan(table, from: start, transaction, body)
    }

    package func last(in table: Table, atOrBefore key: Key) throws(ViewsError) -> (key: Key, value: [UInt8])? {
        try databases.last(in: table, atOrBefore: key, transaction)
    }
}
