import Foundation
import Glibc
import LMDB
public import Ledger
public import Subjects
import Synchronization

/// What was done to the views before a control plane could serve from them.
public struct ViewsOpening: Sendable {
    public let views: Views
    /// How they were found.
    public let condition: ViewsCondition
    /// Projections that were built anew because this binary has another version of them; empty in all other cases.
    public let changed: [String]
    /// Events that were taken in.
    public let events: UInt64
    /// What a changed version has changed.
    public let comparison: ViewsComparison?
}

extension Views {
    /// Opens the views of a data directory and brings them to the end of the log, whatever state they are in.
    ///
    /// - What another version of this program filled is built anew beside the old, only as far as projections have another
    ///   version; the old is kept in `former`. If `former` holds what this version filled (it was in use before), that is
    ///   taken up again and caught up instead: so a newer program is tried and left.
    /// - What cannot be read is dropped and built anew.
    /// - What a rebuild in the background left unfinished is dropped.
    public static func open(
        directory: String, next: String, former: String, log: some EventLog, keys: SubjectKeys? = nil, bootID: String = BootID.current(),
        progress: (_ applied: UInt64, _ end: UInt64) -> Void = { _, _ in }
    ) throws(ViewsError) -> ViewsOpening {
        try removeDirectory(next)
        let found = condition(of: directory, bootID: bootID)
        if found == .droppedForOtherProjections {
            if condition(of: former, bootID: bootID) == .kept {
                try exchange(directory, former)
                return try open(directory, found, log, keys, bootID, progress)
            }
            do throws(ViewsError) {
                return try replaceChanged(directory, next, former, log, keys, bootID, progress)
            } catch .storage(.corrupted), .storage(.versionMismatch), .unreadable, .untrusted {
                try removeDirectory(next)
            }
        } else if condition(of: former, bootID: bootID) == .kept {
            // Left over from a swap of this version: what is in use is the newer.
            try removeDirectory(former)
        }
        return try open(directory, nil, log, keys, bootID, progress)
    }

    private static func open(
        _ directory: String, _ found: ViewsCondition?, _ log: some EventLog, _ keys: SubjectKeys?,
        _ bootID: String,
        _ progress: (UInt64, UInt64) -> Void
    ) throws(ViewsError) -> ViewsOpening {
        let views = try Views(directory: directory, log: log, keys: keys, bootID: bootID)
        do throws(ViewsError) {
            let events = try withoutActuallyEscaping(progress) { progress throws(ViewsError) in
                try views.catchUp(with: log, progress: progress)
            }
            return ViewsOpening(
                views: views, condition: found ?? views.condition, changed: [], events: events, comparison: nil)
        } catch .storage(.corrupted), .unreadable {
            // It opened, and shows its damage only now.
            try views.write { views throws(ViewsError) in try views.empty() }
            let events = try withoutActuallyEscaping(progress) { progress throws(ViewsError) in
                try views.catchUp(with: log, progress: progress)
            }
            return ViewsOpening(
                views: views, condition: .droppedAsUnreadable, changed: [], events: events, comparison: nil)
        }
    }

    private static func replaceChanged(
        _ directory: String, _ next: String, _ former: String, _ log: some EventLog, _ keys: SubjectKeys?,
        _ bootID: String,
        _ progress: (UInt64, UInt64) -> Void
    ) throws(ViewsError) -> ViewsOpening {
        guard let mark = ViewsMark.read(directory: directory) else { throw .untrusted(.droppedAfterUncleanStop) }
        let changed = projections.filter { !mark.projections.contains("\($0.name)=\($0.version)") }
        let old = try ViewStore(directory, 1 << 36)
        try makeDirectory(next)
        try old.copy(to: next)
        try ViewsMark(bootID: bootID, isClean: false, projections: ViewsMark.currentProjections).write(directory: next)
        let built = try Views(directory: next, log: log, keys: keys, bootID: bootID)
        let isBuilt = try built.refill(changed, from: log) { applied, end in
            progress(applied, end)
            return true
        }
        guard isBuilt else { throw .untrusted(.droppedForOtherProjections) }
        let comparison = try old.read(keys, log) { old throws(ViewsError) in
            try built.read { new throws(ViewsError) in try ViewsComparison(old, new) }
        }
        // The old keeps its own mark, for the program that wrote it.
        try exchange(directory, next)
        try removeDirectory(former)
        guard unsafe rename(next, former) == 0 else { throw .file(path: former, code: errno) }
        let views = Views(built.current.withLock { $0 }, directory: directory, log: log, keys: keys, bootID: bootID)
        let events = try withoutActuallyEscaping(progress) { progress throws(ViewsError) in
            try views.catchUp(with: log, progress: progress)
        }
        return ViewsOpening(
            views: views, condition: .droppedForOtherProjections, changed: changed.map { $0.name }, events: events,
            comparison: comparison)
    }
}
