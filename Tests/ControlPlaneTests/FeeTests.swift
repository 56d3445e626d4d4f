import Foundation
import Model
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Monthly fees of customers and providers. The town's provider is in Los Angeles, and it is noon of 21 November 2026 in UTC.
@Suite struct FeeTests {
    private func change(_ town: Town, _ change: (inout ServicePlan) -> Void) throws {
        change(&town.plan)
        try town.platform.admin(.changeServicePlan(town.plan, expectedVersion: nil))
    }

    private func fees(_ town: Town, of payer: Data? = nil) throws -> [FeeCharged] {
        let payer = try #require(UUIDv7(bytes: payer ?? town.customer.id))
        return try town.platform.read { views throws(ViewsError) in try views.fees(of: payer, limit: 1_000) }
    }

    /// At a time, with as many ticks as it takes until nothing is left to do.
    private func go(_ town: Town, to time: String) throws {
        let time = try #require(WallTime(rfc3339: time))
        town.platform.advance(time - town.platform.wall)
        town.platform.run(.seconds(1))
        while town.platform.core.fees.isBusy { town.platform.run(.seconds(1)) }
    }

    @Test func aMonthIsChargedWhenItIsOverWhereTheProviderIs() throws {
        let town = try Town()
        try change(town) {
            $0.subscriberMonthMicros = 10_000_000
            $0.numberMonthMicros = 1_500_000
        }
        try go(town, to: "2026-12-01T07:59:00Z")
        #expect(try fees(town).isEmpty)
        try go(town, to: "2026-12-01T08:00:00Z")
        let fee = try #require(try fees(town).first)
        #expect(fee.period == "2026-11")
        #expect(fee.timeZone == "America/Los_Angeles")
        #expect(fee.lines.map(\.kind) == [.subscriber, .number])
        #expect(fee.lines.map(\.quantity) == [2, 1])
        #expect(fee.amountMicros == 21_500_000)
        #expect(try town.balance(town.account) == -21_500_000)
        #expect(try town.balance(.of(.providerRevenue, owner: town.provider.id, currency: "USD")) == 21_500_000)
        try go(town, to: "2026-12-01T09:00:00Z")
        #expect(try fees(town).count == 1)
    }

    @Test func aPlatformThatWasAwayChargesMonthAfterMonthAndOnceEach() throws {
        let town = try Town()
        try change(town) { $0.subscriberMonthMicros = 10_000_000 }
        try go(town, to: "2027-03-15T00:00:00Z")
        #expect(try fees(town).map(\.period) == ["2026-11", "2026-12", "2027-01", "2027-02"])
        try town.platform.restart()
        town.platform.run(.seconds(5))
        #expect(try fees(town).count == 4)
        #expect(try town.balance(town.account) == -80_000_000)
    }

    /// WeHostVoIP: the monthly price by the days of the month, every day.
    @Test func aDayIsItsPartOfTheMonthAndTheDaysAddUpToIt() throws {
        let town = try Town()
        try go(town, to: "2026-12-01T07:00:00Z")
        try change(town) {
            $0.monthMicros = 10_000_000
            $0.proration = .daily
        }
        try go(town, to: "2027-01-01T08:00:00Z")
        let days = try fees(town)
        #expect(days.count == 32)
        #expect(days[0].period == "2026-11-30")
        #expect(days[0].amountMicros == 330_000)
        let december = days.dropFirst()
        #expect(december.first?.period == "2026-12-01")
        #expect(december.last?.period == "2026-12-31")
        #expect(Set(december.map(\.amountMicros)) == [320_000, 330_000])
        #expect(december.reduce(0) { $0 + $1.amountMicros } == 10_000_000)
    }

    @Test func aDayOfThirtyOneIsAThirtyFirstOfThePrice() throws {
        let town = try Town()
        try go(town, to: "2026-12-01T08:00:00Z")
        try change(town) {
            $0.numberMonthMicros = 3_100_000
            $0.proration = .daily
        }
        try go(town, to: "2026-12-03T08:00:00Z")
        #expect(try fees(town).map(\.amountMicros) == [100_000, 100_000])
    }

    /// From the 21st to the 31st are eleven days: 3.548…, paid as 3.55.
    @Test(arguments: [(Proration.days, 3_550_000), (.wholeMonth, 10_000_000)] as [(Proration, Int64)])
    func aLineThatComesLaterPaysItsDaysOrTheMonth(proration: Proration, expected: Int64) throws {
        let town = try Town()
        try go(town, to: "2026-11-30T20:00:00Z")
        try change(town) {
            $0.subscriberMonthMicros = 10_000_000
            $0.proration = proration
        }
        try go(town, to: "2026-12-21T20:00:00Z")
        _ = try town.subscriber("carol", alias: "1002")
        try go(town, to: "2027-01-01T08:00:00Z")
        let fee = try #require(try fees(town).last)
        #expect(fee.amountMicros == 20_000_000 + expected)
        #expect(fee.lines.map(\.days).contains(11) == (proration == .days))
        #expect(fee.lines.flatMap(\.itemIds).count == 3)
    }

    @Test func aLineThatIsGoneIsChargedOnceMoreAndThenNotAtAll() throws {
        let town = try Town()
        try change(town) { $0.subscriberMonthMicros = 10_000_000 }
        try go(town, to: "2026-11-25T20:00:00Z")
        try town.platform.admin(.remove(.subscriber, UUIDv7(bytes: town.bob.id)!, expectedVersion: nil))
        try go(town, to: "2027-01-01T08:00:00Z")
        #expect(try fees(town).map(\.amountMicros) == [20_000_000, 10_000_000])
    }

    @Test func aNumbersOwnPriceGoesBeforeThePlans() throws {
        let town = try Town()
        try change(town) { $0.numberMonthMicros = 1_000_000 }
        var number = try #require(try town.platform.read { views throws(ViewsError) in try views.number(NumberID(town.number.id)!) })
        number.priceMicros = 4_000_000
        try town.platform.admin(.changeNumber(number, expectedVersion: nil))
        try go(town, to: "2026-12-01T08:00:00Z")
        #expect(try fees(town).map(\.amountMicros) == [4_000_000])
    }

    @Test func aPendingCustomerPaysNothingAndALockedOneGoesOnPaying() throws {
        let town = try Town()
        try change(town) {
            $0.monthMicros = 5_000_000
            $0.proration = .days
        }
        var other = Customer()
        other.providerID = town.provider.id
        other.servicePlanID = town.plan.id
        other.name = "Later"
        other.status = .pending
        other = try town.create(other, AdminCommand.createCustomer)
        town.customer.status = .locked
        try town.platform.admin(.changeCustomer(town.customer, expectedVersion: nil))
        try go(town, to: "2026-12-16T20:00:00Z")
        #expect(try fees(town, of: other.id).isEmpty)
        other.status = .active
        other.currency = "USD"
        try town.platform.admin(.changeCustomer(other, expectedVersion: nil))
        try go(town, to: "2027-01-01T08:00:00Z")
        #expect(try fees(town, of: other.id).map(\.amountMicros) == [2_580_000])
        #expect(try fees(town).count == 2)
    }

    @Test func aCustomerThatChangesItsPlanPaysEachForItsDays() throws {
        let town = try Town()
        try go(town, to: "2026-12-01T08:00:00Z")
        try change(town) {
            $0.monthMicros = 31_000_000
            $0.proration = .days
        }
        var better = town.plan
        better.id = Data()
        better.monthMicros = 62_000_000
        better = try town.create(better, AdminCommand.createServicePlan)
        try go(town, to: "2026-12-11T20:00:00Z")
        town.customer.servicePlanID = better.id
        try town.platform.admin(.changeCustomer(town.customer, expectedVersion: nil))
        try go(town, to: "2027-01-01T08:00:00Z")
        let fees = try fees(town)
        #expect(Set(fees.map(\.planID)) == [town.plan.id, better.id])
        // The day of the change is the new plan's.
        #expect(fees.map(\.amountMicros).sorted() == [10_000_000, 42_000_000])
    }

    @Test func providersPayTheirParentsForEverythingBelow() throws {
        let town = try Town()
        let platform = try town.create(
            ServicePlan.with {
                $0.name = "Platform"
                $0.currency = "EUR"
                $0.subscriberMonthMicros = 1_000_000
                $0.monthMicros = 50_000_000
            }, AdminCommand.createServicePlan)
        town.provider.servicePlanID = platform.id
        try town.platform.admin(.changeProvider(town.provider, expectedVersion: nil))
        try change(town) { $0.subscriberMonthMicros = 10_000_000 }
        try go(town, to: "2026-12-01T08:00:00Z")
        let fee = try #require(try fees(town, of: town.provider.id).first)
        #expect(fee.isProvider)
        #expect(fee.payeeID.isEmpty)
        #expect(fee.timeZone == "UTC")
        #expect(fee.currency == "EUR")
        #expect(fee.lines.map(\.amountMicros) == [50_000_000, 2_000_000])
        #expect(try town.balance(.of(.providerPayable, owner: town.provider.id, currency: "EUR")) == 52_000_000)
        #expect(try town.balance(.of(.providerCost, owner: town.provider.id, currency: "EUR")) == -52_000_000)
        #expect(try town.platform.read { views throws(ViewsError) in try views.trialBalance() }.allSatisfy { $0.micros == 0 })
    }

    @Test func belowAProviderThatIsPendingNobodyPays() throws {
        let town = try Town()
        var later = Provider()
        later.parentID = town.provider.id
        later.name = "Later"
        later.namespace = "later.example"
        later.currency = "USD"
        later.timeZone = "America/Los_Angeles"
        later.status = .pending
        later = try town.create(later, AdminCommand.createProvider)
        let plan = try town.create(
            ServicePlan.with {
                $0.providerID = later.id
                $0.name = "Monthly"
                $0.monthMicros = 31_000_000
                $0.proration = .days
            }, AdminCommand.createServicePlan)
        let customer = try town.create(
            Customer.with {
                $0.providerID = later.id
                $0.servicePlanID = plan.id
                $0.name = "Below"
            }, AdminCommand.createCustomer)
        try go(town, to: "2026-12-22T20:00:00Z")
        later.status = .active
        try town.platform.admin(.changeProvider(later, expectedVersion: nil))
        try go(town, to: "2027-01-01T08:00:00Z")
        #expect(try fees(town, of: customer.id).map(\.amountMicros) == [0, 10_000_000])
    }

    @Test func aPlanThatHadNoFeesIsNotChargedForThePast() throws {
        let town = try Town()
        try go(town, to: "2027-02-10T20:00:00Z")
        try change(town) { $0.monthMicros = 28_000_000 }
        try go(town, to: "2027-04-01T08:00:00Z")
        // The month in which the fees came pays its days; the next one all.
        #expect(try fees(town).map(\.period) == ["2027-02", "2027-03"])
        #expect(try fees(town).map(\.amountMicros) == [19_000_000, 28_000_000])
    }

    @Test func aPlanOfThePlatformHasNoCalls() throws {
        let town = try Town()
        #expect(throws: AdminRejection.self) {
            try town.platform.admin(
                .createServicePlan(
                    .with {
                        $0.name = "Platform"
                        $0.currency = "EUR"
                        $0.rateDeckID = town.wholesale.id
                    }))
        }
        #expect(throws: AdminRejection.invalid(field: "currency", reason: "must be an ISO 4217 code, three capital letters such as EUR")) {
            try town.platform.admin(.createServicePlan(.with { $0.name = "Platform" }))
        }
    }
}
