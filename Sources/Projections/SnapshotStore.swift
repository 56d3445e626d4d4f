import Foundation
import LMDB
public import Ledger
import OpenSSL
public import Subjects
import Synchronization

/// Snapshots of the state tables in `DIR/snapshots/<sequence>/`: what a question about the past starts from.
///
/// They save time and are worth nothing else: one that is missing, of other projections, of another log or damaged is
/// passed over, and the next older one, or the log's first event, is the start. Each appears whole or not at all.
public final class SnapshotStore: Sendable {
    public let directory: String
    private let keys: SubjectKeys?
    private let ignored = Mutex<[UInt64: SnapshotFault]>([:])

    /// - Parameter keys: those of the running views: names of persons are found by what they make of them.
    public init(directory: String, keys: SubjectKeys?) {
        self.directory = directory
        self.keys = keys
    }

    /// Sequences of what is there, the oldest first; whether they can be used shows when they are.
    public var sequences: [UInt64] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { UInt64($0) }.sorted()
    }

    /// Snapshots that were found unusable since the start, and why.
    public var faults: [UInt64: SnapshotFault] { ignored.withLock { $0 } }

    /// Writes a snapshot of what the running views hold now, beside them: nobody waits for it. nil: there is nothing
    /// to be written, or it is there already.
    @discardableResult
    public func write(from views: Views, log: some EventLog) throws(ViewsError) -> UInt64? {
        try write(StateViews(directory: workPath(), copying: views), log)
    }

    /// Writes a snapshot as of a sequence, starting from the newest usable one before it.
    @discardableResult
    public func write(
        asOf sequence: UInt64, log: some EventLog, progress: ((_ applied: UInt64, _ end: UInt64) -> Void)? = nil
    ) throws(ViewsError) -> UInt64? {
        try write(states(asOf: sequence, log: log, progress: progress), log)
    }

    /// The state as of a sequence: from the newest usable snapshot that is not after it, or from a neighbour that is
    /// nearer, the projections run over what is missing.
    ///
    /// - Parameter work: where the tables are kept while somebody holds them; nil: beside the snapshots.
    public func states(
        asOf sequence: UInt64, log: some EventLog, neighbours: [StateViews] = [], work: String? = nil,
        progress: ((_ applied: UInt64, _ end: UInt64) -> Void)? = nil
    ) throws(ViewsError) -> StateViews {
        let path = workPath(in: work)
        let neighbour = neighbours.filter { $0.sequence <= sequence }.max { $0.sequence < $1.sequence }
        var isCopied = false
        for candidate in sequences.reversed() where candidate <= sequence {
            if let neighbour, neighbour.sequence >= candidate { break }
            if try take(candidate, to: path, log) {
                isCopied = true
                break
            }
        }
        if !isCopied, let neighbour { try neighbour.copy(to: path) }
        return try StateViews(directory: path, from: log, keys: keys, through: sequence, progress: progress)
    }

    /// Removes all: after something has to be forgotten that they hold. What is asked next starts at the first event.
    public func removeAll() throws(ViewsError) {
        for sequence in sequences { try remove(sequence) }
    }

    /// Removes until `limit` are left: of all but the newest eight, the one whose neighbours are closest together, so
    /// that those left stand evenly over the log.
    public func prune(limit: Int) throws(ViewsError) {
        var left = sequences
        while left.count > max(limit, 1) {
            let candidates = left.indices.dropLast(min(8, max(limit, 1)))
            var closest: Int?
            var spanMin = UInt64.max
            for index in candidates {
                let before = index > 0 ? left[index - 1] : 0
                let span = left[min(index + 1, left.count - 1)] - before
                if span < spanMin { (closest, spanMin) = (index, span) }
            }
            guard let closest else { return }
            try remove(left.remove(at: closest))
        }
    }

    /// Removes what a killed process left half done.
    public func clearWork() { try? FileManager.default.removeItem(atPath: directory + "/work") }
}

extension SnapshotStore {
    private func write(_ states: StateViews, _ log: some EventLog) throws(ViewsError) -> UInt64? {
        let final = path(states.sequence)
        guard states.sequence > 0 else { return nil }
        if FileManager.default.fileExists(atPath: final) {
            guard faults[states.sequence] != nil else { return nil }
            try remove(states.sequence)
            ignored.withLock { $0[states.sequence] = nil }
        }
        let root = try reading { () throws(LedgerError) in try log.rootHash(size: states.sequence) }
        let fresh = workPath()
        defer { try? FileManager.default.removeItem(atPath: fresh) }
        // Compacted, without the pages that the copying has used and freed.
        try states.copy(to: fresh)
        let tables = try SnapshotFile.digest(of: fresh + "/data.mdb")
        let manifest = SnapshotManifest(sequence: states.sequence, root: root, tables: tables)
        try SnapshotFile.write(manifest.text, to: fresh + "/manifest")
        try SnapshotFile.sync(fresh + "/data.mdb")
        try SnapshotFile.sync(fresh)
        do {
            try FileManager.default.moveItem(atPath: fresh, toPath: final)
        } catch {
            throw .file(path: final, code: (error as NSError).code32)
        }
        try SnapshotFile.sync(directory)
        return states.sequence
    }

    /// Copies the snapshot's tables into a directory if they are what the manifest says and belong to this log.
    private func take(_ sequence: UInt64, to path: String, _ log: some EventLog) throws(ViewsError) -> Bool {
        let place = self.path(sequence)
        func ignore(_ fault: SnapshotFault) -> Bool {
            try? FileManager.default.removeItem(atPath: path)
            ignored.withLock { $0[sequence] = fault }
            return false
        }
        guard let data = FileManager.default.contents(atPath: place + "/manifest"),
            let manifest = SnapshotManifest(text: String(decoding: data, as: UTF8.self)), manifest.sequence == sequence
        else { return ignore(.unreadable) }
        guard manifest.projections == SnapshotManifest.currentProjections else { return ignore(.otherProjections) }
        guard sequence <= log.head,
            manifest.root == (try reading { () throws(LedgerError) in try log.rootHash(size: sequence) })
        else { return ignore(.otherLog) }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .file(path: path, code: (error as NSError).code32)
        }
        let copied = path + "/data.mdb"
        guard FileManager.default.isReadableFile(atPath: place + "/data.mdb") else { return ignore(.unreadable) }
        guard try SnapshotFile.copy(place + "/data.mdb", to: copied) == manifest.tables else { return ignore(.damaged) }
        return true
    }

    private func remove(_ sequence: UInt64) throws(ViewsError) {
        do {
            try FileManager.default.removeItem(atPath: path(sequence))
        } catch {
            throw .file(path: path(sequence), code: (error as NSError).code32)
        }
    }

    private func path(_ sequence: UInt64) -> String { "\(directory)/\(sequence)" }

    private func workPath(in work: String? = nil) -> String { (work ?? directory + "/work") + "/" + UUID().uuidString }

    private func reading<R>(_ body: () throws(LedgerError) -> R) throws(ViewsError) -> R {
        do {
            return try body()
        } catch {
            throw .log(error)
        }
    }
}

/// Why a snapshot is not used.
public enum SnapshotFault: String, Equatable, Sendable {
    /// A file is missing, or the manifest is not one.
    case unreadable
    /// Other projections filled it: those of another version of this program.
    case otherProjections
    /// The log's tree had another root at that size, or is not that long.
    case otherLog
    /// The tables are not those that were written.
    case damaged
}
