import ArgumentParser
import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections

/// How long a question about the past takes on a long log.
struct AsOfGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "as_of", abstract: "Questions about the past: from a snapshot, from a neighbour, from memory.",
        discussion: "Example: ledgerline-bench as_of --events 5000000 --every 1000000 --directory /var/tmp")

    @Option(help: "Where a directory for the log is made, and removed after.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"
    @Option(help: "Events in the log.") var events: UInt64 = 1_250_000
    @Option(help: "Events between two snapshots.") var every: UInt64 = 1_000_000

    mutating func run() async throws {
        let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        try FileManager.default.createDirectory(atPath: place + "/ledger", withIntermediateDirectories: true)
        let log = try LMDBEventLog(directory: place + "/ledger", durability: .none)
        var calls = SyntheticCalls(seed: 1)
        try calls.append(events, to: log)
        let views = try Views(directory: place + "/views")
        try views.catchUp(with: log)
        let store = SnapshotStore(directory: place + "/snapshots", keys: nil)
        let clock = ContinuousClock()
        var start = clock.now
        var last: UInt64 = 0
        for sequence in stride(from: every, through: log.head, by: Int(every)) {
            last = sequence
            start = clock.now
            try store.write(asOf: sequence, log: log)
        }
        Figure(name: "ledger.snapshot_bytes", value: Double(try bytes(place + "/snapshots/\(last)/data.mdb")), unit: "bytes")
            .print()
        start = clock.now
        let live = SnapshotStore(directory: place + "/live", keys: nil)
        try live.write(from: views, log: log)
        Figure(name: "ledger.snapshot", value: (clock.now - start) / .seconds(1), unit: "s").print()

        // The worst case: just before the next snapshot would have been written.
        let asked = min(last - 1, log.head)
        start = clock.now
        let worst = try store.states(asOf: asked, log: log)
        try ask(worst, views, log)
        let cold = (clock.now - start) / .seconds(1)
        let base = store.sequences.last { $0 <= asked } ?? 0
        Figure(name: "ledger.as_of", value: cold, unit: "s").print()
        Figure(name: "ledger.as_of_replay", value: Double(asked - base) / cold, unit: "events/s").print()
        start = clock.now
        try ask(try store.states(asOf: last, log: log), views, log)
        Figure(name: "ledger.as_of_at_snapshot", value: (clock.now - start) / .milliseconds(1), unit: "ms").print()
        start = clock.now
        try ask(try store.states(asOf: min(asked + 1_000, log.head), log: log, neighbours: [worst]), views, log)
        Figure(name: "ledger.as_of_neighbour", value: (clock.now - start) / .milliseconds(1), unit: "ms").print()
        let again = try timePerRun(round: 10) { try ask(worst, views, log) }
        Figure(name: "ledger.as_of_again", value: again.inMicroseconds, unit: "us").print()
    }

    /// What was asked for: a balance and its newest page of postings.
    private func ask(_ states: StateViews, _ views: Views, _ log: LMDBEventLog) throws {
        try states.read(with: views, log) { past throws(ViewsError) in
            guard let state = try past.accounts(limit: 1).first else { return }
            use(try past.balance(state.account))
            use(try past.postings(of: state.account, limit: 100))
        }
    }

    private func bytes(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
}
