import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

@Suite struct CallFactsTests {
    @Test func anAnsweredCallIsChargedOnEveryEdge() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        town.platform.run(.seconds(5), beating: ["s1", "s2"])
        #expect(try town.answer(call).recorded.logPosition == town.platform.head)
        // FEATURES' reseller ladder: five minutes at 0.04 retail, 0.03 wholesale.
        town.platform.run(.seconds(300), beating: ["s1", "s2"])
        let before = town.platform.head
        #expect(try town.finish(call).recorded.logPosition == town.platform.head)
        #expect(try town.platform.types(after: before) == ["call.ended", "journal.posted", "cdr.recorded"])

        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.number == 1)
        #expect(cdr.durationMs == 300_000)
        #expect(cdr.charges.map(\.amountMicros) == [200_000, 150_000, 50_000])
        #expect(cdr.charges.map(\.edge) == ["retail", "wholesale", "carrier"])
        #expect(cdr.answeredGatewayID == town.carrier.gateways[1].id)
        #expect(cdr.worker == "s1")
        #expect(try town.balance(town.account) == -200_000)
        #expect(try town.balance(.of(.providerRevenue, owner: town.provider.id, currency: "USD")) == 200_000)
        #expect(try town.balance(.of(.providerCost, owner: town.provider.id, currency: "USD")) == -150_000)
        #expect(try town.balance(.of(.providerPayable, owner: town.provider.id, currency: "USD")) == 150_000)
        #expect(try town.balance(.of(.carrierCost, owner: town.provider.id, currency: "USD")) == -50_000)
        #expect(try town.balance(.of(.carrierPayable, owner: town.carrier.id, currency: "USD")) == 50_000)
        let trial = try town.platform.read { views throws(ViewsError) in try views.trialBalance() }
        #expect(trial.allSatisfy { $0.micros == 0 })
    }

    @Test(arguments: [Int64.min, -1, 0, 1, .max]) func aClockThatCannotBeRightDoesNotSayWhatACallCosts(told: Int64) throws {
        let town = try Town()
        let call = town.newCall()
        var request = town.startRequest(call, from: town.alice, to: "2488700")
        request.startCall.startedAt = told
        guard case .callPlan? = try town.platform.desk("s1", request).kind else { throw TestFailure.unexpected("no plan") }
        #expect(try town.live(call)?.started.startedAt == town.platform.wall.microseconds)
    }

    @Test func aRequestThatWaitedKeepsTheTimeAtWhichTheCallCameIn() throws {
        let town = try Town()
        let call = town.newCall()
        let request = town.startRequest(call, from: town.alice, to: "2488700")
        town.platform.run(.seconds(4), beating: ["s1", "s2"])
        _ = try town.platform.desk("s1", request)
        #expect(try town.live(call)?.started.startedAt == request.startCall.startedAt)
    }

    @Test func oneRecordPerCallWhateverIsRepeated() throws {
        let town = try Town()
        let call = town.newCall()
        let plan = try town.start(call, from: town.alice, to: "2488700")
        #expect(try town.start(call, from: town.alice, to: "2488700") == plan)
        _ = try town.answer(call)
        town.platform.run(.seconds(2), beating: ["s1", "s2"])
        let answered = town.platform.head
        _ = try town.answer(call)
        #expect(town.platform.head == answered)
        _ = try town.finish(call)
        let ended = town.platform.head
        for _ in 0..<3 {
            #expect(try town.finish(call).recorded.logPosition == ended)
            #expect(try town.answer(call).recorded.logPosition == ended)
        }
        #expect(town.platform.head == ended)
        #expect(try town.cdrs().count == 1)
        #expect(try town.start(call, from: town.alice, to: "2488700").error.code == .notOwner)
    }

    @Test func repetitionsInOneBatchAreRecognised() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        let call = town.newCall()
        let request = town.startRequest(call, from: town.alice, to: "1001")
        let before = town.platform.head
        let outputs = town.platform.process([town.platform.work("s1", request), town.platform.work("s1", request)])
        let replies = outputs.compactMap { if case .reply(_, _, let reply, _) = $0 { reply } else { nil } }
        #expect(replies.count == 2)
        #expect(replies.first == replies.last)
        #expect(try town.platform.types(after: before) == ["call.started"])
    }

    @Test func aPlanIsTheSameAfterARestart() throws {
        let town = try Town()
        try town.register(town.bob, contact: "sip:bob")
        let call = town.newCall()
        let plan = try town.start(call, from: town.alice, to: "1001")
        // Registrations are gone with this core, and still the plan is what it was.
        try town.platform.restart()
        _ = try town.platform.hello("s1", calls: [call])
        #expect(try town.start(call, from: town.alice, to: "1001") == plan)
    }

    @Test func factsOfStrangersAreRefused() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        #expect(try town.answer(call, worker: "s2").error.code == .notOwner)
        #expect(try town.finish(call, worker: "s2").error.code == .notOwner)
        #expect(try town.renew(call, used: 1, worker: "s2").error.code == .notOwner)
        #expect(try town.answer(town.newCall()).error.code == .unknownCall)
        #expect(try town.finish(town.newCall()).error.code == .unknownCall)
        #expect(try town.answer(call, worker: "s9").error.code == .notEnrolled)
        let malformed = DeskRequest.with { $0.callFinished.ended.callID = Data([1, 2, 3]) }
        #expect(try town.platform.desk("s1", malformed).error.code == .malformed)
        #expect(try town.platform.desk("s1", DeskRequest()).error.code == .malformed)
    }

    @Test func unansweredCallsCostNothing() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        town.platform.run(.seconds(30), beating: ["s1", "s2"])
        let before = town.platform.head
        _ = try town.finish(call, cause: .noAnswer)
        #expect(try town.platform.types(after: before) == ["call.ended", "cdr.recorded"])
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.durationMs == 0)
        #expect(cdr.answeredAt == 0)
        #expect(cdr.charges.isEmpty)
        #expect(try town.balance(town.account) == 0)
    }

    @Test func clocksThatDisagreeMakeNoNegativeCalls() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        _ = try town.answer(call)
        let now = town.platform.wall.microseconds
        let early = DeskRequest.with {
            $0.callFinished.ended.callID = call.data
            $0.callFinished.ended.endedAt = now - 10_000_000
        }
        _ = try town.platform.desk("s1", early)
        #expect(try town.cdrs().last?.durationMs == 0)
        let second = town.newCall()
        _ = try town.start(second, from: town.alice, to: "2488700")
        _ = try town.answer(second)
        let late = DeskRequest.with {
            $0.callFinished.ended.callID = second.data
            $0.callFinished.ended.endedAt = now + 3_600_000_000
        }
        _ = try town.platform.desk("s1", late)
        #expect(try town.cdrs().last?.durationMs == 0)
    }

    @Test func recordsAreNumberedWithoutAGap() throws {
        let town = try Town()
        var batch: [Work] = []
        for _ in 0..<20 {
            batch.append(town.platform.work("s1", town.startRequest(town.newCall(), from: town.alice, to: "carol")))
        }
        _ = town.platform.process(batch)
        #expect(try town.cdrs().map(\.number) == Array(1...20))
    }

    @Test func anUpdateKeepsTheNewestDialogs() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        let update = DeskRequest.with {
            $0.callUpdated.callID = call.data
            $0.callUpdated.snapshot.a.localCseq = 7
        }
        #expect(try town.platform.desk("s1", update).error.code == .malformed)
        _ = try town.answer(call)
        #expect(try town.platform.desk("s1", update).recorded.logPosition == town.platform.head)
        #expect(try town.live(call)?.snapshot.a.localCseq == 7)
        let head = town.platform.head
        _ = try town.platform.desk("s1", update)
        #expect(town.platform.head == head)
    }

    @Test(arguments: [Status.locked, .terminated])
    func callsOfAPartyThatIsTerminatedAreHungUpAndThoseOfALockedOneGoOn(status: Status) throws {
        let town = try Town()
        let (outside, inside) = (town.newCall(), town.newCall())
        _ = try town.start(outside, from: town.alice, to: "2488700")
        try town.register(town.alice, contact: "sip:alice")
        _ = try town.start(inside, from: town.bob, to: "1000", worker: "s2")
        var alice = town.alice
        alice.status = status
        try town.platform.admin(.changeSubscriber(alice, password: nil, expectedVersion: nil))
        let hungUp = town.platform.feed.filter { if case .hangUp = $0.kind { true } else { false } }.map(\.hangUp)
        #expect(Set(hungUp.map(\.callID)) == (status == .terminated ? [outside.data, inside.data] : []))
        #expect(Set(hungUp.map(\.worker)) == (status == .terminated ? ["s1", "s2"] : []))
        #expect(hungUp.allSatisfy { $0.cause == .operator })
        // The facts come from the workers, as of any call.
        #expect(try town.live(outside) != nil)
    }

    @Test func anOperatorHangsUpThroughTheWorker() throws {
        let town = try Town()
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "2488700")
        try town.platform.admin(.hangUp(call))
        let message = try #require(town.platform.feed.last)
        #expect(message.hangUp.worker == "s1")
        #expect(message.hangUp.callID == call.data)
        #expect(message.hangUp.cause == .operator)
        #expect(throws: AdminRejection.notFound(entity: "running call", id: town.newCall().description)) {
            try town.platform.admin(
                .hangUp(
                    CallID(
                        UUIDv7(
                            high: UInt64(town.platform.wall.microseconds / 1_000) << 16 | 0x7000,
                            low: 0x8000_0000_0000_0002))))
        }
    }
}
