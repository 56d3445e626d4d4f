import ArgumentParser
import Backup
import Foundation
import Ledger
import OpenSSL
import Synchronization

/// What a backup copies in a second, and what it costs those who wait for an append meanwhile.
struct BackupGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "A whole copy, what came after, a restore; appends beside a backup that never ends.",
        discussion: "Example: ledgerline-bench backup --directory /var/tmp")

    @Option(help: "Where log and backups are made, and removed after; on a disk.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"

    @Option(help: "How long appends are measured, alone and beside a backup.")
    var seconds = 2.0

    private static let events: UInt64 = 600_000

    mutating func run() throws {
        let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let key = SigningKey(seed: [UInt8](repeating: 7, count: 32))!
        let log = try LMDBEventLog(directory: place + "/ledger")
        let backup = Backup(of: log, origin: "bench", key: key, to: place + "/backup")
        var lane = AppendLoad.Lane(number: 0)
        try grow(log, &lane)
        try rate("backup.full") { try backup.run().reduce(0) { $0 + $1.bytes } }
        try grow(log, &lane)
        try rate("backup.incremental") { try backup.run().reduce(0) { $0 + $1.bytes } }
        try rate("backup.verify") { try BackupVerifier(place + "/backup").run().bytes }
        try rate("backup.restore") {
            _ = try Restore(from: place + "/backup").run(into: place + "/restored")
            return try BackupDirectory(place + "/backup").manifests().reduce(0) { $0 + $1.bytes }
        }

        let load = AppendLoad(inFlight: 1, seconds: seconds, gatherMax: 64)
        try tell("backup.append_alone", load.run(on: log))
        let isOver = Mutex(false)
        let copies = DispatchGroup()
        copies.enter()
        let thread = Thread {
            // The whole again and again, each into a place of its own.
            while !isOver.withLock({ $0 }) {
                try? FileManager.default.removeItem(atPath: place + "/beside")
                _ = try? Backup(of: log, origin: "bench", key: key, to: place + "/beside").run(isFull: true)
            }
            copies.leave()
        }
        thread.start()
        let latencies = try load.run(on: log)
        isOver.withLock { $0 = true }
        copies.wait()
        tell("backup.append_beside", latencies)
    }

    private func grow(_ log: LMDBEventLog, _ lane: inout AppendLoad.Lane) throws {
        let end = log.head + Self.events
        while log.head < end { _ = try log.append((0..<4_096).map { _ in lane.next() }) }
    }

    private func rate(_ name: String, _ body: () throws -> UInt64) throws {
        let began = ContinuousClock.now
        let bytes = try body()
        Figure(name: name, value: Double(bytes) / 1e6 / ((ContinuousClock.now - began) / .seconds(1)), unit: "MB/s").print()
    }

    private func tell(_ name: String, _ latencies: [Double]) {
        guard let slowest = latencies.last else { return }
        Figure(name: name, value: Double(latencies.count) / seconds, unit: "events/s").print()
        Figure(name: "\(name)_p50", value: latencies[latencies.count / 2] / 1e6, unit: "ms").print()
        let p99 = latencies.count > 100 ? latencies[latencies.count * 99 / 100] : slowest
        Figure(name: "\(name)_p99", value: p99 / 1e6, unit: "ms").print()
    }
}
