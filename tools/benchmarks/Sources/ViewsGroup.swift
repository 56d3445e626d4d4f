import ArgumentParser
import ControlPlane
import Foundation
import LMDB
import Ledger
import Primitives
import Projections
import Subjects

struct ViewsGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "views", abstract: "Rebuilds every view from a log of calls.",
        discussion: "Example: ledgerline-bench views --directory /var/tmp")

    @Option(help: "Where directories for the log and the views are made, and removed after.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"

    @Option(help: "How many events the log has.")
    var events: UInt64 = 500_000

    @Option(help: "Keep the log here and use it again: measuring twice then costs one generation.")
    var log: String?

    @Option(help: "Make the log in this data directory of a platform that was started once, sealed with its keys.")
    var data: String?

    @Option(help: "How many carriers take the calls that go out.")
    var carriers = 10

    @Flag(help: "Make the log and stop: for others to measure with.")
    var logAlone = false

    mutating func run() async throws {
        let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let path = data.map { DataDirectory($0).ledger } ?? log ?? "\(place)/ledger"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let log = try LMDBEventLog(directory: path, durability: .none)
        // What a platform's first start leaves behind.
        let isEmpty = log.head < 1_000
        guard isEmpty || log.head >= events else { throw Failure("\(path) has \(log.head) events: too few, and calls made now would be its first ones again") }
        if isEmpty {
            // Parts are sealed as in any log; a rebuild needs no key.
            let keys = try data.map { try ControlKeys(DataDirectory($0), logName: "", mayMake: false).subjects(DataDirectory($0), isReadOnly: false) }
                ?? SubjectKeys(path: "\(path)/subjects.keys", master: [UInt8](repeating: 7, count: 32))
            var calls = SyntheticCalls(seed: 1, carriers: carriers, keys: keys)
            let began = ContinuousClock.now
            try calls.append(events, to: log)
            try keys.sync()
            if logAlone { Figure(name: "synthetic.append", value: Double(events) / ((ContinuousClock.now - began) / .seconds(1)), unit: "events/s").print() }
        }
        if logAlone { return }
        try replay(log, into: "\(place)/views")
    }

    /// What `ledgerline replay` costs: every view built anew from the log into a fresh directory, on one thread. Beside the
    /// events a second of the clock, those a second of the processor, which other work on the machine does not change.
    private func replay(_ log: LMDBEventLog, into place: String) throws {
        let (began, cpu) = (ContinuousClock.now, threadCPU())
        let views = try Views.rebuild(into: place, from: log)
        let (wall, used) = (ContinuousClock.now - began, threadCPU() - cpu)
        let applied = try views.read { views in views.applied }
        guard applied == log.head else { throw Failure("the views hold \(applied) of \(log.head) events") }
        Figure(name: "ledger.replay_views", value: Double(applied) / (wall / .seconds(1)), unit: "events/s").print()
        Figure(name: "ledger.replay_views_cpu", value: Double(applied) / (used / .seconds(1)), unit: "events/s").print()
        var size = stat()
        guard unsafe stat("\(place)/data.mdb", &size) == 0 else { return }
        Figure(name: "ledger.view_bytes_per_event", value: Double(size.st_size) / Double(applied), unit: "bytes").print()
    }
}
