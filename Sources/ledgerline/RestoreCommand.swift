import ArgumentParser
import Backup
import Foundation
import Ledger
import OpenSSL
import Primitives

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Makes a data directory of a backup, as it was at the end or at some point, and verifies it.",
        discussion: """
            What is restored is a new history from there on: the log gets a name of its own, so that no checkpoint of it is taken for one
            of the original. --keep-origin keeps the name; only for when the original is gone and nothing after the newest backup was
            shown to anybody. The control plane builds the views at its first start.
            Example: ledgerline restore --from /backup/ledgerline --data ./restored --to-time 2026-11-01T00:00:00Z
            """)

    @Option(help: "The directory of the backup.") var from: String
    @Option(help: "The data directory to make; must not be there.") var data: String
    @Option(help: "The last event; rounded down to the end of a commit.") var toSequence: UInt64?
    @Option(help: "What was recorded up to then (RFC 3339).") var toTime: String?
    @Option(help: "A checkpoint from before; the restored log must hold the tree that it signed.") var checkpoint: String?
    @Flag(help: "The same history goes on, under the same name.") var keepOrigin = false
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        if toSequence != nil, toTime != nil { throw ValidationError("give one of --to-sequence and --to-time") }
        if keepOrigin, toSequence != nil || toTime != nil {
            throw ValidationError("--keep-origin is for the newest state: events after it would be a second history under the same name")
        }
    }

    func run() async throws {
        var target = Restore.Target.newest
        if let toSequence { target = .sequence(toSequence) }
        if let toTime {
            guard let time = WallTime(rfc3339: toTime) else { throw fail(.data, "\(toTime) is not a time such as 2026-11-01T00:00:00Z") }
            target = .time(time)
        }
        let signed = try checkpoint.map { try readCheckpoint($0) }
        let outcome = try backingUp { [target] progress throws(BackupError) in
            try Restore(from: from).run(into: data, target: target, signed: signed, keepsOrigin: keepOrigin, progress: progress)
        }
        if json {
            try printJSON([
                "events": outcome.size, "root_hash": hex(outcome.root.bytes), "origin": outcome.origin, "has_keys": outcome.hasKeys,
            ])
        } else {
            print("restored    \(outcome.size) events in \(data), every one verified")
            print("tree head   \(Base64.encode(outcome.root.bytes))")
            print("origin      \(outcome.origin)")
            if !outcome.hasKeys {
                print("keys        not in the backup: copy log-signing.pem, vault.key, curve.key and the rest into \(data)/keys before a start")
            }
        }
    }

    /// Checked with the key that is in the backup.
    private func readCheckpoint(_ path: String) throws -> Checkpoint {
        guard let note = try? String(contentsOfFile: path, encoding: .utf8) else { throw fail(.noInput, "\(path) cannot be read") }
        let (name, key) = try backingUp { _ throws(BackupError) in try BackupDirectory(from).verifier() }
        do throws(CheckpointError) {
            return try Checkpoint(note: note, key: key)
        } catch {
            throw fail(.checkFailed, "\(path) is not a checkpoint signed by \(name): \(error)")
        }
    }
}
