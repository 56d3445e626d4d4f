import Foundation
import LMDB
public import Ledger
public import Subjects
import Synchronization

/// Everything that is derived from the log, in one LMDB environment: one writer, any number of readers that never wait.
///
/// The views can be thrown away at any time and built anew. They are written without sync; `ViewsMark` says how a
/// machine's stop is noticed. After a kill they lag the log by at most what was not committed, and `catchUp` takes in
/// the rest.
public final class Views: Sendable {
    public let directory: String
    /// How they were found; anything but `.kept` means that they start empty.
    public let condition: ViewsCondition
    /// Opens what belongs to natural persons; nil: it stays closed.
    public let keys: SubjectKeys?
    /// Where they are read and written now; `swap` puts another there.
    let current: Mutex<ViewStore>
    /// Where records and postings stand.
    let log: Mutex<(any EventLog)?>
    let bootID: String
    /// What is written and not published; touched by the writer's thread alone.
    private nonisolated(unsafe) var open: ViewTransaction?
    /// Bytes of rows that should wait in memory at the most.
    private static let unpublishedMax = 16 << 20
    private let isClosed: Mutex<Bool>

    /// Opens the views in the directory, making it if it is not there, and dropping what cannot be trusted.
    ///
    /// - Parameters:
    ///   - log: what they are built from, if it is known yet: see `attach`.
    ///   - bootID: which start of the machine this is.
    ///   - sizeMax: bytes of address space set aside; the disk is used as it is needed.
    public init(
        directory: String, log: (any EventLog)? = nil, keys: SubjectKeys? = nil, bootID: String = BootID.current(),
        sizeMax: Int = 1 << 36
    ) throws(ViewsError) {
        self.keys = keys
        self.log = Mutex(log)
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
        let store: ViewStore
        do {
            store = try ViewStore(directory, sizeMax)
        } catch .storage(.corrupted), .storage(.versionMismatch) {
            condition = .droppedAsUnreadable
            try Views.drop(directory)
            try mark.write(directory: directory)
            store = try ViewStore(directory, sizeMax)
        }
        current = Mutex(store)
        self.directory = directory
        self.condition = condition
        self.bootID = bootID
        isClosed = Mutex(false)
    }

    /// Opens views for reading, beside the process that writes them or after it has stopped. Nothing in the directory is
    /// changed; throws `.untrusted` if they would have to be built anew first.
    public init(
        reading directory: String, log: (any EventLog)? = nil, keys: SubjectKeys? = nil, bootID: String = BootID.current(),
        sizeMax: Int = 1 << 36
    ) throws(ViewsError) {
        self.keys = keys
        self.log = Mutex(log)
        condition = Views.condition(of: directory, bootID: bootID)
        guard condition == .kept else { throw .untrusted(condition) }
        current = Mutex(try ViewStore(reading: directory, sizeMax))
        self.directory = directory
        self.bootID = bootID
        isClosed = Mutex(true)
    }

    // Before the environment that it is a transaction of.
    deinit { unsafe open = nil }

    /// Views that stand in `directory` already, under the mark that is there.
    init(_ store: ViewStore, directory: String, log: (any EventLog)?, keys: SubjectKeys?, bootID: String) {
        self.keys = keys
        self.log = Mutex(log)
        self.directory = directory
        self.bootID = bootID
        condition = .kept
        current = Mutex(store)
        isClosed = Mutex(false)
    }

    /// Runs `body` on the views as they are now. Keep it short: pages that writers free cannot be used again meanwhile.
    public func read<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws(ViewsError) -> R {
        // Lives on in the snapshot, even if others are put in its place meanwhile.
        let store = current.withLock { $0 }
        return try store.read(keys, log.withLock { $0 }, body)
    }

    /// Runs `body` on the open write transaction, and drops everything that is not published when it throws. Waits for another
    /// writer. The body cannot suspend: LMDB ties a write transaction to its thread.
    ///
    /// - Parameter isPublished: commits when the body returns. Otherwise the transaction stays open: the next body on this
    ///   thread sees what this one did, and readers see it after `publish`. Committing costs what a call costs; many batches
    ///   of facts share it.
    public func write<R, E: ViewsFailure>(
        publishing isPublished: Bool = true, _ body: (inout ViewTransaction) throws(E) -> R
    ) throws(E) -> R {
        try write(projections, publishing: isPublished, body)
    }

    /// The same for some of the projections: what is recorded reaches no other.
    func write<R, E: ViewsFailure>(
        _ projections: [any Projection.Type], publishing isPublished: Bool = true,
        _ body: (inout ViewTransaction) throws(E) -> R
    ) throws(E) -> R {
        precondition(!isClosed.withLock { $0 }, "views that are closed or open for reading alone are not written")
        var views: ViewTransaction
        if let open = unsafe open.take() {
            views = open
        } else {
            do {
                views = try begin(projections)
            } catch {
                throw E(error)
            }
        }
        let buffers = views.buffers
        buffers.forget(loggedUpTo: log.withLock { $0 }?.head)
        let result: R
        do {
            result = try body(&views)
        } catch {
            buffers.drop()
            throw error
        }
        unsafe open = consume views
        guard isPublished else { return result }
        do {
            try publish()
        } catch {
            throw E(error)
        }
        return result
    }

    /// Bytes of the file that are in use.
    public var bytesUsed: Int { current.withLock { $0 }.environment.bytesUsed }

    /// Lets readers see what was written; on the thread that wrote it.
    public func publish() throws(ViewsError) {
        guard let views = unsafe open.take() else { return }
        let buffers = views.buffers
        do {
            try views.commit()
        } catch {
            buffers.drop()
            throw error
        }
    }

    /// Drops what was written and not published; on the thread that wrote it.
    public func discard() {
        guard let views = unsafe open.take() else { return }
        views.buffers.drop()
    }

    /// So much waits that it should be published soon; on the thread that wrote it.
    public var isFull: Bool { unsafe open?.buffers.byteCount ?? 0 > Self.unpublishedMax }

    private func begin(_ projections: [any Projection.Type]) throws(ViewsError) -> ViewTransaction {
        while true {
            let store = current.withLock { $0 }
            let transaction = try store.begin()
            // While this thread waited, others may have been put in its place.
            guard store === current.withLock({ $0 }) else { continue }
            return try store.views(transaction, projections, keys, log.withLock { $0 })
        }
    }

    /// Flushes everything and marks the views clean, so that they outlive a machine's stop. Nothing can be written
    /// afterwards; reading goes on. Idempotent.
    public func close() throws(ViewsError) {
        guard
            !isClosed.withLock({ isClosed in
                defer { isClosed = true }
                return isClosed
            })
        else { return }
        try publish()
        try current.withLock { $0 }.sync()
        var mark = ViewsMark(bootID: bootID, isClean: true, projections: ViewsMark.currentProjections)
        mark.stamp = try ViewsMark.stamp(of: directory)
        try mark.write(directory: directory)
    }
}

extension Views {
    /// Judged by the mark alone: files that may be damaged are not opened.
    static func condition(of directory: String, bootID: String) -> ViewsCondition {
        guard FileManager.default.fileExists(atPath: directory + "/data.mdb") else { return .new }
        guard let mark = ViewsMark.read(directory: directory) else { return .droppedAfterUncleanStop }
        guard mark.isClean || (mark.bootID == bootID && !bootID.isEmpty) else { return .droppedAfterUncleanStop }
        if mark.isClean, (try? ViewsMark.stamp(of: directory)) != mark.stamp { return .droppedAsUnreadable }
        return mark.projections == ViewsMark.currentProjections ? .kept : .droppedForOtherProjections
    }

    static func drop(_ directory: String) throws(ViewsError) {
        for file in ["mark", "data.mdb", "lock.mdb"]
        where FileManager.default.fileExists(atPath: "\(directory)/\(file)") {
            do {
                try FileManager.default.removeItem(atPath: "\(directory)/\(file)")
            } catch {
                throw .file(path: "\(directory)/\(file)", code: (error as NSError).code32)
            }
        }
    }
}

extension NSError {
    /// The system's error number, if the error wraps one.
    var code32: Int32 {
        let underlying = userInfo[NSUnderlyingErrorKey] as? NSError
        return Int32(truncatingIfNeeded: underlying?.code ?? code)
    }
}
