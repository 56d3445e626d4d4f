import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Free units that a plan brings every month. Retail is 0.04 a minute, in minutes; a lease is five minutes.
@Suite struct FreeUnitTests {
    private func town(prepaid: Bool = false, _ allowances: [Allowance]) throws -> Town {
        let town = try Town(prepaid: prepaid)
        town.plan.allowances = allowances
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        return town
    }

    private func minutes(_ seconds: UInt32, _ prefixes: [String] = [], number: UInt32 = 1) -> Allowance {
        .with {
            $0.number = number
            $0.name = "minutes \(number)"
            $0.seconds = seconds
            $0.prefixes = prefixes
        }
    }

    private func begin(_ town: Town, _ caller: Subscriber, to dialled: String = "2488700") throws -> CallID {
        let call = town.newCall()
        let reply = try town.start(call, from: caller, to: dialled)
        guard case .callPlan? = reply.kind else { throw TestFailure.unexpected("\(reply)") }
        _ = try town.answer(call)
        return call
    }

    private func talk(_ town: Town, _ caller: Subscriber, to dialled: String = "2488700", seconds: Int) throws -> Charge {
        let call = try begin(town, caller, to: dialled)
        town.platform.run(.seconds(seconds), beating: ["s1", "s2"])
        _ = try town.finish(call)
        return try retail(town)
    }

    private func retail(_ town: Town) throws -> Charge {
        try #require(try town.cdrs().last?.charges.first { $0.edge == PriceLock.retail })
    }

    private func used(_ town: Town, from start: Int64) throws -> AllowanceState {
        try town.platform.read { views throws(ViewsError) in
            try views.allowance(of: CustomerID(town.customer.id)!, UUIDv7(bytes: town.plan.id)!, 1, from: WallTime(microseconds: start))
        }
    }

    @Test func allLinesOfACustomerShareThem() throws {
        let town = try town([minutes(120)])
        let first = try talk(town, town.alice, seconds: 60)
        #expect(first.amountMicros == 0)
        #expect(first.allowances.map(\.seconds) == [60])
        #expect(first.allowances.map(\.name) == ["minutes 1"])
        let second = try talk(town, town.bob, seconds: 90)
        #expect(second.billedSeconds == 120)
        #expect(second.allowances.map(\.seconds) == [60])
        #expect(second.amountMicros == 40_000)
        let third = try talk(town, town.alice, seconds: 10)
        #expect(third.allowances.isEmpty)
        #expect(third.amountMicros == 40_000)
        #expect(try used(town, from: second.allowances[0].periodStart).usedSeconds == 120)
        #expect(try town.balance(town.account) == -80_000)
    }

    @Test(arguments: [false, true])
    func callsAtTheSameTimeDoNotUseTheSameMinute(prepaid: Bool) throws {
        let town = try town(prepaid: prepaid, [minutes(60)])
        if prepaid { try town.topUp(1_000_000) }
        let calls = [try begin(town, town.alice), try begin(town, town.bob)]
        #expect(try town.live(calls[0])?.hold.allowances.map(\.seconds) == [60])
        #expect(try town.live(calls[1])?.hold.allowances.isEmpty ?? true)
        town.platform.run(.seconds(60), beating: ["s1", "s2"])
        // The later call ends first, and does not get the minute of the earlier one.
        _ = try town.finish(calls[1])
        #expect(try retail(town).amountMicros == 40_000)
        _ = try town.finish(calls[0])
        #expect(try retail(town).amountMicros == 0)
        let state = try used(town, from: try retail(town).allowances[0].periodStart)
        #expect(state.usedSeconds == 60)
        #expect(state.heldSeconds == 0)
    }

    @Test func whatACallDoesNotUseIsThereForTheNext() throws {
        let town = try town([minutes(60)])
        let unanswered = town.newCall()
        _ = try town.start(unanswered, from: town.alice, to: "2488700")
        _ = try town.finish(unanswered, cause: .noAnswer)
        #expect(try talk(town, town.bob, seconds: 10).amountMicros == 0)
    }

    @Test func withoutMoneyACallLastsAsLongAsItsFreeUnits() throws {
        let town = try town(prepaid: true, [minutes(180)])
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.grantedSeconds == 180)
        #expect(try town.held() == 0)
        _ = try town.answer(call)
        #expect(try town.start(town.newCall(), from: town.bob, to: "2488700").callRefused.refusal == .noCredit)
        town.platform.run(.seconds(170), beating: ["s1", "s2"])
        #expect(try town.renew(call, used: 170).creditGranted.grantedSeconds == 180)
        try town.topUp(40_000)
        #expect(try town.renew(call, used: 170).creditGranted.grantedSeconds == 240)
        town.platform.run(.seconds(60), beating: ["s1", "s2"])
        _ = try town.finish(call)
        #expect(try retail(town).amountMicros == 40_000)
        #expect(try retail(town).allowances.map(\.seconds) == [180])
        #expect(try town.held() == 0)
        #expect(try town.balance(town.account) == 0)
    }

    @Test func aLeaseSetsMoreAsideAsItIsRenewed() throws {
        let town = try town(prepaid: true, [minutes(600)])
        try town.topUp(1_000_000)
        let call = try begin(town, town.alice)
        #expect(try town.live(call)?.hold.allowances.map(\.seconds) == [300])
        town.platform.run(.seconds(290), beating: ["s1", "s2"])
        #expect(try town.renew(call, used: 290).creditGranted.grantedSeconds == 600)
        #expect(try town.live(call)?.hold.allowances.map(\.seconds) == [600])
        #expect(try town.held() == 0)
        _ = try town.finish(call)
        #expect(try retail(town).amountMicros == 0)
    }

    @Test func theyAreForTheirDestinations() throws {
        let town = try town([minutes(600, ["+1310", "+1212"]), minutes(60, ["+1209"], number: 2)])
        let near = try talk(town, town.alice, seconds: 120)
        #expect(near.allowances.map(\.number) == [2])
        #expect(near.amountMicros == 40_000)
        let far = try talk(town, town.alice, to: "3105550100", seconds: 120)
        #expect(far.allowances.map(\.number) == [1])
        #expect(far.amountMicros == 0)
    }

    @Test func theyComeAnewWithTheMonthOfTheProvider() throws {
        let town = try town([minutes(60)])
        #expect(try talk(town, town.alice, seconds: 60).amountMicros == 0)
        #expect(try talk(town, town.alice, seconds: 60).amountMicros == 40_000)
        town.platform.advance(WallTime(rfc3339: "2026-12-01T07:50:00Z")! - town.platform.wall)
        _ = try town.platform.hello("s1")
        #expect(try talk(town, town.alice, seconds: 60).amountMicros == 40_000)
        town.platform.run(.seconds(600), beating: ["s1", "s2"])
        let charge = try talk(town, town.alice, seconds: 60)
        #expect(charge.amountMicros == 0)
        #expect(WallTime(microseconds: charge.allowances[0].periodStart).rfc3339 == "2026-12-01T08:00:00.000000Z")
    }

    @Test func freeMoneyPaysAfterTheRounding() throws {
        let money = Allowance.with {
            $0.number = 1
            $0.name = "five cents"
            $0.micros = 50_000
        }
        let town = try town(prepaid: true, [money])
        try town.topUp(30_000)
        let call = try begin(town, town.alice)
        // 0.05 and 0.03 pay for two minutes.
        #expect(try town.live(call)?.hold.grantedSeconds == 120)
        #expect(try town.held() == 30_000)
        town.platform.run(.seconds(100), beating: ["s1", "s2"])
        _ = try town.finish(call)
        #expect(try retail(town).amountMicros == 30_000)
        #expect(try retail(town).allowances.map(\.micros) == [50_000])
        #expect(try town.balance(town.account) == 0)
    }

    @Test func theCarrierIsPaidForFreeMinutesToo() throws {
        let town = try town([minutes(600)])
        _ = try talk(town, town.alice, seconds: 60)
        #expect(try town.cdrs().last?.charges.map(\.amountMicros) == [0, 30_000, 10_000])
    }

    /// cgrates#3934: one free minute and two calls of two minutes. The later call was given the minute while they ran; rated again in the
    /// order of set-up, the earlier one has it.
    @Test func ratedAgainTheFreeMinuteMovesToTheEarlierCall() throws {
        let town = try town(prepaid: true, [minutes(60)])
        try town.topUp(1_000_000)
        // A call that is never answered has the minute while the earlier of the two is set up.
        let ringing = town.newCall()
        _ = try town.start(ringing, from: town.bob, to: "2488700")
        let earlier = try begin(town, town.alice)
        _ = try town.finish(ringing, cause: .noAnswer)
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        let later = try begin(town, town.bob)
        town.platform.run(.seconds(119), beating: ["s1", "s2"])
        _ = try town.finish(earlier)
        let first = try retail(town)
        town.platform.run(.seconds(1), beating: ["s1", "s2"])
        _ = try town.finish(later)
        let second = try retail(town)
        #expect([first, second].map(\.amountMicros) == [80_000, 40_000])
        let start = second.allowances[0].periodStart
        let terms = RerateTerms(
            deck: RateDeckID(town.retail.id)!, from: WallTime(microseconds: 0), to: town.platform.wall + .seconds(1))
        let lines = try town.platform.read { views throws(ViewsError) in
            Result { try RerateScan(try Rerater(terms, in: views)).page(after: nil, limit: 100, in: views).lines }
        }.get()
        let step = RerateStep(terms, id: nil, reason: "set-up order", records: lines.map(\.cdr.number), looked: 2, next: nil)
        try town.platform.admin(.rerate(step))
        let corrections = try town.platform.read { views throws(ViewsError) in try views.corrections(limit: 10) }
        #expect(corrections.map(\.differenceMicros) == [-40_000, 40_000])
        #expect(corrections.map { $0.charge.allowances.map(\.seconds) } == [[60], []])
        #expect(try used(town, from: start).usedSeconds == 60)
        #expect(try town.balance(town.account) == 1_000_000 - 120_000)
        // Once more: nothing is left to do.
        try town.platform.admin(.rerate(step))
        #expect(try town.platform.read { views throws(ViewsError) in try views.corrections(limit: 10) }.count == 2)
    }

    @Test func mobilePhonesHaveAPriceOfTheirOwn() throws {
        let town = try Town()
        func rate(_ leg: LegType, _ perMinute: Int64) -> ServiceRate {
            .with {
                $0.leg = leg
                $0.decimals = 4
                $0.price.perMinuteMicros = perMinute
                $0.price.firstIncrementSeconds = 60
                $0.price.nextIncrementSeconds = 60
            }
        }
        town.provider.wholesaleDeckID = Data()
        try town.platform.admin(.changeProvider(town.provider, expectedVersion: nil))
        var carrier = town.carrier
        carrier.costDeckID = Data()
        try town.platform.admin(.changeCarrier(carrier, expectedVersion: nil))
        town.plan.rateDeckID = Data()
        town.plan.dialPlanID = Data()
        town.plan.serviceRates = [rate(.pstn, 10_000), rate(.mobile, 90_000), rate(.premium, 2_000_000)]
        town.plan.allowances = [minutes(60)]
        town.plan.allowances[0].legs = [.mobile]
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        town.alice.allowedPrefixes = ["+"]
        try town.platform.admin(.changeSubscriber(town.alice, password: nil, expectedVersion: nil))
        // In Austria 1 is Vienna, 664 is mobile, 800 is free and 900 is not.
        #expect(try talk(town, town.alice, to: "+4315001000", seconds: 60).amountMicros == 10_000)
        #expect(try talk(town, town.alice, to: "+436641234567", seconds: 120).amountMicros == 90_000)
        #expect(try talk(town, town.alice, to: "+43800100200", seconds: 60).amountMicros == 10_000)
        #expect(try talk(town, town.alice, to: "+43900123456", seconds: 60).amountMicros == 2_000_000)
        #expect(try town.cdrs().last?.charges.first?.entry.destination == "service rate: premium")
    }
}
