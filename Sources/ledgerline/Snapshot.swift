import ArgumentParser
import ControlPlane
import Foundation
import Ledger
import Primitives
import Projections

struct Snapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes snapshots of the state, so that questions about the past start near their answer.",
        discussion: """
            A running control plane does so by itself. This is for a log that has none yet, or lost them: they are made
            from the log alone, beside a running control plane or without one.
            Example: ledgerline snapshot --data ./data --every 1000000
            """)

    @Option(help: "The data directory.") var data: String
    @Option(help: "As of a time or a sequence; without it the end of the log.") var asOf: String?
    @Option(help: "One each so many events, from the beginning of the log.") var every: UInt64?
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        if let every, every < 1_000 { throw ValidationError("a snapshot every \(every) events is more than the log itself") }
        if asOf != nil, every != nil { throw ValidationError("give --as-of or --every") }
    }

    func run() async throws {
        let opened = try OpenedLog(data)
        let store = SnapshotStore(directory: opened.directory.snapshots, keys: try opened.subjectKeys())
        var progress = Progress("snapshot")
        var written: [UInt64] = []
        do {
            for sequence in try sequences(opened.log) {
                if let done = try store.write(asOf: sequence, log: opened.log, progress: { progress.tell($0, of: $1) }) {
                    written.append(done)
                }
            }
        } catch let error as PastError {
            throw fail(.data, AsOf.reason(error))
        } catch let error as ViewsError {
            throw fail(.inputOutput, "no snapshot could be written: \(error)")
        }
        progress.end()
        if json {
            try printJSON(["written": written, "there": store.sequences])
        } else {
            let list = written.map(String.init).joined(separator: ", ")
            print("written: \(list.isEmpty ? "none, they are there" : list); \(store.sequences.count) in all")
        }
    }

    private func sequences(_ log: LMDBEventLog) throws -> [UInt64] {
        if let every { return Array(stride(from: every, through: log.head, by: Int(clamping: every))) }
        guard let asOf else { return [log.head] }
        guard let moment = Moment(asOf) else {
            throw ValidationError("\(asOf) is neither a time, such as 2026-10-31T23:59:59Z, nor a sequence")
        }
        return [try moment.sequence(in: log, now: .current)]
    }
}
