import Foundation
import Testing

/// Backup and restore are ended with SIGKILL at the calls by which they change files, one after the other, by strace. What is left
/// is as good as before or better, and the next run completes it. Every seventh call of each kind, or with
/// LEDGERLINE_KILLS all of them.
@Suite(.serialized, .enabled(if: canTrace, "needs strace and the right to trace")) struct BackupKillTests {
    let scratch: Scratch
    private let step: Int

    init() throws {
        scratch = try Scratch()
        step = ProcessInfo.processInfo.environment["LEDGERLINE_KILLS"] == nil ? 7 : 1
    }

    private static let calls = ["write", "pwrite64", "writev", "sendfile", "copy_file_range", "fsync", "fdatasync", "ftruncate", "rename", "renameat2", "mkdir", "unlink", "rmdir", "chmod"]

    /// Runs the command once for each call at which it can be ended, and hands over what is left.
    private func endEverywhere(
        _ command: [String], before: () async throws -> Void, after: (_ point: Comment) async throws -> Void
    ) async throws -> Int {
        var points = 0
        for call in Self.calls {
            var number = 1
            while true {
                try await before()
                let (status, _) = try await run(
                    "strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):signal=SIGKILL:when=\(number)", Ledgerline.binary.path] + command)
                // Without so many calls it comes to its end.
                guard status != 0 else { break }
                points += 1
                try await after("ended at \(call) \(number), status \(status)")
                number += step
            }
        }
        return points
    }

    private func events(verified backup: String) async throws -> (status: Int32, size: UInt64) {
        let (status, output) = try await Ledgerline.finish(["backup", "verify", backup, "--json"])
        let report = (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
        return (status, report?["events"] as? UInt64 ?? 0)
    }

    private func names(_ directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }

    @Test func endedAnywhereABackupAndARestoreAreWholeOrNotThereAndTheNextRunCompletesThem() async throws {
        let platform = TestPlatform(scratch: scratch.path)
        let server = try await platform.start()
        #expect(try await server.stopped() == 0)
        let (data, to, files) = (platform.data, scratch.path + "/backup", FileManager.default)
        let first = UInt64(try await tamper(platform.ledger, ["grow", "1500", "1"])) ?? 0
        let signed = scratch.path + "/signed"
        try await Ledgerline.finish(["log", "checkpoint", "--data", data]).output.write(toFile: signed, atomically: true, encoding: .utf8)
        let backup = ["backup", "--data", data, "--to", to, "--with-keys"]
        let keys = names(data + "/keys")

        // The whole copy, into an empty place.
        var points = try await endEverywhere(backup) {
            try? files.removeItem(atPath: to)
        } after: { point in
            let left = try await events(verified: to)
            #expect((left.status == 0 && left.size == first) || left.status == 65 || left.status == 74, "\(point): status \(left.status)")
            #expect([[], keys].contains(names(to + "/keys")), point)
            #expect(try await Ledgerline.finish(backup).status == 0, point)
            #expect(try await events(verified: to) == (0, first), point)
            #expect(names(to + "/keys") == keys, point)
            #expect(!names(to).contains { $0.hasSuffix(".partial") }, point)
        }

        // What came after, and keys that have changed.
        let older = scratch.path + "/older"
        try files.moveItem(atPath: to, toPath: older)
        let second = UInt64(try await tamper(platform.ledger, ["grow", "300", "2"])) ?? 0
        try Data("another".utf8).write(to: URL(fileURLWithPath: data + "/keys/another.key"))
        points += try await endEverywhere(backup) {
            try? files.removeItem(atPath: to)
            try files.copyItem(atPath: older, toPath: to)
        } after: { point in
            let left = try await events(verified: to)
            #expect(left.status == 0 && [first, second].contains(left.size), "\(point): \(left)")
            #expect([keys, names(data + "/keys")].contains(names(to + "/keys")), point)
            #expect(try await Ledgerline.finish(backup).status == 0, point)
            #expect(try await events(verified: to) == (0, second), point)
            #expect(names(to + "/keys") == names(data + "/keys"), point)
        }

        // Restore: all of it, and up to an event in the middle of the whole copy.
        let target = scratch.path + "/restored"
        for more in [["--keep-origin"], ["--to-sequence", "\(first - 100)"]] {
            let restore = ["restore", "--from", to, "--data", target] + more
            let size = more.count == 1 ? second : first - 100
            points += try await endEverywhere(restore) {
                try? files.removeItem(atPath: target)
                try? files.removeItem(atPath: target + ".partial")
            } after: { point in
                if !files.fileExists(atPath: target) { #expect(try await Ledgerline.finish(restore).status == 0, point) }
                // Named, so whole.
                let (status, output) = try await Ledgerline.finish(["log", "verify", "--data", target, "--json"])
                let report = (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
                #expect(status == 0 && (report?["events"] as? UInt64 ?? 0).distance(to: size) < 2, "\(point): \(output)")
                #expect(names(target + "/keys") == names(data + "/keys"), point)
            }
        }
        // What was restored under the old name is the log, byte for byte, and holds what was signed before.
        try? files.removeItem(atPath: target)
        #expect(try await Ledgerline.finish(["restore", "--from", to, "--data", target, "--keep-origin", "--checkpoint", signed]).status == 0)
        #expect(try await tamper(target + "/ledger", ["dump"]) == tamper(platform.ledger, ["dump"]))
        #expect(try await Ledgerline.finish(["log", "verify", "--data", target, "--checkpoint", signed]).status == 0)
        // The backup itself was not touched by all of that.
        #expect(try await events(verified: to) == (0, second))
        #expect(points > 30, "only \(points) kills")
        print("backup and restore: ended at \(points) calls")
    }
}

/// Some places forbid it.
private let canTrace: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}()
