import Model
import Primitives
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
}
