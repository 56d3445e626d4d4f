import Foundation
import Primitives
import Testing

@testable import Ledger

@Suite struct CrashTests {
    private func writer(_ arguments: String...) throws -> (Process, Pipe) {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("crash-writer")
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        return (process, pipe)
    }

    /// Sixty real kills at random moments of one growing log.
    @Test func killedAtAnyMomentTheLogHoldsWhatItAcknowledgedAndNothingHalf() throws {
        let directory = try TemporaryDirectory()
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomSource(seed: seed)
        var acknowledgedInAll = 0
        for round in 0..<60 as Range<UInt64> {
            let (process, pipe) = try writer("append", directory.path, "\(seed &+ round)")
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
        #expect(acknowledgedInAll > 60, "the kills came before anything was written")
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
}
