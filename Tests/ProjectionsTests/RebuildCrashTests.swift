import Foundation
import LMDB
import Ledger
import Primitives
import Testing

@testable import Projections

@Suite struct RebuildCrashTests {
    private func rebuilder(_ directory: String) throws -> (Process, Pipe) {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("crash-rebuilder")
        process.arguments = [directory]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        return (process, pipe)
    }

    /// Real kills at random moments of building, swapping and swapping back.
    @Test func killedAtAnyMomentTheNextStartFindsWholeViews() throws {
        let directory = NSTemporaryDirectory() + "ledgerline-rebuild-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory + "/ledger", withIntermediateDirectories: true)
        // Written by another process's eyes: closed before anybody else opens it.
        do {
            let fixture = try Fixture()
            var history = History(seed: 41)
            try fixture.live(&history, steps: 150)
            let log = try LMDBEventLog(directory: directory + "/ledger", sizeMax: 1 << 28, durability: .none)
            try fixture.log.read(from: 1) { (envelope) throws(LedgerError) in
                _ = try log.append([
                    Commit(
                        events: [
                            NewEvent(
                                stream: envelope.stream, type: envelope.type, schemaVersion: 1, payload: envelope.payload)
                        ], actor: "test", cause: "test", time: envelope.time)
                ])
                return true
            }
        }
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomSource(seed: seed)
        var swaps = 0
        // A busy machine rebuilds slowly: later kills come later, until enough of them have come after a swap.
        for round in 0..<200 where round < 25 || swaps <= 5 {
            let (process, pipe) = try rebuilder(directory)
            var output = Data()
            // Past the opening, so that most of the kills hit a rebuild or a swap.
            if round > 2 { output = pipe.fileHandleForReading.availableData }
            usleep(UInt32(random.next() % UInt64(60_000 * (1 + round / 25))))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            output += pipe.fileHandleForReading.readDataToEndOfFile()
            #expect(process.terminationReason == .uncaughtSignal, "seed \(seed), round \(round)")
            swaps += String(decoding: output, as: UTF8.self).split(separator: "\n").count { $0 == "swapped" }
            try autoreleasing {
                let log = try LMDBEventLog(directory: directory + "/ledger", sizeMax: 1 << 28, durability: .none)
                let opening = try Views.open(
                    directory: directory + "/views", next: directory + "/views.next", former: directory + "/views.former",
                    log: log)
                #expect(opening.condition == .kept || round <= 2, "seed \(seed), round \(round): \(opening.condition)")
                let right = try Views.rebuild(into: directory + "/right", from: log)
                #expect(try Views.difference(opening.views, right) == nil, "seed \(seed), round \(round)")
                #expect(!FileManager.default.fileExists(atPath: directory + "/views.next"))
            }
            try FileManager.default.removeItem(atPath: directory + "/right")
        }
        #expect(swaps > 5, "seed \(seed): the kills came before anything was swapped")
    }

    /// What is opened inside is closed when it returns.
    @inline(never) private func autoreleasing(_ body: () throws -> Void) rethrows { try body() }
}
