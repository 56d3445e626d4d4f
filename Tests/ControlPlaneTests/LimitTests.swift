import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// How many lines a customer may have, and how many calls at once.
@Suite struct LimitTests {
    @Test(arguments: [(plan: UInt32(2), own: UInt32(0), fits: false), (2, 3, true), (3, 2, false), (0, 0, true), (0, 2, false)])
    func aCustomersOwnLimitOfLinesGoesBeforeThePlans(_ limit: (plan: UInt32, own: UInt32, fits: Bool)) throws {
        let town = try Town()
        town.plan.subscribersMax = limit.plan
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        town.customer.subscribersMax = limit.own
        try town.platform.admin(.changeCustomer(town.customer, expectedVersion: nil))
        if limit.fits {
            _ = try town.subscriber("carol", alias: "1002")
        } else {
            #expect(throws: AdminRejection.limitReached(field: "tenant_id", limit: 2)) { try town.subscriber("carol", alias: "1002") }
        }
    }

    @Test(arguments: [(plan: UInt32(1), own: UInt32(0), fits: false), (1, 2, true), (2, 1, false), (0, 0, true), (0, 1, false)])
    func aCustomersOwnLimitOfCallsGoesBeforeThePlans(_ limit: (plan: UInt32, own: UInt32, fits: Bool)) throws {
        let town = try Town()
        town.plan.concurrentCallsMax = limit.plan
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        town.customer.concurrentCallsMax = limit.own
        try town.platform.admin(.changeCustomer(town.customer, expectedVersion: nil))
        let first = town.newCall()
        #expect(try town.start(first, from: town.alice, to: "2488700").callPlan.groups.count == 2)
        let second = try town.start(town.newCall(), from: town.bob, to: "2488700")
        #expect((second.callRefused.refusal == .limitReached) == !limit.fits)
        guard !limit.fits else { return }
        // Room again.
        _ = try town.finish(first)
        #expect(try town.start(town.newCall(), from: town.bob, to: "2488700").callPlan.groups.count == 2)
    }

    @Test func aPrepaidCustomerWithACreditLineGoesBelowZeroByItAndNoFurther() throws {
        let town = try Town(prepaid: true)
        town.plan.creditLimitMicros = 80_000
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.grantedSeconds == 120)
        _ = try town.answer(call)
        town.platform.run(.seconds(110), beating: ["s1", "s2"])
        #expect(try town.renew(call, used: 110).creditGranted.grantedSeconds == 120)
        _ = try town.finish(call)
        #expect(try town.balance(town.account) == -80_000)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .noCredit)
    }

    // MARK: - calls that have gone on

    private func limited(_ change: (inout Subscriber) -> Void = { $0.concurrentCallsMax = 1 }) throws -> (town: Town, carol: Subscriber, dave: Subscriber) {
        let town = try Town()
        let (carol, dave) = (try town.subscriber("carol", alias: "1002"), try town.subscriber("dave", alias: "1003"))
        for line in [town.alice, town.bob, carol, dave] { try town.register(line, contact: "sip:\(line.username)") }
        try town.set(town.bob, change)
        return (town, carol, dave)
    }

    /// What a trial says of a call, which is what the call would meet.
    private func allows(_ line: Subscriber, _ dialled: String, _ town: Town) throws -> Bool {
        let trial = try town.platform.read { views throws(ViewsError) in
            Result { try RouteTrial(from: SubscriberID(line.id)!, dialled: dialled, in: views, at: town.platform.wall) }
        }.get()
        if case .plan = trial.outcome { return true }
        return false
    }

    private func isFree(_ line: Subscriber, _ town: Town) throws -> Bool {
        let isAllowed = try (allows(town.alice, line.username, town), allows(line, "1000", town))
        let (to, from) = (town.newCall(), town.newCall())
        let isCallable = try town.start(to, from: town.alice, to: line.username).callRefused.refusal == .none
        if isCallable { _ = try town.finish(to, cause: .cancelled) }
        let calls = try town.start(from, from: line, to: "1000").callRefused.refusal == .none
        if calls { _ = try town.finish(from, cause: .cancelled) }
        #expect(isCallable == calls)
        #expect(isAllowed == (isCallable, calls))
        return calls
    }

    @Test func aLineThatHasTransferredItsCallIsFree() throws {
        let (town, carol, _) = try limited()
        let (first, second) = (town.newCall(), town.newCall())
        _ = try town.start(first, from: town.alice, to: "1001")
        try town.answer(first, a: town.alice, b: town.bob)
        #expect(try !isFree(town.bob, town))
        #expect(try town.send(second, on: first, by: town.bob, to: "1002", .transferred).callPlan.groups.count == 1)
        // Nobody has joined yet.
        #expect(try !isFree(town.bob, town))
        try town.answer(second, a: nil, b: carol)
        try town.move(first, a: town.alice, b: nil)
        #expect(try isFree(town.bob, town))
        try town.platform.restart()
        _ = try town.platform.hello("s1", calls: [first, second])
        try town.register(town.bob, contact: "sip:bob")
        #expect(try town.start(town.newCall(), from: town.bob, to: "2488700").callRefused.refusal == .none)
    }

    @Test func aLineThatHasForwardedACallIsFree() throws {
        let (town, carol, _) = try limited {
            $0.concurrentCallsMax = 1
            $0.forwards.noAnswer = "1002"
        }
        let (first, second) = (town.newCall(), town.newCall())
        _ = try town.start(first, from: town.alice, to: "1001")
        #expect(try town.send(second, on: first, by: town.bob, to: "1002", .noAnswer).callPlan.groups.count == 1)
        #expect(try isFree(town.bob, town))
        try town.answer(second, a: nil, b: carol)
        try town.answer(first, a: town.alice, b: nil)
        #expect(try isFree(town.bob, town))
    }

    @Test func aLineThatHasTakenAnothersPlaceIsInItsCall() throws {
        let (town, _, dave) = try limited()
        try town.set(dave) { $0.concurrentCallsMax = 1 }
        let call = town.newCall()
        _ = try town.start(call, from: town.alice, to: "1001")
        try town.answer(call, a: town.alice, b: town.bob)
        try town.move(call, a: town.alice, b: dave)
        #expect(try isFree(town.bob, town))
        #expect(try !isFree(dave, town))
        _ = try town.finish(call)
        #expect(try isFree(dave, town))
    }

    @Test func aFullLineTakesNoCallOfOthers() throws {
        let (town, carol, dave) = try limited()
        let (own, ringing) = (town.newCall(), town.newCall())
        _ = try town.start(own, from: town.alice, to: "1001")
        try town.answer(own, a: town.alice, b: town.bob)
        _ = try town.start(ringing, from: carol, to: "1003")
        #expect(try town.start(town.newCall(), from: town.bob, to: "*861003").callRefused.refusal == .limitReached)
        _ = try town.finish(own)
        let taking = town.newCall()
        #expect(try town.start(taking, from: town.bob, to: "*861003").callPlan.groups.count == 1)
        // Whose call was taken has none of it.
        try town.answer(ringing, a: carol, b: nil)
        try town.answer(taking, a: town.bob, b: nil)
        try town.set(dave) { $0.concurrentCallsMax = 1 }
        #expect(try isFree(dave, town))
        #expect(try !isFree(town.bob, town))
    }

    @Test func aFullLineTakesTheCallThatRingsAtItself() throws {
        let (town, carol, _) = try limited()
        _ = try town.start(town.newCall(), from: carol, to: "1001")
        #expect(try allows(town.bob, "*861001", town))
        #expect(try town.start(town.newCall(), from: town.bob, to: "*861001").callPlan.groups.count == 1)
    }
}
