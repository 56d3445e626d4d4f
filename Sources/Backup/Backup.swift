internal import Foundation
package import Ledger
package import OpenSSL
import Primitives

/// Copies a log, whole at first and then what came after, while its writer goes on.
package struct Backup: Sendable {
    /// A part of events ends after this many or at this many bytes, at the end of a commit: an interrupted backup goes on
    /// after the last part that is whole.
    package var partEventsMax: UInt64 = 1_000_000
    package var partBytesMax: UInt64 = 256 << 20

    private let log: LMDBEventLog
    private let directory: BackupDirectory
    private let origin: String
    private let key: SigningKey

    package init(of log: LMDBEventLog, origin: String, key: SigningKey, to path: String) {
        self.log = log
        self.origin = origin
        self.key = key
        directory = BackupDirectory(path)
    }

    /// What is being done; bytes of bytes for the copy, events of events after it.
    package typealias Progress = (_ what: String, _ done: UInt64, _ total: UInt64) -> Void

    /// - Parameter isFull: whether the whole is copied again.
    /// - Returns: the parts that were added.
    package func run(isFull: Bool = false, progress: Progress = { _, _, _ in }) throws(BackupError) -> [Manifest] {
        try Files.makeDirectory(directory.path)
        for name in Files.names(in: directory.path) where name.hasSuffix(Files.partial) {
            Files.remove(directory.path + "/" + name)
        }
        let noteKey = key.verifyingKey.noteKey(name: origin) + "\n"
        if !Files.exists(directory.verifierPath) {
            try Files.write(Array(noteKey.utf8), to: directory.verifierPath, mode: 0o644)
        }
        let known = try directory.verifier()
        guard known.name == origin, known.key == key.verifyingKey else {
            throw .otherLog(reason: "it is of \(known.name), this log is \(origin) with its own key")
        }
        let present = try directory.manifests()
        if let newest = present.last { try check(newest) }
        var added: [Manifest] = []
        if isFull || present.isEmpty {
            if let full = try full(after: present.last, progress) { added.append(full) }
        } else {
            let head = log.head
            var last = present[present.count - 1]
            while last.last < head {
                last = try events(after: last, upTo: head, progress)
                added.append(last)
            }
        }
        return added
    }

    /// The log must still hold what was backed up before; else one of the two was rewritten, and both must be kept.
    private func check(_ manifest: Manifest) throws(BackupError) {
        let checkpoint = try directory.checkpoint(of: manifest)
        let head = log.head
        guard checkpoint.size <= head else {
            throw .otherLog(reason: "it reaches to event \(checkpoint.size), the log only to \(head)")
        }
        guard try onLog({ () throws(LedgerError) in try log.rootHash(size: checkpoint.size) }) == checkpoint.root else {
            throw .otherLog(reason: "up to event \(checkpoint.size) the log is not what was backed up")
        }
    }

    private func full(after previous: Manifest?, _ progress: Progress) throws(BackupError) -> Manifest? {
        let draft = directory.path + "/full" + Files.partial
        try Files.makeDirectory(draft)
        let total = UInt64(log.bytesUsed)
        // LMDB copies in one call; the size of the file tells how far it is.
        let result = CopyResult()
        let thread = Thread { [log] in
            do throws(LedgerError) {
                try log.copy(to: draft)
                result.finish(nil)
            } catch {
                result.finish(error)
            }
        }
        thread.start()
        while !result.wait(milliseconds: 200) {
            let size = (try? FileManager.default.attributesOfItem(atPath: draft + "/data.mdb")[.size] as? NSNumber)?.uint64Value
            progress("copy", min(size ?? 0, total), total)
        }
        if let error = result.error { throw .ledger(error) }
        try Files.sync(draft + "/data.mdb")
        let (size, root, time) = try onLog { () throws(LedgerError) in
            let copy = try LMDBEventLog(directory: draft, isReadOnly: true)
            let head = copy.head
            return (head, try copy.rootHash(size: head), try copy.event(at: head)?.time ?? WallTime(microseconds: 0))
        }
        Files.remove(draft + "/lock.mdb")
        guard size > 0, size != previous?.last || previous?.kind != .full else {
            Files.remove(draft)
            if size == 0 { throw .outOfReach(reason: "the log is empty: there is nothing to back up") }
            return nil
        }
        let digest = try Files.digest(draft + "/data.mdb")
        let manifest = Manifest(
            kind: .full, first: 1, last: size, bytes: digest.bytes, sha256: digest.sha256,
            previous: previous?.hash ?? Manifest.none, time: time,
            checkpoint: Checkpoint(origin: origin, size: size, root: root).signed(with: key))
        let place = directory.path + "/" + manifest.name
        // Left by a backup that was ended between the copy's name and its manifest.
        Files.remove(place)
        try Files.rename(draft, to: place)
        try Files.write(Array(manifest.text.utf8), to: place + ".manifest", mode: 0o644)
        return manifest
    }

    private func events(
        after previous: Manifest, upTo head: UInt64, _ progress: Progress
    ) throws(BackupError) -> Manifest {
        let draft = directory.path + "/events" + Files.partial
        Files.remove(draft)
        var file = try FileWriter(draft)
        try file.write(EventsFile.title)
        let first = previous.last + 1
        var last = previous.last
        var time = previous.time
        var fault: BackupError?
        try onLog { () throws(LedgerError) in
            try log.readBytes(from: first) { (sequence, bytes) throws(LedgerError) in
                guard sequence == last + 1, let envelope = Envelope(parsing: bytes), envelope.sequence == sequence else {
                    throw .damaged(sequence: last + 1)
                }
                guard sequence <= head else { return false }
                let isEnough = sequence - first >= partEventsMax || file.count >= partBytesMax
                if isEnough, envelope.commit == sequence { return false }
                do throws(BackupError) {
                    try file.write(EventsFile.event(bytes))
                } catch {
                    fault = error
                    return false
                }
                last = sequence
                time = envelope.time
                if sequence % 10_000 == 0 { progress("events", sequence, head) }
                return true
            }
            guard fault == nil, last >= first else { return }
            try log.readCommands(of: first...last) { (key, value) throws(LedgerError) in
                guard fault == nil else { return }
                do throws(BackupError) {
                    try file.write(EventsFile.command(key, value))
                } catch {
                    fault = error
                }
            }
        }
        if let fault { throw fault }
        guard last >= first else { throw .ledger(.damaged(sequence: first)) }
        let digest = try file.finish()
        let root = try onLog { () throws(LedgerError) in try log.rootHash(size: last) }
        let manifest = Manifest(
            kind: .events, first: first, last: last, bytes: digest.bytes, sha256: digest.sha256, previous: previous.hash,
            time: time, checkpoint: Checkpoint(origin: origin, size: last, root: root).signed(with: key))
        try Files.rename(draft, to: directory.path + "/" + manifest.file)
        try Files.write(Array(manifest.text.utf8), to: directory.path + "/" + manifest.name + ".manifest", mode: 0o644)
        return manifest
    }
}
