import Foundation
import LMDB
import Ledger
import Model
import Primitives
import Projections
import Subjects
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// A control core on a directory of its own, with a clock that the test moves and a seed.
final class TestPlatform {
    let directory: TemporaryDirectory
    var log: LMDBEventLog
    let keys: SubjectKeys
    var views: Views
    var core: ControlCore
    private(set) var now = Instant.zero
    private(set) var wall: WallTime
    private var tickets: UInt64 = 0
    private var requests: UInt64 = 0
    /// What the core wanted to be done, since it was last looked at.
    var feed: [FeedMessage] = []
    var notes: [ControlNote] = []
    var admissions: [Admission] = []

    static let vaultKey = [UInt8](repeating: 7, count: 32)

    init(seed: UInt64 = 1, settings: ControlSettings = ControlSettings(), location: Bool = false) throws {
        directory = TemporaryDirectory()
        wall = WallTime(rfc3339: "2026-11-21T12:00:00Z")!
        log = try LMDBEventLog(directory: directory.path + "/ledger", sizeMax: 1 << 30, durability: .none)
        keys = try SubjectKeys(path: directory.path + "/subjects.keys", master: Self.vaultKey)
        views = try Views(directory: directory.path + "/views", keys: keys, sizeMax: 1 << 30)
        core = try ControlCore(
            log: log, views: views, vault: try Vault(key: Self.vaultKey), random: RandomSource(seed: seed),
            settings: settings,
            location: location ? try LocationStore(directory: directory.path + "/location", keys: keys) : nil, now: now, wall: wall)
    }

    /// Another core over the same log and views, as after a restart of the process.
    func restart(log other: (any EventLog)? = nil, seed: UInt64 = 2, settings: ControlSettings = ControlSettings()) throws {
        core = try ControlCore(
            log: other ?? log, views: views, vault: try Vault(key: Self.vaultKey), random: RandomSource(seed: seed),
            settings: settings, now: now, wall: wall)
    }

    // MARK: - time

    func advance(_ duration: Duration) {
        now = now + duration
        wall = wall + duration
    }

    /// Time goes on in steps, with the workers' heartbeats.
    func run(_ duration: Duration, beating workers: [String] = [], calls: [String: UInt32] = [:]) {
        var left = duration
        while left > .zero {
            let step = min(left, .seconds(1))
            advance(step)
            for worker in workers { _ = try? desk(worker, .with { $0.heartbeat.calls = calls[worker] ?? 0 }) }
            take(core.tick(now: now, wall: wall))
            left -= step
        }
    }

    private func take(_ outputs: [Output]) {
        for output in outputs {
            switch output {
            case .feed(let message): feed.append(message)
            case .note(let note): notes.append(note)
            case .admission(let admission): admissions.append(admission)
            case .reply, .adminResult: break
            }
        }
    }

    // MARK: - asking

    func process(_ batch: [Work]) -> [Output] {
        let outputs = core.process(batch, now: now, wall: wall)
        take(outputs)
        return outputs
    }

    func work(_ command: AdminCommand, key: String? = nil, fingerprint: [UInt8] = [], actor: String = "anna", by authority: Authority? = nil) -> Work {
        tickets += 1
        return .admin(
            ticket: tickets,
            AdminRequest(
                command, actor: authority.map { "\($0.token)" } ?? actor, requestID: "request \(tickets)", authority: authority, idempotencyKey: key,
                fingerprint: fingerprint))
    }

    @discardableResult
    func admin(_ command: AdminCommand, key: String? = nil, fingerprint: [UInt8] = [], by authority: Authority? = nil) throws -> AdminOutcome {
        for case .adminResult(_, let result) in process([work(command, key: key, fingerprint: fingerprint, by: authority)]) {
            return try result.get()
        }
        throw TestFailure.noAnswer
    }

    func work(_ worker: String, _ request: DeskRequest) -> Work {
        requests += 1
        return .desk(worker: worker, requestID: UUIDv7(high: 0, low: requests).bytes, request)
    }

    func desk(_ worker: String, _ request: DeskRequest) throws -> DeskReply {
        for case .reply(_, _, let reply, _) in process([work(worker, request)]) { return reply }
        throw TestFailure.noAnswer
    }

    /// Of what is durable.
    var head: UInt64 { log.recorded.head }

    func read<R>(_ body: (borrowing ViewSnapshot) throws(ViewsError) -> R) throws -> R { try views.read(body) }

    /// Stored types of the events after a sequence.
    func types(after sequence: UInt64) throws -> [String] {
        var types: [String] = []
        try log.read(from: sequence + 1) { (envelope: Envelope) throws(LedgerError) -> Bool in
            types.append(envelope.type)
            return true
        }
        return types
    }

    // MARK: - workers

    func hello(
        _ name: String, _ kind: WorkerKind = .signal, incarnation: UInt8 = 1, calls: [CallID] = []
    ) throws -> DeskReply {
        try desk(
            name,
            .with {
                $0.hello.worker = name
                $0.hello.kind = kind
                $0.hello.incarnation = Data([incarnation])
                $0.hello.calls = calls.map(\.data)
            })
    }

    func enroll(_ name: String, _ kind: WorkerKind = .signal) throws {
        var worker = Worker()
        worker.name = name
        worker.kind = kind
        worker.curvePublicKey = Data(repeating: UInt8(truncatingIfNeeded: name.hashValue), count: 32)
        worker.curvePublicKey.replaceSubrange(0..<name.utf8.count, with: Data(name.utf8))
        try admin(.enrollWorker(worker))
    }
}

enum TestFailure: Error {
    case noAnswer
    case unexpected(String)
}
