import Foundation
import Ledger
import Primitives
import Synchronization

/// Producers as threads, like the clients of the databases beside which this is measured.
struct AppendLoad {
    static let producers = 64
    private static let payloadBytes = 200
    private static let warmNanoseconds: UInt64 = 200_000_000

    let inFlight: Int
    let seconds: Double
    let gatherMax: Int

    /// A producer's commits, one after the other: streams of eight events, each with its expected version.
    struct Lane {
        private var random: RandomSource
        private let payload: [UInt8]
        private var stream = UUIDv7(high: 0, low: 0)
        private var version: UInt64 = 8

        init(number: Int) {
            random = RandomSource(seed: UInt64(number) + 1)
            payload = random.bytes(AppendLoad.payloadBytes)
        }

        mutating func next() -> Commit {
            let time = WallTime(microseconds: Int64(nanoseconds(of: CLOCK_REALTIME) / 1_000))
            if version == 8 {
                stream = UUIDv7(at: time, random: &random)
                version = 0
            }
            defer { version += 1 }
            return Commit(
                events: [NewEvent(stream: stream, type: "call.started", schemaVersion: 1, payload: payload)],
                expectations: [Expectation(stream: stream, version: version)], actor: "bench", cause: "bench", time: time)
        }
    }

    /// How long each commit took that was acknowledged in the time that is measured, in nanoseconds, shortest first.
    func run(on log: LMDBEventLog) throws -> [Double] {
        let committer = GroupCommitter(log, gatherMax: gatherMax)
        let start = nanoseconds(of: CLOCK_MONOTONIC) + Self.warmNanoseconds
        let end = start + UInt64(seconds * 1e9)
        let results = Mutex<[Result<[Double], any Error>]>([])
        let group = DispatchGroup()
        for producer in 0..<Self.producers {
            group.enter()
            let inFlight = inFlight
            let thread = Thread {
                let result = Result { try produce(producer, inFlight, committer, start, end) }
                results.withLock { $0.append(result) }
                group.leave()
            }
            thread.start()
        }
        group.wait()
        committer.stop()
        return try results.withLock { try $0.flatMap { try $0.get() } }.sorted()
    }
}

private func produce(
    _ number: Int, _ inFlight: Int, _ committer: GroupCommitter, _ start: UInt64, _ end: UInt64
) throws -> [Double] {
    var lanes = (0..<inFlight).map { AppendLoad.Lane(number: number * inFlight + $0) }
    var latencies: [Double] = []
    latencies.reserveCapacity(1 << 14)
    var waiting: [(ticket: GroupCommitter.Ticket, lanes: Range<Int>, handed: UInt64)] = []
    var commits: [Commit] = []
    for lane in lanes.indices { commits.append(lanes[lane].next()) }
    waiting.append((try committer.hand(commits), lanes.indices, nanoseconds(of: CLOCK_MONOTONIC)))
    while true {
        // What goes into one flush comes back together.
        let (ticket, range, handed) = waiting.removeFirst()
        let outcomes = try committer.wait(for: ticket)
        let now = nanoseconds(of: CLOCK_MONOTONIC)
        if now >= end { return latencies }
        commits.removeAll(keepingCapacity: true)
        for (lane, outcome) in zip(range, outcomes) {
            guard case .appended = outcome else { throw BenchError.notAppended(outcome) }
            if now >= start { latencies.append(Double(now - handed)) }
            commits.append(lanes[lane].next())
        }
        waiting.append((try committer.hand(commits), range, now))
    }
}

enum BenchError: Error { case notAppended(CommitOutcome) }

func nanoseconds(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
