import ArgumentParser
import Foundation
import Ledger
import Projections

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rebuilds every view from the log beside the running ones, and compares.",
        discussion: """
            Nothing of the data directory is changed. Exit status 1 if a view differs; says which and where.
            Example: ledgerline replay --data ./data --check
            """)

    @Option(help: "The data directory.") var data: String
    @Flag(help: "Compare with the running views.") var check = false
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard check else { throw ValidationError("give --check: the control plane rebuilds views by itself when it has to") }
    }

    func run() async throws {
        let opened = try OpenedLog(data)
        let views = try opened.views()
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("ledgerline-replay-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        var progress = Progress("replay")
        let began = ContinuousClock.now
        let result: (applied: UInt64, difference: ViewsDifference?)
        do throws(ViewsError) {
            result = try views.check(against: opened.log, replayingInto: scratch) { progress.tell($0, of: $1) }
        } catch {
            throw fail(.inputOutput, "\(error)")
        }
        progress.end()
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        if json {
            try printJSON([
                "equal": result.difference == nil, "events": result.applied, "seconds": (seconds * 1_000).rounded() / 1_000,
                "difference": result.difference.map { "\($0)" } ?? NSNull(),
            ])
        } else if let difference = result.difference {
            print("the views differ after \(result.applied) events: \(difference)")
        } else {
            print("every view was rebuilt from \(result.applied) events and is equal")
        }
        if result.difference != nil { throw ExitCode(ExitStatus.checkFailed.rawValue) }
    }
}
