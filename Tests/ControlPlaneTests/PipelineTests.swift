import LMDB
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf
import Synchronization
import Testing

@testable import ControlPlane

/// A batch is decided while the one before it is on its way to the disk.
@Suite struct PipelineTests {
    private let town: Town
    private var platform: TestPlatform { town.platform }

    init() throws {
        town = try Town(prepaid: true, settings: .service)
        try town.topUp(350_000)
        _ = try town.platform.hello("s1")
    }

    /// From here on the test says when the disk has what it was given.
    private func held() -> HeldAppender {
        let appender = HeldAppender(Append(log: platform.log, keys: platform.views.keys))
        platform.core.append(by: appender)
        return appender
    }

    private func decide(_ works: [Work]) -> [Output] {
        platform.core.decide(works, now: platform.now, wall: platform.wall)
    }

    private func start(_ call: CallID) -> Work {
        platform.work("s1", town.startRequest(call, from: town.alice, to: "2488700"))
    }

    private func replies(_ outputs: [Output]) -> [DeskReply] {
        outputs.compactMap { if case .reply(_, _, let reply, _) = $0 { reply } else { nil } }
    }

    /// As readers see it when everything is settled.
    private func setAside() throws -> Int64 {
        _ = platform.core.finish()
        return try town.held()
    }

    private func applied() throws -> UInt64 {
        try platform.read { views throws(ViewsError) in views.applied }
    }

    @Test func whatIsDecidedMeanwhileSeesWhatIsOnItsWayAndIsAnsweredAfterIt() throws {
        let disk = held()
        let head = platform.head
        #expect(decide([start(town.newCall()), start(town.newCall())]).isEmpty)
        #expect(platform.core.isAppending)
        // The money of both is set aside, though neither is durable: the third gets what is left, the fourth nothing.
        #expect(decide([start(town.newCall())]).isEmpty)
        #expect(decide([start(town.newCall())]).isEmpty)
        #expect(platform.head == head)
        disk.isDone = true
        let first = replies(platform.core.advance())
        #expect(first.map(\.callPlan.grantedSeconds) == [300, 180])
        // What was decided meanwhile is one batch, and on its way now.
        #expect(platform.core.isAppending)
        let second = replies(platform.core.settle())
        #expect(second.map(\.callRefused.refusal) == [.noCredit, .noCredit])
        #expect(disk.batches == 2)
        #expect(try setAside() == 320_000)
    }

    @Test func readersNeverSeeWhatIsNotDurable() throws {
        let disk = held()
        let before = try applied()
        _ = decide([start(town.newCall())])
        _ = decide([start(town.newCall())])
        // The views are due, and hold what the disk does not have.
        platform.advance(.seconds(1))
        #expect(try applied() == before)
        disk.isDone = true
        _ = platform.core.advance()
        // The first is durable, the second is not: both stand in the same open transaction.
        #expect(platform.core.isAppending)
        #expect(try applied() == before)
        // What comes now waits for it.
        _ = decide([start(town.newCall())])
        #expect(try applied() == platform.head && platform.head > before)
        _ = platform.core.tick(now: platform.now, wall: platform.wall)
        platform.advance(.seconds(1))
        _ = platform.core.tick(now: platform.now, wall: platform.wall)
        #expect(try applied() == platform.head)
        #expect(platform.head > before)
    }

    @Test func whoAskedTheAPISeesItsChangeWhenItIsAnswered() throws {
        let disk = held()
        let command = AdminCommand.createProvider(
            .with {
                $0.name = "Kages"
                $0.namespace = "other.example"
                $0.currency = "EUR"
            })
        #expect(decide([platform.work(command)]).isEmpty)
        #expect(platform.core.mustSettle)
        #expect(try platform.read { views throws(ViewsError) in try views.provider(namespace: "other.example") } == nil)
        disk.isDone = true
        let answered = platform.core.advance().contains { $0.isOfTheAPI }
        #expect(answered)
        #expect(try platform.read { views throws(ViewsError) in try views.provider(namespace: "other.example") } != nil)
    }

    /// What comes while such a change is on its way waits for it: else readers would be shown neither when it is answered.
    @Test func whoAskedTheAPISeesItsChangeWhenOthersComeMeanwhile() throws {
        let disk = held()
        _ = decide([start(town.newCall())])
        let command = AdminCommand.createProvider(
            .with {
                $0.name = "Kages"
                $0.namespace = "other.example"
                $0.currency = "EUR"
            })
        #expect(decide([platform.work(command)]).isEmpty)
        disk.isDone = true
        // The call is durable; the change is on its way now.
        #expect(replies(platform.core.advance()).count == 1)
        #expect(platform.core.mustSettle)
        let outputs = decide([start(town.newCall())])
        #expect(outputs.contains { $0.isOfTheAPI })
        #expect(try platform.read { views throws(ViewsError) in try views.provider(namespace: "other.example") } != nil)
        #expect(platform.core.isAppending)
    }

    @Test func ifTheDiskFailsEverybodyWhoFollowedIsToldToTryAgain() throws {
        let disk = held()
        let head = platform.head
        let (first, second) = (town.newCall(), town.newCall())
        _ = decide([start(first)])
        _ = decide([start(second)])
        disk.error = .storage(.diskFull)
        disk.isDone = true
        let outputs = platform.core.advance()
        #expect(replies(outputs).map(\.error.code) == [.unavailable, .unavailable])
        #expect(outputs.contains { if case .note(.batchFailed(commands: 2, _)) = $0 { true } else { false } })
        #expect(!platform.core.isAppending)
        #expect(platform.head == head && disk.batches == 1)
        #expect(try setAside() == 0)
        disk.error = nil
        let again = replies(platform.core.process([start(first), start(second)], now: platform.now, wall: platform.wall))
        #expect(again.map(\.callPlan.grantedSeconds) == [300, 180])
        #expect(try setAside() == 320_000)
    }

    @Test func aRepeatedRequestFindsTheAnswerThatIsOnItsWay() throws {
        let disk = held()
        let call = town.newCall()
        _ = decide([start(call)])
        _ = decide([start(call)])
        disk.isDone = true
        let answers = replies(platform.core.settle())
        #expect(answers.count == 2 && answers[0] == answers[1])
        #expect(answers[0].callPlan.grantedSeconds == 300)
        // The second has recorded nothing.
        #expect(disk.batches == 1)
        #expect(try setAside() == 200_000)
    }

    @Test func aCommandThatCannotBeAppliedTakesNothingWithItThatIsOnItsWay() throws {
        let disk = held()
        let (first, second) = (town.newCall(), town.newCall())
        _ = decide([start(first)])
        _ = decide([start(second)])
        // A name that is no key of the views.
        let broken = AdminCommand.createTenant(
            .with {
                $0.customerID = town.customer.id
                $0.name = "Office"
                $0.domain = String(repeating: "a", count: 600) + ".kages.example"
            })
        disk.isDone = true
        let outputs = decide([platform.work(broken)]) + platform.core.settle()
        #expect(replies(outputs).map(\.callPlan.grantedSeconds) == [300, 180])
        #expect(outputs.contains { if case .adminResult(_, .failure) = $0 { true } else { false } })
        _ = platform.core.finish()
        let (one, other) = (try town.live(first), try town.live(second))
        #expect(one != nil && other != nil)
        #expect(try setAside() == 320_000)
    }

    @Test func aSlowDiskDoesNotMakeTheNextBatchEndless() throws {
        let disk = held()
        _ = decide([start(town.newCall())])
        let beats = (0..<ControlCore.batchMax).map { _ in platform.work("s1", .with { $0.heartbeat.calls = 1 }) }
        _ = decide(Array(beats.dropLast()))
        #expect(!platform.core.mustSettle)
        _ = decide([beats[0]])
        #expect(platform.core.mustSettle)
        #expect(replies(platform.core.settle()).count == 1 + ControlCore.batchMax && disk.batches == 1)
    }

    @Test func aStopWaitsForWhatIsOnItsWay() throws {
        let disk = held()
        _ = decide([start(town.newCall())])
        _ = decide([start(town.newCall())])
        let outputs = platform.core.finish()
        #expect(replies(outputs).count == 2 && disk.batches == 2)
        #expect(try applied() == platform.head)
    }

    @Test func aThreadAppendsInOrderAndSaysWhenItIsDone() throws {
        let told = Mutex(0)
        // No batch is far enough from those before it.
        let appender = try ThreadAppender(Append(log: platform.log, keys: platform.views.keys), quiet: .seconds(3_600)) { told.withLock { $0 += 1 } }
        platform.core.append(by: appender)
        var granted = 0
        let head = platform.head
        for _ in 0..<50 {
            let answers = decide([start(town.newCall())])
            granted += replies(answers).filter { $0.callPlan.grantedSeconds > 0 }.count
            platform.advance(.milliseconds(1))
        }
        granted += replies(platform.core.finish()).filter { $0.callPlan.grantedSeconds > 0 }.count
        appender.stop()
        #expect(granted == 2)
        #expect(platform.head > head && told.withLock { $0 } > 0)
        #expect(try applied() == platform.head)
        #expect(try setAside() == 320_000)
    }

    @Test func aFewCommitsThatNothingFollowsSoonAreDurableAtOnce() throws {
        let told = Mutex(0)
        let appender = try ThreadAppender(Append(log: platform.log, keys: platform.views.keys), quiet: .zero) { told.withLock { $0 += 1 } }
        platform.core.append(by: appender)
        for _ in 0..<8 {
            let head = platform.head
            #expect(replies(decide([start(town.newCall())])).count == 1)
            #expect(!platform.core.isAppending && platform.head > head)
        }
        // More of them go to the thread, however quiet it was.
        let crowd = (0..<5).map { _ in platform.work("s1", town.startRequest(town.newCall(), from: town.bob, to: "2488700")) }
        let answered = replies(decide(crowd)) + replies(platform.core.settle())
        #expect(answered.count == crowd.count)
        _ = platform.core.finish()
        // Joins the thread, so that it has told what it does.
        appender.stop()
        #expect(told.withLock { $0 } == 1)
        #expect(try applied() == platform.head)
    }

    @Test func onlyTheFirstTwoOfManyBatchesAreAppendedWhereTheyWereDecided() throws {
        let told = Mutex(0)
        let appender = try ThreadAppender(Append(log: platform.log, keys: platform.views.keys), quiet: .seconds(3_600)) { told.withLock { $0 += 1 } }
        platform.core.append(by: appender)
        for number in 0..<6 {
            let atOnce = replies(decide([start(town.newCall())])).count
            if number < 2 { #expect(atOnce == 1) }
            #expect(atOnce + replies(platform.core.settle()).count == 1)
        }
        _ = platform.core.finish()
        // Joins the thread, so that it has told what it does.
        appender.stop()
        #expect(told.withLock { $0 } == 4)
    }
}

/// Keeps what it is given until the test, or whoever waits, lets it go to the log.
final class HeldAppender: Appender {
    func prepareToPublish() {}

    private struct State {
        var commits: [Commit]?
        var isDone = false
        var error: LedgerError?
        var batches = 0
    }
    private let append: Append
    private let state = Mutex(State())

    init(_ append: Append) { self.append = append }

    func begin(_ commits: [Commit]) {
        state.withLock { state in
            state.commits = commits
            state.isDone = false
            state.batches += 1
        }
    }

    var isDone: Bool {
        get { state.withLock { $0.isDone } }
        set { state.withLock { $0.isDone = newValue } }
    }

    var error: LedgerError? {
        get { state.withLock { $0.error } }
        set { state.withLock { $0.error = newValue } }
    }

    /// Batches that were handed over.
    var batches: Int { state.withLock { $0.batches } }

    func finish() -> AppendOutcome {
        let (commits, error) = state.withLock { state in (state.commits.take() ?? [], state.error) }
        if let error { return .failure(.ledger(error)) }
        return append(commits)
    }
}
