import Foundation
import LMDB
import Ledger
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf
import Synchronization
import Testing

@testable import ControlPlane

@Suite struct DurabilityTests {
    private func provider(_ name: String) -> AdminCommand {
        .createProvider(
            .with {
                $0.name = name
                $0.namespace = "\(name).example"
                $0.currency = "EUR"
            })
    }

    @Test func aBatchIsOneAppend() throws {
        let platform = try TestPlatform()
        let log = FailingLog(platform.log)
        try platform.restart(log: log)
        _ = platform.process((0..<20).map { platform.work(provider("p\($0)")) })
        #expect(log.appends == 1)
        #expect(platform.head == 20)
        _ = platform.process([platform.work("nobody", DeskRequest())])
        #expect(log.appends == 1)
    }

    @Test func aFailingAppendLeavesNothing() throws {
        let town = try Town()
        let platform = town.platform
        let log = FailingLog(platform.log)
        try platform.restart(log: log)
        _ = try platform.hello("s1")
        let head = platform.head
        let call = town.newCall()
        log.fail(with: .storage(.diskFull))
        var answers = 0
        for output in platform.process([
            platform.work(provider("p1")),
            platform.work("s1", town.startRequest(call, from: town.alice, to: "2488700")),
        ]) {
            switch output {
            case .adminResult(_, .failure(.unavailable(let reason))):
                #expect(reason.contains("disk is full"))
                answers += 1
            case .reply(_, _, let reply, _):
                #expect(reply.error.code == .unavailable)
                answers += 1
            case .adminResult(_, let result): Issue.record("\(result)")
            case .feed, .admission, .note: break
            }
        }
        #expect(answers == 2)
        #expect(platform.head == head)
        #expect(try town.live(call) == nil)
        #expect(try platform.read { views throws(ViewsError) in try views.provider(namespace: "p1.example") } == nil)
        log.fail(with: nil)
        try platform.admin(provider("p1"))
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.groups.count == 2)
    }

    @Test func aWorkersDeathIsSettledWhenTheDiskIsBack() throws {
        let town = try Town()
        let log = FailingLog(town.platform.log)
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        _ = try town.answer(call)
        try town.platform.restart(log: log)
        _ = try town.platform.hello("s1", calls: [call])
        _ = try town.platform.hello("s2")
        log.fail(with: .storage(.diskFull))
        town.platform.run(.seconds(10), beating: ["s2"])
        #expect(try town.live(call)?.worker == "s1")
        log.fail(with: nil)
        town.platform.run(.seconds(1), beating: ["s2"])
        #expect(try town.live(call)?.worker == "s2")
    }

    /// The process dies after the log has the batch and before the views have it.
    @Test func reopeningCatchesUpWithTheLog() throws {
        let town = try Town()
        let platform = town.platform
        let log = FailingLog(platform.log)
        try platform.restart(log: log)
        let head = platform.head
        log.failAfterAppending = true
        _ = platform.process([platform.work(provider("p1"))])
        #expect(platform.head == head + 1)
        #expect(try platform.read { views throws(ViewsError) in views.applied } == head)
        try platform.restart(seed: 3)
        #expect(try platform.read { views throws(ViewsError) in views.applied } == head + 1)
        #expect(throws: AdminRejection.taken("namespace", "p1.example")) { try platform.admin(provider("p1")) }
    }

    @Test func viewsThatLagCatchUpBeforeTheNextDecision() throws {
        let platform = try TestPlatform()
        try platform.admin(provider("p1"))
        // Somebody else's commit, as if the views had lost one of ours.
        let event = Event.contactCreated(
            .with {
                $0.contact.id = Data(UUIDv7(high: 1, low: 1).bytes)
                $0.contact.name = "Anna"
            })
        _ = try platform.log.append([
            Commit(
                events: [
                    NewEvent(
                        stream: UUIDv7(high: 1, low: 1), type: event.storedType, schemaVersion: 1,
                        payload: event.serialized())
                ], actor: "test", cause: "test", time: platform.wall)
        ])
        #expect(throws: AdminRejection.self) { try platform.admin(provider("p2")) }
        #expect(try platform.admin(provider("p2")).sequence == 3)
    }

    @Test func theSameSeedWritesTheSameBytes() throws {
        func rootHash(seed: UInt64) throws -> [UInt8] {
            let town = try Town(seed: seed, prepaid: true)
            try town.topUp(5_000_000)
            for index in 0..<10 {
                let call = town.newCall()
                _ = try town.start(call, from: town.alice, to: "2488700")
                if index % 2 == 0 { _ = try town.answer(call) }
                town.platform.run(.seconds(7), beating: ["s2"])
                if index % 3 == 0 { _ = try town.finish(call) }
            }
            town.platform.run(.seconds(70))
            return try town.platform.log.rootHash(size: town.platform.head).bytes
        }
        #expect(try rootHash(seed: 11) == rootHash(seed: 11))
        #expect(try rootHash(seed: 11) != rootHash(seed: 12))
    }

    @Test func anIdempotencyKeyGivesTheFirstOutcomeAgain() throws {
        let platform = try TestPlatform()
        let first = try platform.admin(provider("p1"), key: "k", fingerprint: [1])
        let head = platform.head
        var again = try platform.admin(provider("p1"), key: "k", fingerprint: [1])
        #expect(again.repeated)
        again.repeated = false
        #expect(again == first)
        #expect(platform.head == head)
        #expect(throws: AdminRejection.idempotencyKeyReused) {
            try platform.admin(provider("p2"), key: "k", fingerprint: [2])
        }
        try platform.restart()
        #expect(try platform.admin(provider("p1"), key: "k", fingerprint: [1]).id == first.id)
        // The same key of somebody else is another key, and a refusal does not use a key up.
        let other = platform.process([platform.work(provider("p3"), key: "k", fingerprint: [1], actor: "bert")])
        #expect(other.contains { if case .adminResult(_, .success) = $0 { true } else { false } })
        #expect(throws: AdminRejection.self) { try platform.admin(provider("p1"), key: "k2") }
        #expect(try platform.admin(provider("p4"), key: "k2").repeated == false)
    }

    @Test func aClockThatIsSetBackSetsNoFactBeforeAnother() throws {
        let platform = try TestPlatform()
        try platform.admin(provider("p1"))
        let before = platform.log.recorded.time
        platform.advance(.seconds(-3_600))
        try platform.admin(provider("p2"))
        try platform.restart()
        try platform.admin(provider("p3"))
        var times: [WallTime] = []
        try platform.log.read(from: 1) { (envelope: Envelope) throws(LedgerError) -> Bool in
            times.append(envelope.time)
            return true
        }
        #expect(times == times.sorted() && times.last == before)
    }

    @Test func aKeyRepeatedInOneBatchIsRecognised() throws {
        let platform = try TestPlatform()
        let outputs = platform.process([
            platform.work(provider("p1"), key: "k"), platform.work(provider("p1"), key: "k"),
        ])
        let outcomes = outputs.compactMap {
            if case .adminResult(_, let result) = $0 { try? result.get() } else { nil }
        }
        #expect(outcomes.map(\.repeated) == [false, true])
        #expect(platform.head == 1)
    }

    @Test func everyFactCarriesActorAndCause() throws {
        let town = try Town()
        _ = try town.start(town.newCall(), from: town.alice, to: "2488700")
        let last = try #require(try town.platform.log.event(at: town.platform.head))
        #expect(last.actor == "worker s1")
        #expect(!last.cause.isEmpty)
        let first = try #require(try town.platform.log.event(at: 1))
        #expect(first.actor == "anna")
        #expect(first.cause == "request 1")
    }
}

/// A log whose disk can be filled and freed, and whose process can be killed between log and views.
final class FailingLog: EventLog {
    private struct State {
        var error: LedgerError?
        var appends = 0
        var failAfterAppending = false
    }
    private let base: LMDBEventLog
    private let state = Mutex(State())

    init(_ base: LMDBEventLog) { self.base = base }

    func fail(with error: LedgerError?) { state.withLock { $0.error = error } }
    var appends: Int { state.withLock { $0.appends } }
    var failAfterAppending: Bool {
        get { state.withLock { $0.failAfterAppending } }
        set { state.withLock { $0.failAfterAppending = newValue } }
    }

    var head: UInt64 { base.head }
    var recorded: (head: UInt64, time: WallTime) { base.recorded }
    var unpublishedBytes: Int { base.unpublishedBytes }

    func append(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome] { try taking { () throws(LedgerError) in try base.append(commits) } }
    func record(_ commits: [Commit]) throws(LedgerError) -> [CommitOutcome] { try taking { () throws(LedgerError) in try base.record(commits) } }
    func publish() throws(LedgerError) { try base.publish() }

    private func taking(_ body: () throws(LedgerError) -> [CommitOutcome]) throws(LedgerError) -> [CommitOutcome] {
        if let error = state.withLock({ $0.error }) { throw error }
        state.withLock { $0.appends += 1 }
        let outcomes = try body()
        if failAfterAppending { throw .storage(.panicked) }
        return outcomes
    }

    func read(from sequence: UInt64, _ body: (Envelope) throws(LedgerError) -> Bool) throws(LedgerError) {
        try base.read(from: sequence, body)
    }
    func readBytes(
        from sequence: UInt64, _ body: (_ sequence: UInt64, _ envelope: RawSpan) throws(LedgerError) -> Bool
    ) throws(LedgerError) { try base.readBytes(from: sequence, body) }
    func event(at sequence: UInt64) throws(LedgerError) -> Envelope? { try base.event(at: sequence) }
    func bytes(at sequence: UInt64) throws(LedgerError) -> [UInt8]? { try base.bytes(at: sequence) }
    func version(of stream: UUIDv7) throws(LedgerError) -> UInt64 { try base.version(of: stream) }
    func history(of stream: UUIDv7, before: UInt64?, limit: Int) throws(LedgerError) -> [Envelope] {
        try base.history(of: stream, before: before, limit: limit)
    }
    func outcome(forKey key: [UInt8]) throws(LedgerError) -> (sequences: ClosedRange<UInt64>, outcome: [UInt8])? {
        try base.outcome(forKey: key)
    }
    func rootHash(size: UInt64) throws(LedgerError) -> SHA256Digest { try base.rootHash(size: size) }
    func inclusionProof(of sequence: UInt64, size: UInt64) throws(LedgerError) -> [SHA256Digest] {
        try base.inclusionProof(of: sequence, size: size)
    }
    func inclusionProof(of sequences: [UInt64], size: UInt64) throws(LedgerError) -> [SHA256Digest] {
        try base.inclusionProof(of: sequences, size: size)
    }
    func consistencyProof(from old: UInt64, to new: UInt64) throws(LedgerError) -> [SHA256Digest] {
        try base.consistencyProof(from: old, to: new)
    }
}
