import Foundation
import LMDB
public import Ledger
import Primitives
import Synchronization
public import Subjects

/// The state as of one sequence, in a directory of its own that is removed with it. Any number of readers at once.
public final class StateViews: Sendable {
    let tables: StateTables
    let directory: String
    private let position: StateTables.Position

    public var sequence: UInt64 { position.sequence }

    /// Brings the tables in the directory to the sequence: those of a snapshot or a neighbour, or none.
    public init(
        directory: String, from log: some EventLog, keys: SubjectKeys?, through last: UInt64,
        progress: ((_ applied: UInt64, _ end: UInt64) -> Void)? = nil
    ) throws(ViewsError) {
        self.directory = directory
        tables = try StateTables(directory: directory)
        try tables.catchUp(with: log, keys: keys, through: last, progress: progress)
        position = try tables.position()
    }

    /// What the running views hold now.
    public init(directory: String, copying live: Views) throws(ViewsError) {
        self.directory = directory
        tables = try StateTables(directory: directory)
        try tables.copy(from: live)
        position = try tables.position()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// A copy that another one starts from.
    func copy(to directory: String) throws(ViewsError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .file(path: directory, code: (error as NSError).code32)
        }
        do {
            try tables.environment.copy(to: directory)
        } catch {
            throw .storage(error)
        }
    }

    /// Runs `body` on everything as of the sequence: the state from here, the journals from the running views.
    public func read<R>(
        with live: Views, _ log: any EventLog, _ body: (borrowing ViewSnapshot) throws(ViewsError) -> R
    ) throws(ViewsError) -> R {
        let journals = try live.journals(asOf: position, log, tables.databases)
        let transaction = try storage { () throws(LMDBError) in try tables.environment.beginRead() }
        return try body(ViewSnapshot(states: transaction, tables.databases, journals: journals, keys: live.keys))
    }
}

extension Views {
    /// Throws `.behind` if these views do not hold the sequence yet.
    fileprivate func journals(asOf position: StateTables.Position, _ log: any EventLog, _ states: TableDatabases) throws(ViewsError) -> JournalsAsOf {
        let store = current.withLock { $0 }
        let transaction = try storage { () throws(LMDBError) in try store.environment.beginRead() }
        let applied = try store.databases.applied(transaction)
        guard applied >= position.sequence else { throw .behind(asked: position.sequence, have: applied) }
        return JournalsAsOf(
            store: store, transaction: transaction, databases: store.databases, log: log, sequence: position.sequence,
            records: position.records, states: states)
    }
}
