import ArgumentParser
import Foundation
import Ledger
import Primitives

struct LedgerGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Durable appends, replay, verification, on a real disk.",
        discussion: "Example: ledgerline-bench ledger append --directory /var/tmp")

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case append, pipelined, reading
    }

    @Argument(help: "One part alone: append, pipelined or reading.")
    var part: Part?

    @Option(help: "Where a directory for the log is made, and removed after; not in memory, or the flushes cost nothing.")
    var directory = FileManager.default.fileExists(atPath: ".build") ? ".build" : "/var/tmp"

    @Option(help: "How long appends are measured.")
    var seconds = 2.0

    @Option(help: "How many commits the committing thread waits for, to try other values.")
    var gatherMax = 64

    private static let readEvents: UInt64 = 300_000

    mutating func run() throws {
        for part in part.map({ [$0] }) ?? Part.allCases {
            let place = "\(directory)/ledgerline-bench-\(ProcessInfo.processInfo.processIdentifier)"
            defer { try? FileManager.default.removeItem(atPath: place) }
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            switch part {
            case .append: try append(to: LMDBEventLog(directory: place), "ledger.append", inFlight: 1)
            case .pipelined: try append(to: LMDBEventLog(directory: place), "ledger.append_pipelined", inFlight: 8)
            case .reading: try read(LMDBEventLog(directory: place))
            }
        }
    }

    /// What 64 producers get from one log, each waiting for its acknowledgement (`append`) or having eight commits
    /// on their way (`append_pipelined`). A commit is one event of 200 bytes with the expected version of its
    /// stream; a stream ends after eight events, like that of a call. Acknowledged is what LMDB's two flushes have
    /// returned for. The latency is from handing a commit over to having its acknowledgement.
    private func append(to log: LMDBEventLog, _ name: String, inFlight: Int) throws {
        let load = AppendLoad(inFlight: inFlight, seconds: seconds, gatherMax: gatherMax)
        let latencies = try load.run(on: log)
        guard let slowest = latencies.last else { throw Failure("nothing was acknowledged") }
        Figure(name: name, value: Double(latencies.count) / seconds, unit: "events/s").print()
        Figure(name: "\(name)_p50", value: latencies[latencies.count / 2] / 1e6, unit: "ms").print()
        let p99 = latencies.count > 100 ? latencies[latencies.count * 99 / 100] : slowest
        Figure(name: "\(name)_p99", value: p99 / 1e6, unit: "ms").print()
    }

    private func read(_ log: LMDBEventLog) throws {
        var lane = AppendLoad.Lane(number: 0)
        while log.head < Self.readEvents { _ = try log.append((0..<4_096).map { _ in lane.next() }) }
        try replay(log)
        try verify(log)
        Figure(name: "ledger.bytes_per_event", value: Double(log.bytesUsed) / Double(log.head), unit: "bytes").print()
    }

    /// What a restart costs: every event is read in order and its envelope taken apart.
    private func replay(_ log: LMDBEventLog) throws {
        let start = threadCPU()
        var bytes = 0
        try log.read(from: 1) { (envelope) throws(LedgerError) in
            bytes += envelope.payload.count
            return true
        }
        use(bytes)
        Figure(name: "ledger.replay", value: Double(log.head) / ((threadCPU() - start) / .seconds(1)), unit: "events/s").print()
    }

    /// What checking a whole log costs on one core: each event read, hashed, compared with the tree, followed in its
    /// stream. And how much of that time is SHA-256: the same bytes hashed alone, which no checker can do without.
    private func verify(_ log: LMDBEventLog) throws {
        let start = threadCPU()
        let report = try LogVerifier(log).run()
        guard report.isIntact else { throw Failure("the log is not intact: \(report)") }
        let time = threadCPU() - start
        Figure(name: "ledger.verify", value: Double(report.events) / (time / .seconds(1)), unit: "events/s").print()

        var sizes: [Int] = []
        try log.readBytes(from: 1) { (_, bytes) throws(LedgerError) in
            sizes.append(bytes.byteCount)
            return true
        }
        let hasher = MerkleHasher()
        let bytes = [UInt8](repeating: 7, count: sizes.max() ?? 0)
        var digest = hasher.emptyRoot
        let hashing = threadCPU()
        for size in sizes { digest = hasher.node(digest, unsafe hasher.leaf(bytes.span.bytes.extracting(0..<size))) }
        use(digest)
        let share = (threadCPU() - hashing) / time
        Figure(name: "ledger.verify_sha256_share", value: share * 100, unit: "%").print()
    }
}
