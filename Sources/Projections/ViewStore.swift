import Foundation
import LMDB
import Ledger
import Subjects

/// One opened environment with the tables of the views: what `Views` stands on until another is put in its place. Closed
/// with the last reader.
final class ViewStore: Sendable {
    let environment: Environment
    let databases: TableDatabases
    /// Touched by whoever has the open write transaction, of which LMDB lets there be one.
    private nonisolated(unsafe) let buffers = ViewBuffers()

    /// Opens for writing and makes the tables that are missing.
    ///
    /// - Parameter sizeMax: bytes of address space set aside.
    init(_ directory: String, _ sizeMax: Int) throws(ViewsError) {
        do {
            environment = try Environment(directory: directory, sizeMax: sizeMax, databasesMax: Table.allCases.count, durability: .none)
            try ViewStore.checkLength(of: directory, environment.bytesUsed)
            var transaction = try environment.beginWrite()
            databases = try TableDatabases(&transaction)
            try transaction.commit()
        } catch {
            throw .storage(error)
        }
    }

    init(reading directory: String, _ sizeMax: Int) throws(ViewsError) {
        do throws(LMDBError) {
            environment = try Environment(
                directory: directory, sizeMax: sizeMax, databasesMax: Table.allCases.count, durability: .none, isReadOnly: true)
            try ViewStore.checkLength(of: directory, environment.bytesUsed)
            let transaction = try environment.beginRead()
            guard let databases = try TableDatabases(existing: transaction) else { throw .corrupted }
            try transaction.commit()
            self.databases = databases
        } catch {
            throw .storage(error)
        }
    }

    /// A file that was cut off opens, and ends the process at the first page that is missing.
    private static func checkLength(of directory: String, _ used: Int) throws(LMDBError) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: directory + "/data.mdb")
        let length = (attributes?[.size] as? NSNumber)?.intValue ?? 0
        if length < used { throw .corrupted }
    }

    func read<R>(
        _ keys: SubjectKeys?, _ log: (any EventLog)?, _ body: (borrowing ViewSnapshot) throws(ViewsError) -> R
    ) throws(ViewsError) -> R {
        let transaction: ReadTransaction
        do {
            transaction = try environment.beginRead()
        } catch {
            throw .storage(error)
        }
        let applied = try databases.applied(transaction)
        return try body(ViewSnapshot(transaction: transaction, databases: databases, applied: applied, keys: keys, log: log))
    }

    /// Waits for another writer to end.
    func begin() throws(ViewsError) -> WriteTransaction {
        do {
            return try environment.beginWrite()
        } catch {
            throw .storage(error)
        }
    }

    func views(
        _ transaction: consuming WriteTransaction, _ projections: [any Projection.Type], _ keys: SubjectKeys?,
        _ log: (any EventLog)?
    ) throws(ViewsError) -> ViewTransaction {
        let applied = try databases.applied(transaction)
        return unsafe ViewTransaction(
            transaction: transaction, databases: databases, buffers: buffers, applied: applied, keys: keys, log: log,
            projections: projections)
    }

    func sync() throws(ViewsError) {
        do {
            try environment.sync()
        } catch {
            throw .storage(error)
        }
    }

    /// A compacted copy into an existing empty directory, while others go on.
    func copy(to directory: String) throws(ViewsError) {
        do {
            try environment.copy(to: directory)
        } catch {
            throw .storage(error)
        }
    }
}
