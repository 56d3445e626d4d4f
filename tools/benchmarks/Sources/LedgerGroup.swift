import ArgumentParser
import Foundation
import Ledger
import Primitives

struct LedgerGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Durable appends, replay, verification, on a real disk.",
        discussion: "Example: ledgerline-bench ledger --directory /var/tmp")

    @Option(help: "Where a directory for the log is made, and removed after; not in memory, or the flushes cost nothing.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"

    private static let producers = 64
    private static let payloadBytes = 200

    mutating func run() async throws {
        let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        for (name, inFlight) in [("ledger.append", 1), ("ledger.append_pipelined", 8)] {
            try? FileManager.default.removeItem(atPath: place)
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let log = try LMDBEventLog(directory: place)
            try await append(to: log, name, inFlight: inFlight)
            guard inFlight > 1 else { continue }
            try replay(log)
            try verify(log)
            Figure(name: "ledger.bytes_per_event", value: Double(log.bytesUsed) / Double(log.head), unit: "bytes").print()
        }
    }

    /// What 64 producers get from one log, each waiting for its acknowledgement (`append`) or having eight commits
    /// on their way (`append_pipelined`). A commit is one event of 200 bytes with the expected version of its
    /// stream; a stream ends after eight events, like that of a call. Acknowledged is what `fdatasync` has
    /// returned for. The latency is from handing a commit over to having its acknowledgement.
    private func append(to log: LMDBEventLog, _ name: String, inFlight: Int) async throws {
        let committer = GroupCommitter(log)
        defer { committer.stop() }
        let clock = ContinuousClock()
        let warm = clock.now + .milliseconds(200)
        let end = warm + .seconds(2)
        let latencies = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for lane in 0..<(Self.producers * inFlight) {
                group.addTask { try await produce(UInt64(lane), to: committer, from: warm, until: end) }
            }
            var all: [Duration] = []
            for try await some in group { all += some }
            return all.sorted()
        }
        guard let slowest = latencies.last else { throw CleanExit.message("nothing was acknowledged") }
        Figure(name: name, value: Double(latencies.count) / ((end - warm) / .seconds(1)), unit: "events/s").print()
        Figure(name: "\(name)_p50", value: latencies[latencies.count / 2] / .milliseconds(1), unit: "ms").print()
        let p99 = latencies.count > 100 ? latencies[latencies.count * 99 / 100] : slowest
        Figure(name: "\(name)_p99", value: p99 / .milliseconds(1), unit: "ms").print()
    }

    /// One commit after the other; returns how long those took that were acknowledged between the two times.
    private func produce(
        _ lane: UInt64, to committer: GroupCommitter, from start: ContinuousClock.Instant,
        until end: ContinuousClock.Instant
    ) async throws -> [Duration] {
        let clock = ContinuousClock()
        var random = RandomSource(seed: lane + 1)
        let payload = random.bytes(Self.payloadBytes)
        var latencies: [Duration] = []
        while true {
            let time = WallTime(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
            let stream = UUIDv7(at: time, random: &random)
            for version in 0..<UInt64(8) {
                let commit = Commit(
                    events: [NewEvent(stream: stream, type: "call.started", schemaVersion: 1, payload: payload)],
                    expectations: [Expectation(stream: stream, version: version)], actor: "bench", cause: "bench",
                    time: time)
                let handed = clock.now
                let outcome = try await committer.submit(commit)
                let now = clock.now
                guard case .appended = outcome else { throw CleanExit.message("not appended: \(outcome)") }
                if now >= end { return latencies }
                if now >= start { latencies.append(now - handed) }
            }
        }
    }

    /// What a restart costs: every event is read in order and its envelope taken apart.
    private func replay(_ log: LMDBEventLog) throws {
        let start = ContinuousClock().now
        var bytes = 0
        try log.read(from: 1) { (envelope) throws(LedgerError) in
            bytes += envelope.payload.count
            return true
        }
        use(bytes)
        let rate = Double(log.head) / ((ContinuousClock().now - start) / .seconds(1))
        Figure(name: "ledger.replay", value: rate, unit: "events/s").print()
    }

    /// What checking a whole log costs: each event read, hashed, compared with the tree, followed in its stream.
    private func verify(_ log: LMDBEventLog) throws {
        let start = ContinuousClock().now
        let report = try LogVerifier(log).run()
        guard report.isIntact else { throw CleanExit.message("the log is not intact: \(report)") }
        let rate = Double(report.events) / ((ContinuousClock().now - start) / .seconds(1))
        Figure(name: "ledger.verify", value: rate, unit: "events/s").print()
    }
}
