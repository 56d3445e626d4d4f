import Foundation
import LMDB
package import Subjects
import Synchronization

/// Everything that is derived from the log, in one LMDB environment: one writer, any number of readers that never wait.
///
/// The views can be thrown away at any time and built anew. They are written without sync; `ViewsMark` says how a
/// machine's stop is noticed. After a kill they lag the log by at most what was not committed, and `catchUp` takes in
/// the rest.
package final class Views: Sendable {
    package let directory: String
    /// How they were found; anything but `.kept` means that they start empty.
    package let condition: ViewsCondition
    /// Opens what belongs to natural persons; nil: it stays closed.
    package let keys: SubjectKeys?
    let environment: Environment
    let databases: TableDatabases
    private let bootID: String
    /// Touched by whoever has the open write transaction, of which LMDB lets there be one.
    private nonisolated(unsafe) let buffers = ViewBuffers()
    /// What is written and not published; touched by the writer's thread alone.
    private nonisolated(unsafe) var open: ViewTransaction?
    /// Bytes of rows that wait in memory at the most.
    private static let unpublishedMax = 16 << 20
    private let isClosed: Mutex<Bool>

    /// Opens the views in the directory, making it if it is not there, and dropping what cannot be trusted.
    ///
    /// - Parameters:
    ///   - bootID: which start of the machine this is.
    ///   - sizeMax: bytes of address space set aside; the disk is used as it is needed.
    package init(
        directory: String, keys: SubjectKeys? = nil, bootID: String = BootID.current(), sizeMax: Int = 1 << 36
    ) throws(ViewsError) {
        self.keys = keys
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .file(path: directory, code: (error as NSError).code32)
        }
        var condition = Views.condition(of: directory, bootID: bootID)
        if condition != .kept { try Views.drop(directory) }
        // Before anything is written: from here on a machine's stop costs the views.
        let mark = ViewsMark(bootID: bootID, isClean: false, projections: ViewsMark.currentProjections)
        if ViewsMark.read(directory: directory) != mark { try mark.write(directory: directory) }
        do {
            environment = try Views.open(directory, sizeMax)
        } catch .storage(.corrupted), .storage(.versionMismatch) {
            condition = .droppedAsUnreadable
            try Views.drop(directory)
            try mark.write(directory: directory)
            environment = try Views.open(directory, sizeMax)
        }
        do {
            var transaction = try environment.beginWrite()
            databases = try TableDatabases(&transaction)
            try transaction.commit()
        } catch {
            throw .storage(error)
        }
        self.directory = directory
        self.condition = condition
        self.bootID = bootID
        isClosed = Mutex(false)
    }

    /// Opens views for reading, beside the process that writes them or after it has stopped. Nothing in the directory is
    /// changed; throws `.untrusted` if they would have to be built anew first.
    package init(
        reading directory: String, keys: SubjectKeys? = nil, bootID: String = BootID.current(), sizeMax: Int = 1 << 36
    ) throws(ViewsError) {
        self.keys = keys
        condition = Views.condition(of: directory, bootID: bootID)
        guard condition == .kept else { throw .untrusted(condition) }
        do throws(LMDBError) {
            environment = try Environment(
                directory: directory, sizeMax: sizeMax, databasesMax: 64, durability: .none, isReadOnly: true)
            let transaction = try environment.beginRead()
            guard let databases = try TableDatabases(existing: transaction) else { throw .corrupted }
            try transaction.commit()
            self.databases = databases
        } catch {
            throw .storage(error)
        }
        self.directory = directory
        self.bootID = bootID
        isClosed = Mutex(true)
    }

    // Before the environment that it is a transaction of.
    deinit { unsafe open = nil }

    /// Runs `body` on the views as they are now. Keep it short: pages that writers free cannot be used again meanwhile.
    package func read<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(ViewsError) -> R {
        let transaction = try storage { () throws(LMDBError) in try environment.beginRead() }
        let applied = try Views.applied(transaction, databases)
        return try body(ViewSnapshot(transaction: transaction, databases: databases, applied: applied, keys: keys))
    }

    /// Runs `body` on the open write transaction, and drops everything that is not published when it throws. Waits for another
    /// writer. The body cannot suspend: LMDB ties a write transaction to its thread.
    ///
    /// - Parameter isPublished: commits when the body returns. Otherwise the transaction stays open: the next body on this
    ///   thread sees what this one did, and readers see it after `publish`. Committing costs what a call costs; many batches
    ///   of facts share it.
    package func write<R, E: ViewsFailure>(
        publishing isPublished: Bool = true, _ body: (inout ViewTransaction) throws(E) -> R
    ) throws(E) -> R {
        precondition(!isClosed.withLock { $0 }, "views that are closed or open for reading alone are not written")
        var views: ViewTransaction
        if let open = unsafe open.take() {
            views = open
        } else {
            do {
                views = try begin()
            } catch {
                throw E(error)
            }
        }
        let result: R
        do {
            result = try body(&views)
        } catch {
            unsafe buffers.clear()
            unsafe buffers.entities.clear()
            throw error
        }
        unsafe open = consume views
        let waiting = unsafe buffers.byteCount
        guard isPublished || waiting > Self.unpublishedMax else { return result }
        do {
            try publish()
        } catch {
            throw E(error)
        }
        return result
    }

    /// Lets readers see what was written; on the thread that wrote it.
    package func publish() throws(ViewsError) {
        guard let views = unsafe open.take() else { return }
        do {
            try views.commit()
        } catch {
            unsafe buffers.clear()
            unsafe buffers.entities.clear()
            throw error
        }
    }

    private func begin() throws(ViewsError) -> ViewTransaction {
        let transaction: WriteTransaction
        do {
            transaction = try environment.beginWrite()
        } catch {
            throw .storage(error)
        }
        let applied = try Views.applied(transaction, databases)
        return unsafe ViewTransaction(transaction: transaction, databases: databases, buffers: buffers, applied: applied, keys: keys)
    }

    /// Flushes everything and marks the views clean, so that they outlive a machine's stop. Nothing can be written
    /// afterwards; reading goes on. Idempotent.
    package func close() throws(ViewsError) {
        guard
            !isClosed.withLock({ isClosed in
                defer { isClosed = true }
                return isClosed
            })
        else { return }
        try publish()
        do {
            try environment.sync()
        } catch {
            throw .storage(error)
        }
        try ViewsMark(bootID: bootID, isClean: true, projections: ViewsMark.currentProjections).write(
            directory: directory)
    }
}

extension Views {
    /// Judged by the mark alone: files that may be damaged are not opened.
    private static func condition(of directory: String, bootID: String) -> ViewsCondition {
        guard FileManager.default.fileExists(atPath: directory + "/data.mdb") else { return .new }
        guard let mark = ViewsMark.read(directory: directory) else { return .droppedAfterUncleanStop }
        guard mark.isClean || (mark.bootID == bootID && !bootID.isEmpty) else { return .droppedAfterUncleanStop }
        return mark.projections == ViewsMark.currentProjections ? .kept : .droppedForOtherProjections
    }

    private static func drop(_ directory: String) throws(ViewsError) {
        for file in ["mark", "data.mdb", "lock.mdb"]
        where FileManager.default.fileExists(atPath: "\(directory)/\(file)") {
            do {
                try FileManager.default.removeItem(atPath: "\(directory)/\(file)")
            } catch {
                throw .file(path: "\(directory)/\(file)", code: (error as NSError).code32)
            }
        }
    }

    private static func open(_ directory: String, _ sizeMax: Int) throws(ViewsError) -> Environment {
        do {
            return try Environment(directory: directory, sizeMax: sizeMax, databasesMax: 64, durability: .none)
        } catch {
            throw .storage(error)
        }
    }

    static func applied(
        _ transaction: borrowing some Transaction & ~Copyable, _ databases: TableDatabases
    ) throws(ViewsError) -> UInt64 {
        guard let bytes = try databases.value(.lastApplied, in: .meta, transaction) else { return 0 }
        var reader = KeyReader(bytes)
        guard let sequence = reader.number64() else { throw .unreadable(table: .meta) }
        return sequence
    }
}

extension NSError {
    /// The system's error number, if the error wraps one.
    var code32: Int32 {
        let underlying = userInfo[NSUnderlyingErrorKey] as? NSError
        return Int32(truncatingIfNeeded: underlying?.code ?? code)
    }
}
