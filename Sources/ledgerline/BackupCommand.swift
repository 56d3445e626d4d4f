import ArgumentParser
import Backup
import ControlPlane
import Foundation
import Ledger

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Backs the log up beside a running control plane, and checks backups.",
        discussion: "Example: ledgerline backup --data ./data --to /backup/ledgerline",
        subcommands: [Create.self, Verify.self], defaultSubcommand: Create.self)

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies the whole log at first, then what came after; run it again and again.",
            discussion: """
                An interrupted one goes on after the last part that is whole. Keys are not copied unless --with-keys is given: who holds
                the log and its keys can sign in your name and read credentials. Without keys nobody can run a restored copy.
                Example: ledgerline backup --data ./data --to /backup/ledgerline --with-keys
                """)

        @Option(help: "The data directory.") var data: String
        @Option(help: "The directory of the backup; made if it is not there.") var to: String
        @Flag(help: "Copy the whole log again, not only what came after.") var full = false
        @Flag(help: "Also make keys/ of the backup what keys/ of the data directory is now (mode 0600).") var withKeys = false
        @Flag(help: "Print one JSON object.") var json = false

        func run() async throws {
            let opened = try OpenedLog(data)
            let (name, key) = try opened.signer()
            let parts = try backingUp { progress throws(BackupError) in
                let parts = try Backup(of: opened.log, origin: name, key: key, to: to).run(isFull: full, progress: progress)
                if withKeys { try BackupDirectory(to).copyKeys(from: opened.directory.keys) }
                return parts
            }
            if json {
                try printJSON(["parts": parts.map { ["name": $0.name, "first": $0.first, "last": $0.last, "bytes": $0.bytes] }])
            } else {
                for part in parts { print("\(part.name)  \(part.bytes) bytes  sha256 \(part.sha256)") }
                if parts.isEmpty { print("nothing is newer than the backup") }
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads every byte of a backup, and computes the tree that was signed. Needs neither log nor keys.",
            discussion: "Example: ledgerline backup verify /backup/ledgerline")

        @Argument(help: "The directory of the backup.") var directory: String
        @Flag(help: "Print one JSON object.") var json = false

        func run() async throws {
            let report = try backingUp { progress throws(BackupError) in try BackupVerifier(directory).run(progress: progress) }
            if json {
                try printJSON(["intact": true, "parts": report.parts, "events": report.size, "bytes": report.bytes])
            } else {
                print("intact: \(report.parts) parts, \(report.bytes) bytes, up to event \(report.size)")
            }
        }
    }
}

/// Runs with a line of progress, and says in words what went wrong.
func backingUp<R>(_ body: (Backup.Progress) throws(BackupError) -> R) throws -> R {
    var line = Progress("backup")
    var what = ""
    defer { line.end() }
    do throws(BackupError) {
        return try body { step, done, total in
            if step != what {
                what = step
                line = Progress(step, unit: step == "copy" ? "bytes" : "events")
            }
            line.tell(done, of: total)
        }
    } catch {
        switch error {
        case .damaged: throw fail(.checkFailed, "\(error)")
        case .ledger, .file: throw fail(.inputOutput, "\(error)")
        case .otherLog, .outOfReach: throw fail(.data, "\(error)")
        }
    }
}
