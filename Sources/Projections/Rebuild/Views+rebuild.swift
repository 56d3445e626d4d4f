import CShims
import Foundation
import Glibc
import LMDB
public import Ledger
import Synchronization

// Building views anew beside those that serve, and putting them in their place.
extension Views {
    /// What a rebuild is told on its way, and asked whether to go on.
    public typealias RebuildProgress = (_ applied: UInt64, _ end: UInt64) -> Bool

    /// Builds views beside these, from the first event up to what these held when it
    /// began; these serve meanwhile.
    ///
    /// Of a choice of projections only the tables are emptied and filled again; the others are copied as they are.
    ///
    /// - Parameters:
    ///   - directory: dropped if it is there.
    ///   - names: of the projections; nil: all.
    /// - Returns: nil if `progress` ended it.
    public func rebuildBeside(
        _ directory: String, _ names: [String]?, from log: some EventLog, progress: RebuildProgress
    ) throws(ViewsError) -> Views? {
        try Views.removeDirectory(directory)
        let chosen = names.map { names in projections.filter { names.contains($0.name) } } ?? projections
        guard chosen.count < projections.count else {
            let next = try Views(directory: directory, log: log, keys: keys, bootID: bootID)
            var isEnded = false
            // Never beyond what these hold: an event of the log may be on its way into them.
            _ = try next.catchUp(with: log, through: try read { views in views.applied }, projections) { applied, end in
                isEnded = !progress(applied, end)
                return !isEnded
            }
            return isEnded ? nil : next
        }
        try Views.makeDirectory(directory)
        try current.withLock { $0 }.copy(to: directory)
        try ViewsMark(bootID: bootID, isClean: false, projections: ViewsMark.currentProjections).write(directory: directory)
        let next = try Views(directory: directory, log: log, keys: keys, bootID: bootID)
        return try next.refill(chosen, from: log, progress: progress) ? next : nil
    }

    /// Empties the tables of some projections and fills them from the first event, up to what the others hold.
    ///
    /// - Returns: false if `progress` ended it; they are of no use then.
    func refill(
        _ chosen: [any Projection.Type], from log: some EventLog, progress: RebuildProgress
    ) throws(ViewsError) -> Bool {
        let reached = try read { views in views.applied }
        try write { views throws(ViewsError) in
            for projection in chosen { for table in projection.tables { try views.clear(table) } }
            try views.clear(.meta)
            views.last = nil
            views.applied = 0
        }
        var isEnded = false
        _ = try catchUp(with: log, through: reached, chosen) { applied, end in
            isEnded = !progress(applied, end)
            return !isEnded
        }
        return !isEnded
    }

    /// Compares these views with others that are built up to the same event or can be: what the others lack they take in first.
    ///
    /// - Returns: nil if `goesOn` ended it.
    public func compare(
        with next: Views, from log: some EventLog, goesOn: () -> Bool = { true }
    ) throws(ViewsError) -> ViewsComparison? {
        // Nearly all of it before these are held still, so that their pages can be used again.
        try next.catchUp(with: log, through: try read { views in views.applied })
        return try read { views throws(ViewsError) in
            try next.catchUp(with: log, through: views.applied)
            return try next.read { next throws(ViewsError) in try ViewsComparison(views, next, goesOn: goesOn) }
        }
    }

    /// Puts others in the place of these: at the next boundary between two batches of whoever writes, who waits meanwhile for
    /// the last few events to be taken in; readers notice nothing. A stop at any moment leaves one or the other.
    ///
    /// - Parameter former: where these are kept.
    /// - Returns: these, to be put back in the same way.
    public func swap(
        with next: Views, from log: some EventLog, keepingFormerIn former: String
    ) throws(ViewsError) -> Views {
        try next.catchUp(with: log)
        let old = current.withLock { $0 }
        // Nobody writes, and nothing is appended to the log by who writes here, while this is held.
        let gate = try old.begin()
        try next.catchUp(with: log)
        let taken = next.current.withLock { $0 }
        try Views.exchange(directory, next.directory)
        current.withLock { $0 = taken }
        _ = consume gate
        if former != next.directory {
            try Views.removeDirectory(former)
            guard unsafe rename(next.directory, former) == 0 else { throw .file(path: former, code: errno) }
        }
        return Views(old, directory: former, log: log, keys: keys, bootID: bootID)
    }

    // MARK: - directories

    /// In one step for whoever looks, and for whoever finds them after a stop.
    static func exchange(_ a: String, _ b: String) throws(ViewsError) {
        guard unsafe shims_exchange_paths(a, b) == 0 else {
            throw .file(path: b, code: errno)
        }
    }

    public static func removeDirectory(_ directory: String) throws(ViewsError) {
        guard FileManager.default.fileExists(atPath: directory) else { return }
        do {
            try FileManager.default.removeItem(atPath: directory)
        } catch {
            throw .file(path: directory, code: (error as NSError).code32)
        }
    }

    static func makeDirectory(_ directory: String) throws(ViewsError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .file(path: directory, code: (error as NSError).code32)
        }
    }
}

extension Views {
    /// What can be built anew by itself, in the order in which events reach them.
    public static var projectionNames: [String] { projections.map { $0.name } }
}
