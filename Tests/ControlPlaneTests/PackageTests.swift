import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Packages that a prepaid customer buys beside its plan. Retail is 0.04 a minute, in minutes.
@Suite struct PackageTests {
    private func town(renewing: Bool = false, days: UInt32 = 7, _ period: AllowancePeriod = .once) throws -> Town {
        let town = try Town(prepaid: true)
        town.plan.packages = [
            .with {
                $0.number = 3
                $0.name = "Week of talk"
                $0.priceMicros = 2_000_000
                $0.days = days
                $0.isRenewing = renewing
                $0.allowances = [
                    .with {
                        $0.number = 1
                        $0.name = "two minutes"
                        $0.seconds = 120
                        $0.period = period
                    }
                ]
            }
        ]
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
        return town
    }

    private func buy(_ town: Town, _ number: UInt32 = 3, key: String? = nil) throws -> UUIDv7 {
        try town.platform.admin(.buyPackage(CustomerID(town.customer.id)!, number), key: key).id
    }

    private func talk(_ town: Town) throws -> Charge {
        let call = town.newCall()
        let reply = try town.start(call, from: town.alice, to: "2488700")
        guard case .callPlan? = reply.kind else { throw TestFailure.unexpected("\(reply)") }
        _ = try town.answer(call)
        town.platform.run(.seconds(60), beating: ["s1", "s2"])
        _ = try town.finish(call)
        return try #require(try town.cdrs().last?.charges.first)
    }

    private func states(_ town: Town) throws -> [PackageState] {
        try town.platform.read { views throws(ViewsError) in try views.packages(of: CustomerID(town.customer.id)!) }
    }

    private func later(_ town: Town, days: Int) throws {
        town.platform.advance(.seconds(days * 86_400))
        _ = try town.platform.hello("s1")
        _ = try town.platform.hello("s2")
        town.platform.run(.seconds(3), beating: ["s1", "s2"])
    }

    @Test func aPackageIsPaidAtOnceAndItsMinutesAreFree() throws {
        let town = try town()
        try town.topUp(3_000_000)
        let id = try buy(town)
        #expect(try town.balance(town.account) == 1_000_000)
        #expect(try town.balance(.of(.providerRevenue, owner: town.provider.id, currency: "USD")) == 2_000_000)
        let charge = try talk(town)
        #expect(charge.amountMicros == 0)
        #expect(charge.allowances.map(\.sourceID) == [Data(id.bytes)])
        #expect(try talk(town).amountMicros == 0)
        #expect(try talk(town).amountMicros == 40_000)
    }

    @Test func aPackageEnds() throws {
        let town = try town()
        try town.topUp(3_000_000)
        _ = try buy(town)
        try later(town, days: 8)
        #expect(try talk(town).amountMicros == 40_000)
        #expect(try states(town).map(\.bought.renewals) == [0])
    }

    @Test func theSameKeyBuysOnce() throws {
        let town = try town()
        try town.topUp(10_000_000)
        #expect(try buy(town, key: "k") == buy(town, key: "k"))
        #expect(try states(town).count == 1)
        #expect(try town.balance(town.account) == 8_000_000)
    }

    @Test func withoutMoneyNothingIsBought() throws {
        let town = try town()
        try town.topUp(1_999_999)
        #expect(throws: AdminRejection.self) { try buy(town) }
        #expect(throws: AdminRejection.invalid(field: "package", reason: "the customer's service plan has no package 4")) {
            try buy(town, 4)
        }
        #expect(try states(town).isEmpty)
    }

    @Test func aPackageIsRenewedAsOftenAsItEndedAndWhileTheAccountPays() throws {
        let town = try town(renewing: true)
        try town.topUp(5_000_000)
        _ = try buy(town)
        #expect(try talk(town).amountMicros == 0)
        try later(town, days: 7)
        let renewed = try #require(try states(town).first)
        #expect(renewed.bought.renewals == 1)
        #expect(renewed.bought.startsAt == renewed.bought.endsAt - 7 * 86_400_000_000)
        #expect(try town.balance(town.account) == 1_000_000)
        // The units are new.
        #expect(try talk(town).allowances.map(\.seconds) == [60])
        #expect(try talk(town).amountMicros == 0)
        try later(town, days: 7)
        #expect(try states(town).first?.isCancelled == true)
        #expect(try town.balance(town.account) == 1_000_000)
    }

    @Test func aPlatformThatWasAwayRenewsPeriodByPeriod() throws {
        let town = try town(renewing: true)
        try town.topUp(20_000_000)
        _ = try buy(town)
        try later(town, days: 30)
        #expect(try states(town).first?.bought.renewals == 4)
        #expect(try town.balance(town.account) == 10_000_000)
    }

    @Test func aCancelledPackageHoldsUntilItEnds() throws {
        let town = try town(renewing: true)
        try town.topUp(5_000_000)
        let id = try buy(town)
        try town.platform.admin(.cancelPackage(CustomerID(town.customer.id)!, id, reason: "enough"))
        #expect(try talk(town).amountMicros == 0)
        try later(town, days: 8)
        #expect(try states(town).first?.bought.renewals == 0)
        #expect(try talk(town).amountMicros == 40_000)
    }
}
