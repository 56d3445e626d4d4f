internal import Foundation
import LMDB
package import Ledger
package import OpenSSL
package import Primitives

/// Makes a data directory of a backup, as the log was after a certain event, and verifies it.
package struct Restore: Sendable {
    package enum Target: Hashable, Sendable {
        case newest
        /// Rounded down to the end of a commit: half a commit never was.
        case sequence(UInt64)
        /// What was recorded before the first event after this time.
        case time(WallTime)
    }

    package struct Outcome: Hashable, Sendable {
        package let size: UInt64
        package let root: SHA256Digest
        /// The name of the restored log.
        package let origin: String
        package let hasKeys: Bool
    }

    private static let batch = 4_096
    private let directory: BackupDirectory

    package init(from path: String) { directory = BackupDirectory(path) }

    /// - Parameters:
    ///   - path: must not exist yet.
    ///   - signed: a checkpoint of the original; the restored log must hold its tree, if it reaches so far.
    ///   - keepsOrigin: the original is gone and nothing after its newest backup was shown to anybody, so that this is no
    ///     second history but the same one.
    package func run(
        into path: String, target: Target = .newest, signed: Checkpoint? = nil, keepsOrigin: Bool = false,
        progress: Backup.Progress = { _, _, _ in }
    ) throws(BackupError) -> Outcome {
        guard !Files.exists(path) else { throw .file(path: path, reason: "it is there already; name a new directory") }
        let manifests = try directory.manifests()
        guard let newest = manifests.last else { throw .outOfReach(reason: "\(directory.path) holds no backup") }
        let draft = path + Files.partial
        Files.remove(draft)
        try Files.makeDirectory(draft + "/ledger")
        let limit = try limit(target, manifests)
        guard limit <= newest.last else {
            throw .outOfReach(reason: "the backup reaches to event \(newest.last), not to \(limit)")
        }
        let outcome = try fill(draft, manifests, limit, signed, keepsOrigin, progress)
        try Files.rename(draft, to: path)
        return outcome
    }

    private func fill(
        _ draft: String, _ manifests: [Manifest], _ limit: UInt64, _ signed: Checkpoint?, _ keepsOrigin: Bool,
        _ progress: Backup.Progress
    ) throws(BackupError) -> Outcome {
        let (name, key) = try directory.verifier()
        let ledger = draft + "/ledger"
        let base = manifests.last { $0.kind == .full && $0.last <= limit }
        if let base { try copy(base, to: ledger) }
        let log = try onLog { () throws(LedgerError) in try LMDBEventLog(directory: ledger, durability: .none) }
        if base == nil { try take(from: manifests[0], limit, into: log, progress) }
        for manifest in manifests where manifest.kind == .events && manifest.last > log.head && log.head < limit {
            try add(manifest, limit, to: log, progress)
        }
        let size = log.head
        guard size > 0 else { throw .outOfReach(reason: "there is no whole commit up to event \(limit)") }
        try onLog { () throws(LedgerError) in try log.sync() }
        // What was signed of it when it was backed up, and what the operator brought along.
        let reached = manifests.last { $0.last <= size }
        for checkpoint in [try reached.map { manifest throws(BackupError) in try directory.checkpoint(of: manifest) }, signed] {
            guard let checkpoint, checkpoint.size <= size || checkpoint == signed else { continue }
            let report = try onLog { () throws(LedgerError) in
                try LogVerifier(log).run(against: checkpoint) { progress("verify", $0, size) }
            }
            if let finding = report.finding {
                throw .damaged(part: "the restored log", reason: "\(finding) against the checkpoint of \(checkpoint.size) events")
            }
        }
        let root = try onLog { () throws(LedgerError) in try log.rootHash(size: size) }
        let origin = keepsOrigin ? name : Self.origin(continuing: name, size, root)
        if !keepsOrigin {
            try onLog { () throws(LedgerError) in
                try log.mark(continues: Checkpoint(origin: name, size: size, root: root).body)
            }
        }
        try onLog { () throws(LedgerError) in try log.sync() }
        return Outcome(size: size, root: root, origin: origin, hasKeys: try keys(draft, origin, key))
    }

    /// Names the restored log apart from the original, so that no checkpoint of one is taken for one of the other.
    private static func origin(continuing name: String, _ size: UInt64, _ root: SHA256Digest) -> String {
        "\(name)/restored-\(size)-\(hex(Array(root.bytes.prefix(4))))"
    }

    /// The keys, if they were backed up; the public one always, under the new name.
    private func keys(_ draft: String, _ origin: String, _ key: VerifyingKey) throws(BackupError) -> Bool {
        let place = draft + "/keys"
        try Files.makeDirectory(place)
        let names = Files.names(in: directory.keys).filter { $0 != "log-signing.pub" && !$0.hasSuffix(Files.partial) }
        for name in names { try Files.write(try Files.read(directory.keys + "/" + name), to: place + "/" + name) }
        try Files.write(Array((key.noteKey(name: origin) + "\n").utf8), to: place + "/log-signing.pub", mode: 0o644)
        return names.contains("log-signing.pem")
    }

    // MARK: Where it ends

    private func limit(_ target: Target, _ manifests: [Manifest]) throws(BackupError) -> UInt64 {
        switch target {
        case .newest: return manifests.last?.last ?? 0
        case .sequence(let sequence):
            guard sequence > 0 else { throw .outOfReach(reason: "there is no event 0") }
            return sequence
        case .time(let time):
            // The part in which the first event after that time can be.
            guard let part = manifests.first(where: { $0.time > time }) else { return manifests.last?.last ?? 0 }
            var last: UInt64 = part.first - 1
            var isOver = false
            try read(part) { record throws(BackupError) in
                guard !isOver, case .event(let bytes) = record else { return !isOver }
                guard let envelope = unsafe Envelope(parsing: bytes.span.bytes) else { return false }
                if envelope.time > time { isOver = true } else { last = envelope.sequence }
                return !isOver
            }
            guard last > 0 else { throw .outOfReach(reason: "the log has no event up to \(time.rfc3339)") }
            return last
        }
    }

    // MARK: What goes in

    private func copy(_ manifest: Manifest, to ledger: String) throws(BackupError) {
        let source = directory.path + "/" + manifest.file
        try checkDigest(try Files.digest(source), manifest)
        do {
            try FileManager.default.copyItem(atPath: source, toPath: ledger + "/data.mdb")
        } catch {
            throw .file(path: ledger, reason: "it cannot be written: \(error.localizedDescription)")
        }
    }

    /// Part of a whole copy: its events up to the limit, as if they had come one after the other.
    private func take(
        from manifest: Manifest, _ limit: UInt64, into log: LMDBEventLog, _ progress: Backup.Progress
    ) throws(BackupError) {
        try checkDigest(try Files.digest(directory.path + "/" + manifest.file), manifest)
        let folder = directory.path + "/" + manifest.name
        defer { Files.remove(folder + "/lock.mdb") }
        let copy = try onLog { () throws(LedgerError) in try LMDBEventLog(directory: folder, isReadOnly: true) }
        var filler = Filler(log, limit)
        try onLog { () throws(LedgerError) in
            try copy.readBytes(from: 1) { (sequence, bytes) throws(LedgerError) in
                if sequence % 10_000 == 0 { progress("restore", sequence, limit) }
                var envelope: [UInt8] = []
                unsafe bytes.withUnsafeBytes { unsafe envelope.append(contentsOf: $0) }
                return try filler.add(envelope)
            }
            try filler.finish()
            guard log.head > 0 else { return }
            var commands: [(key: [UInt8], value: [UInt8])] = []
            try copy.readCommands(of: 1...log.head) { (key, value) throws(LedgerError) in
                commands.append((key, value))
                guard commands.count == Self.batch else { return }
                try log.adopt([], commands: commands)
                commands.removeAll()
            }
            try log.adopt([], commands: commands)
        }
    }

    private func add(
        _ manifest: Manifest, _ limit: UInt64, to log: LMDBEventLog, _ progress: Backup.Progress
    ) throws(BackupError) {
        let start = log.head
        var filler = Filler(log, limit)
        var commands: [(key: [UInt8], value: [UInt8])] = []
        let name = manifest.name
        let digest = try EventsFile.read(directory.path + "/" + manifest.file, name) { record throws(BackupError) in
            switch record {
            case .event(let bytes):
                _ = try onLog { () throws(LedgerError) in try filler.add(bytes, after: start) }
                progress("restore", log.head, limit)
            case .command(let key, let value):
                try onLog { () throws(LedgerError) in try filler.finish() }
                // Of a commit that is not part of what is restored.
                guard let first = Commands.first(value), first <= log.head else { return }
                commands.append((key, value))
                guard commands.count == Self.batch else { return }
                try onLog { () throws(LedgerError) in try log.adopt([], commands: commands) }
                commands.removeAll()
            }
        }
        try checkDigest(digest, manifest)
        try onLog { () throws(LedgerError) in
            try filler.finish()
            try log.adopt([], commands: commands)
        }
    }

    private func read(
        _ manifest: Manifest, _ body: (EventsFile.Record) throws(BackupError) -> Bool
    ) throws(BackupError) {
        switch manifest.kind {
        case .events:
            var goesOn = true
            _ = try EventsFile.read(directory.path + "/" + manifest.file, manifest.name) { record throws(BackupError) in
                if goesOn { goesOn = try body(record) }
            }
        case .full:
            let folder = directory.path + "/" + manifest.name
            defer { Files.remove(folder + "/lock.mdb") }
            let copy = try onLog { () throws(LedgerError) in try LMDBEventLog(directory: folder, isReadOnly: true) }
            var fault: BackupError?
            try onLog { () throws(LedgerError) in
                try copy.readBytes(from: 1) { (_, bytes) throws(LedgerError) in
                    var envelope: [UInt8] = []
                    unsafe bytes.withUnsafeBytes { unsafe envelope.append(contentsOf: $0) }
                    do throws(BackupError) {
                        return try body(.event(envelope))
                    } catch {
                        fault = error
                        return false
                    }
                }
            }
            if let fault { throw fault }
        }
    }

    private func checkDigest(_ digest: (bytes: UInt64, sha256: String), _ manifest: Manifest) throws(BackupError) {
        guard digest.bytes == manifest.bytes, digest.sha256 == manifest.sha256 else {
            throw .damaged(part: manifest.name, reason: "its file is not the one that was written (SHA-256 differs)")
        }
    }
}

enum Commands {
    /// The first event of the commit that a stored outcome belongs to.
    static func first(_ value: [UInt8]) -> UInt64? {
        value.count >= 16 ? value[..<8].reduce(0) { $0 << 8 | UInt64($1) } : nil
    }
}

/// Puts events into a log in batches of whole commits, up to a limit.
struct Filler {
    private static let batch = 4_096
    private let log: LMDBEventLog
    private let limit: UInt64
    /// Whole commits.
    private var ready: [[UInt8]] = []
    /// The commit that is being read.
    private var open: [[UInt8]] = []

    init(_ log: LMDBEventLog, _ limit: UInt64) {
        self.log = log
        self.limit = limit
    }

    /// - Returns: whether more is wanted.
    mutating func add(_ bytes: [UInt8], after start: UInt64 = 0) throws(LedgerError) -> Bool {
        guard let envelope = unsafe Envelope(parsing: bytes.span.bytes) else { throw .damaged(sequence: log.head + 1) }
        guard envelope.sequence > start else { return true }
        if envelope.commit == envelope.sequence {
            ready += open
            open.removeAll(keepingCapacity: true)
            if ready.count >= Self.batch { try flush() }
        }
        guard envelope.sequence <= limit else {
            // The commit goes on past the limit, or a new one begins there: either way `open` holds the cut one alone.
            open.removeAll()
            return false
        }
        open.append(bytes)
        return true
    }

    /// After the last event: a commit that ends there is whole.
    mutating func finish() throws(LedgerError) {
        ready += open
        open.removeAll()
        try flush()
    }

    private mutating func flush() throws(LedgerError) {
        guard !ready.isEmpty else { return }
        try log.adopt(ready)
        ready.removeAll(keepingCapacity: true)
    }
}
