import Foundation
import Primitives
import Testing

@testable import Ledger

/// The writer that these tests end, beside the tests themselves.
func program() throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("crash-writer").path
}

@Suite struct CrashTests {
    private func writer(_ arguments: String..., input: Pipe? = nil) throws -> (Process, Pipe) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try program())
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        if let input { process.standardInput = input }
        try process.run()
        return (process, pipe)
    }

    /// Real kills at random moments of one growing log: sixty, or as many as LEDGERLINE_KILLS says.
    @Test(arguments: ["append", "record"])
    func killedAtAnyMomentTheLogHoldsWhatItAcknowledgedAndNothingHalf(_ way: String) throws {
        let directory = try TemporaryDirectory()
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomSource(seed: seed)
        var acknowledgedInAll = 0
        let rounds = ProcessInfo.processInfo.environment["LEDGERLINE_KILLS"].flatMap { UInt64($0) } ?? 60
        for round in 0..<rounds {
            let (process, pipe) = try writer(way, directory.path, "\(seed &+ round)")
            // From before the first append to a few dozen commits later.
            let patience = random.next() % 40
            var output = Data()
            if patience > 2 { output = pipe.fileHandleForReading.availableData }
            usleep(UInt32(patience) * 1_000)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            output += pipe.fileHandleForReading.readDataToEndOfFile()
            // A line that was cut off by the kill was not said.
            let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            let acknowledged = lines.compactMap { UInt64($0) }
            acknowledgedInAll += acknowledged.count

            let log = try LMDBEventLog(directory: directory.path)
            #expect(log.head >= acknowledged.last ?? 0, "seed \(seed), round \(round)")
            let report = try LogVerifier(log).run()
            #expect(report.isIntact && report.events == log.head, "seed \(seed), round \(round): \(String(describing: report.finding))")
            // The last commit is there whole.
            if let last = try log.event(at: log.head) {
                let size = 1 + (UInt64(last.cause) ?? 0) % 3
                #expect(log.head - last.commit + 1 == size, "seed \(seed), round \(round)")
            }
        }
        #expect(acknowledgedInAll > rounds, "the kills came before anything was written")
    }

    @Test func aFullDiskRefusesTheBatchWholeAndTheLogGoesOnAfterwards() throws {
        let directory = try TemporaryDirectory()
        let (process, pipe) = try writer("fill", directory.path)
        let lines = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(lines.count == 3)
        #expect(lines.first == "refused the disk is full or failing: nothing was recorded, check its free space and its health")
        #expect(lines.dropFirst().first?.hasSuffix("true") == true)
        #expect(lines.last == "then true true")
    }

    /// A file system of its own, full with the log and a ballast file: the kernel says ENOSPC in the middle of a commit.
    @Test(.enabled(if: getuid() == 0, "only root mounts a file system"))
    func aFullFileSystemRefusesTheBatchWholeAndTheLogGoesOnWhenThereIsRoom() throws {
        let directory = try TemporaryDirectory()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        // The mount is seen by this process alone and ends with it.
        process.arguments = [
            "--mount", "sh", "-c",
            """
            mount -t tmpfs -o size=2m ledgerline-test "$1" && head -c 1m /dev/zero > "$1/ballast" && mkdir "$1/log" &&
            exec "$2" fill "$1/log" "$1/ballast"
            """, "sh", directory.path, try program(),
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let lines = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(lines.first?.hasPrefix("refused the disk is full") == true && lines.count == 3)
        #expect(lines.dropFirst().first?.hasSuffix("true") == true)
        #expect(lines.last == "then true true")
    }

    @Test func aSecondProcessIsRefusedWhileTheFirstWritesAndMayReadBesideIt() throws {
        let directory = try TemporaryDirectory()
        let (process, output) = try writer("hold", directory.path, input: Pipe())
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "open\n")
        let refusal = LedgerError.directoryInUse(path: directory.path)
        #expect(throws: refusal) { try LMDBEventLog(directory: directory.path) }
        #expect("\(refusal)" == "another process writes to \(directory.path): stop it, or use another directory")
        #expect(try LMDBEventLog(directory: directory.path, isReadOnly: true).head == 0)
        // The lock ends with the process, however it ends.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(try LMDBEventLog(directory: directory.path).append([commit([event(1)])]) == [.appended(1...1)])
    }
}
