import Ledger
import OpenSSL

/// Reads every byte of a backup and computes the tree anew.
package struct BackupVerifier: Sendable {
    package struct Report: Hashable, Sendable {
        package var parts: Int
        package var size: UInt64
        package var bytes: UInt64
    }

    private let directory: BackupDirectory

    package init(_ path: String) { directory = BackupDirectory(path) }

    /// Throws what is wrong, and in which part.
    package func run(progress: Backup.Progress = { _, _, _ in }) throws(BackupError) -> Report {
        let manifests = try directory.manifests()
        guard let newest = manifests.last else { throw .outOfReach(reason: "\(directory.path) holds no backup") }
        let hasher = MerkleHasher()
        var range = CompactRange()
        var report = Report(parts: 0, size: newest.last, bytes: 0)
        for manifest in manifests {
            let checkpoint = try directory.checkpoint(of: manifest)
            switch manifest.kind {
            case .full: range = try full(manifest, checkpoint, progress)
            case .events:
                guard manifest.first == range.size + 1 else {
                    throw .damaged(part: manifest.name, reason: "the part before it ends at event \(range.size)")
                }
                let digest = try EventsFile.read(directory.path + "/" + manifest.file, manifest.name) {
                    record throws(BackupError) in
                    guard case .event(let bytes) = record else { return }
                    range.append(unsafe hasher.leaf(bytes.span.bytes), hasher)
                    if range.size % 10_000 == 0 { progress("verify", range.size, newest.last) }
                }
                guard digest.bytes == manifest.bytes, digest.sha256 == manifest.sha256 else {
                    throw .damaged(part: manifest.name, reason: "its file is not the one that was written (SHA-256 differs)")
                }
            }
            guard range.size == manifest.last, range.root(hasher) == checkpoint.root else {
                throw .damaged(part: manifest.name, reason: "its events are not those that were signed")
            }
            report.parts += 1
            report.bytes += manifest.bytes
        }
        return report
    }

    private func full(
        _ manifest: Manifest, _ checkpoint: Checkpoint, _ progress: Backup.Progress
    ) throws(BackupError) -> CompactRange {
        let folder = directory.path + "/" + manifest.name
        let digest = try Files.digest(directory.path + "/" + manifest.file)
        guard digest.bytes == manifest.bytes, digest.sha256 == manifest.sha256 else {
            throw .damaged(part: manifest.name, reason: "its file is not the one that was written (SHA-256 differs)")
        }
        defer { Files.remove(folder + "/lock.mdb") }
        return try onLog { () throws(LedgerError) in
            let copy = try LMDBEventLog(directory: folder, isReadOnly: true)
            let hasher = MerkleHasher()
            var range = CompactRange()
            try copy.readBytes(from: 1) { (sequence, bytes) throws(LedgerError) in
                guard sequence == range.size + 1 else { throw .damaged(sequence: range.size + 1) }
                range.append(hasher.leaf(bytes), hasher)
                if sequence % 10_000 == 0 { progress("verify", sequence, manifest.last) }
                return true
            }
            return range
        }
    }
}
