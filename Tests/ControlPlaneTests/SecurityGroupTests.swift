import Foundation
import Model
import PhoneNumbers
import Primitives
import Projections
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Retail is 0.04 a minute, in minutes; a lease is five minutes: 0.20.
@Suite struct SecurityGroupTests {
    private func group(_ town: Town, _ change: (inout SecurityGroup) -> Void) throws -> SecurityGroup {
        var group = SecurityGroup()
        group.providerID = town.provider.id
        group.name = "Standard"
        change(&group)
        return try town.create(group, AdminCommand.createSecurityGroup)
    }

    /// The line has no prefixes of its own, and the group; nil: none.
    private func judge(_ town: Town, by group: SecurityGroup?) throws {
        for subscriber in [town.alice, town.bob] {
            var subscriber = subscriber
            subscriber.allowedPrefixes = []
            subscriber.securityGroupID = group?.id ?? Data()
            try town.platform.admin(.changeSubscriber(subscriber, password: nil, expectedVersion: nil))
        }
    }

    private func refusal(_ town: Town, _ dialled: String) throws -> Refusal {
        let reply = try town.start(town.newCall(), from: town.alice, to: dialled)
        guard case .callRefused(let refused) = reply.kind else { return .none }
        return refused.refusal
    }

    @Test func nothingOutsideIsAllowedByDefault() throws {
        let town = try Town()
        try judge(town, by: nil)
        #expect(try refusal(town, "2488700") == .notPermitted)
        try judge(town, by: try group(town) { _ in })
        #expect(try refusal(town, "2488700") == .notPermitted)
    }

    @Test func theUSAIsItsAreaCodesAndNotTheCaribbean() throws {
        let town = try Town()
        try judge(town, by: try group(town) { $0.countries = ["US"] })
        for number in ["2092488700", "8085550123", "+12125550123"] { #expect(try refusal(town, number) == .none, "\(number)") }
        for number in ["8765550123", "2425550123", "8095550123", "4165550123", "7875550123", "4415550123"] {
            #expect(try refusal(town, number) == .notPermitted, "\(number)")
        }
        let cdr = try #require(try town.cdrs().last)
        #expect(cdr.refusalDetail == "security group Standard: BM is not one of its countries")
        #expect(!cdr.securityGroupID.isEmpty)
        for region in PhoneNumbers.regions where PhoneNumbers.countryCode(of: region) == 1 && region.code != "US" {
            let example = try #require(PhoneNumbers.example(of: .fixedLine, in: region))
            #expect(try refusal(town, example) == .notPermitted, "\(region)")
        }
    }

    @Test func listsAndPremiumNumbersAreObeyed() throws {
        let town = try Town()
        try judge(
            town,
            by: try group(town) {
                $0.countries = ["US"]
                $0.blockedNumbers = ["+1310", "+12092488701", "+12125550123"]
                $0.allowedNumbers = ["+18765550100", "+19005550100", "+12125550123"]
            })
        #expect(try refusal(town, "3105550123") == .numberBlocked)
        #expect(try refusal(town, "+12125550123") == .numberBlocked)  // a list of blocked ones is the last word
        #expect(try refusal(town, "8765550100") == .none)
        #expect(try refusal(town, "8765550101") == .notPermitted)
        #expect(try refusal(town, "9005550100") == .none)
        #expect(try refusal(town, "9005550101") == .premiumNumber)
        try judge(town, by: try group(town) { $0.countries = ["US"]; $0.premium = true })
        #expect(try refusal(town, "9005550101") == .none)
    }

    @Test func theNearestGroupDecidesAndOwnPrefixesAdd() throws {
        let town = try Town()
        try judge(town, by: nil)
        var plan = town.plan
        plan.securityGroupID = try group(town) { $0.countries = ["US"] }.id
        try town.platform.admin(.changeServicePlan(plan, expectedVersion: nil))
        #expect(try refusal(town, "2488700") == .none)
        var tenant = town.tenant
        tenant.securityGroupID = try group(town) { $0.countries = ["CA"] }.id
        try town.platform.admin(.changeTenant(tenant, expectedVersion: nil))
        #expect(try refusal(town, "2488700") == .notPermitted)
        #expect(try refusal(town, "4165550123") == .none)
        try judge(town, by: try group(town) { $0.prefixes = ["+1209"] })
        #expect(try refusal(town, "2488700") == .none)
        #expect(try refusal(town, "4165550123") == .notPermitted)
        // What a line is given itself is added to what its group allows, and the group's other rules stay.
        var alice = town.alice
        alice.allowedPrefixes = ["+1416"]
        try town.platform.admin(.changeSubscriber(alice, password: nil, expectedVersion: nil))
        #expect(try refusal(town, "4165550123") == .none)
    }

    @Test func aGroupInUseIsNotRemovedAndIsOfTheSameProvider() throws {
        let town = try Town()
        let group = try group(town) { $0.countries = ["US"] }
        try judge(town, by: group)
        #expect(throws: AdminRejection.self) {
            try town.platform.admin(.remove(.securityGroup, UUIDv7(bytes: group.id)!, expectedVersion: nil))
        }
        let other = try town.create(
            .with {
                $0.name = "Other"
                $0.namespace = "other.example"
                $0.currency = "USD"
            }, AdminCommand.createProvider)
        let foreign = try town.create(
            .with {
                $0.providerID = other.id
                $0.name = "Foreign"
            }, AdminCommand.createSecurityGroup)
        var alice = town.alice
        alice.securityGroupID = foreign.id
        #expect(throws: AdminRejection.unknownReference("security_group_id", SecurityGroupID(foreign.id)!.description)) {
            try town.platform.admin(.changeSubscriber(alice, password: nil, expectedVersion: nil))
        }
    }

    struct Wrong: Sendable {
        var field: String
        var change: @Sendable (inout SecurityGroup) -> Void

        init(_ field: String, _ change: @escaping @Sendable (inout SecurityGroup) -> Void) {
            self.field = field
            self.change = change
        }
    }

    static let wrong: [Wrong] = [
        Wrong("countries[0]") { $0.countries = ["QQ"] }, Wrong("countries[0]") { $0.countries = ["us"] },
        Wrong("countries") { $0.countries = ["US", "US"] }, Wrong("prefixes[0]") { $0.prefixes = ["1209"] },
        Wrong("allowed_numbers[0]") { $0.allowedNumbers = ["+1"] }, Wrong("blocked_numbers[0]") { $0.blockedNumbers = ["+1x"] },
        Wrong("time_zone") { $0.timeZone = "Mars/Olympus" }, Wrong("line_spend_per_day") { $0.lineSpendPerDayMicros = -1 },
        Wrong("windows[0]") { $0.windows = [.with { $0.fromMinute = 60; $0.toMinute = 60 }] },
        Wrong("windows[0].weekdays") { $0.windows = [.with { $0.weekdays = [.unspecified]; $0.toMinute = 60 }] },
    ]

    @Test(arguments: wrong.indices)
    func whatCannotBeIsRefusedByItsField(index: Int) throws {
        let town = try Town()
        let row = Self.wrong[index]
        #expect {
            _ = try group(town, row.change)
        } throws: {
            ($0 as? AdminRejection)?.field == row.field
        }
    }

    // MARK: - hours

    @Test func callsOutsideOfTheHoursAreRefused() throws {
        let town = try Town()  // 2026-11-21 12:00 UTC, a Saturday: 04:00 in Los Angeles
        let window = TimeWindow.with {
            $0.weekdays = [.saturday]
            $0.fromMinute = 5 * 60
            $0.toMinute = 6 * 60
        }
        try judge(
            town,
            by: try group(town) {
                $0.countries = ["US"]
                $0.windows = [window]
                $0.timeZone = "America/Los_Angeles"
            })
        #expect(try refusal(town, "2488700") == .outsideHours)
        #expect(
            try town.cdrs().last?.refusalDetail
                == "security group Standard: Sat 04:00 in America/Los_Angeles is outside of its hours")
        town.platform.run(.seconds(3_600), beating: ["s1", "s2"])
        #expect(try refusal(town, "2488700") == .none)
        town.platform.run(.seconds(3_600), beating: ["s1", "s2"])
        #expect(try refusal(town, "2488700") == .outsideHours)
    }

    @Test func windowsFollowTheClockOnTheWall() throws {
        func isInside(_ zone: String, _ time: String, from: UInt32, to: UInt32, _ days: [Weekday] = []) -> Bool {
            CivilClock(zone: zone).isInside(
                .with {
                    $0.weekdays = days
                    $0.fromMinute = from
                    $0.toMinute = to
                }, at: WallTime(rfc3339: time)!)
        }
        // Over midnight: the window belongs to the day on which it begins.
        for (time, expected) in [
            ("2026-11-20T21:59:59Z", false), ("2026-11-20T22:00:00Z", true), ("2026-11-21T05:59:59Z", true),
            ("2026-11-21T06:00:00Z", false), ("2026-11-21T22:00:00Z", false),
        ] { #expect(isInside("", time, from: 22 * 60, to: 6 * 60, [.friday]) == expected, "\(time)") }
        #expect(isInside("", "2026-11-21T23:59:59Z", from: 0, to: 1_440, [.saturday]))
        #expect(!isInside("", "2026-11-22T00:00:00Z", from: 0, to: 1_440, [.saturday]))
        // Vienna: 02:30 comes twice on 25 October 2026, and not at all on 29 March 2026.
        #expect(isInside("Europe/Vienna", "2026-10-25T00:30:00Z", from: 150, to: 160))
        #expect(isInside("Europe/Vienna", "2026-10-25T01:30:00Z", from: 150, to: 160))
        for minute in 0..<120 {
            let time = WallTime(rfc3339: "2026-03-29T00:00:00Z")! + .seconds(Int64(minute) * 60)
            #expect(!isInside("Europe/Vienna", time.rfc3339, from: 150, to: 160))
        }
    }

    @Test func aDayBeginsAtItsFirstInstant() {
        func start(_ zone: String, _ time: String) -> String {
            String(CivilClock(zone: zone).startOfDay(at: WallTime(rfc3339: time)!).rfc3339.prefix(19))
        }
        #expect(start("", "2026-11-21T12:00:00Z") == "2026-11-21T00:00:00")
        #expect(start("America/Los_Angeles", "2026-11-21T07:59:59Z") == "2026-11-20T08:00:00")
        // 23 and 25 hours.
        #expect(start("Europe/Vienna", "2026-03-29T21:59:59Z") == "2026-03-28T23:00:00")
        #expect(start("Europe/Vienna", "2026-03-29T22:00:00Z") == "2026-03-29T22:00:00")
        #expect(start("Europe/Vienna", "2026-10-25T22:59:59Z") == "2026-10-24T22:00:00")
        // A day without midnight: the clocks of São Paulo went from 23:59 to 01:00.
        #expect(start("America/Sao_Paulo", "2018-11-04T12:00:00Z") == "2018-11-04T03:00:00")
        // Three quarters of an hour.
        #expect(start("Asia/Kathmandu", "2026-11-21T12:00:00Z") == "2026-11-20T18:15:00")
    }

    // MARK: - money

    @Test func theDaysSpendIsChargedAndHeldTogether() throws {
        let town = try Town()
        try judge(
            town,
            by: try group(town) {
                $0.countries = ["US"]
                $0.lineSpendPerDayMicros = 300_000
                $0.timeZone = "America/Los_Angeles"
            })
        let first = town.newCall()
        // Postpaid, and still under a lease: 0.20 is held, 0.10 is left, which is two minutes.
        #expect(try town.start(first, from: town.alice, to: "2488700").callPlan.grantedSeconds == 300)
        #expect(try town.held() == 200_000)
        let second = town.newCall()
        #expect(try town.start(second, from: town.alice, to: "2488700").callPlan.grantedSeconds == 120)
        // 0.02 is left, and a minute costs 0.04.
        #expect(try refusal(town, "2488700") == .spendLimit)
        #expect(try town.cdrs().last?.refusalDetail.contains("what is left of the day's limit") == true)
        // Another line has its own.
        #expect(try town.start(town.newCall(), from: town.bob, to: "2488700").callPlan.grantedSeconds == 300)
        _ = try town.answer(first)
        town.platform.run(.seconds(100), beating: ["s1", "s2"])
        // The second holds what is left: there is no more for the first.
        #expect(try town.renew(first, used: 290).creditGranted.grantedSeconds == 300)
        _ = try town.finish(second, cause: .cancelled)
        #expect(try town.renew(first, used: 290).creditGranted.grantedSeconds == 420)
        _ = try town.finish(first)  // 100 s: two minutes, 0.08
        let spend = try town.platform.read { views throws(ViewsError) in
            try views.spend(of: SubscriberID(town.alice.id)!, since: WallTime(rfc3339: "2026-11-21T08:00:00Z")!)
        }
        #expect(spend.chargedMicros == 80_000 && spend.heldMicros == 0)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan.grantedSeconds == 300)
    }

    @Test func aCustomersLimitIsForAllItsLinesAndEndsAtMidnight() throws {
        let town = try Town(prepaid: true)
        try town.topUp(10_000_000)
        try judge(
            town,
            by: try group(town) {
                $0.countries = ["US"]
                $0.customerSpendPerDayMicros = 240_000
                $0.timeZone = "America/Los_Angeles"
            })
        let call = town.newCall()
        #expect(try town.start(call, from: town.alice, to: "2488700").callPlan.grantedSeconds == 300)
        #expect(try town.start(town.newCall(), from: town.bob, to: "2488700").callPlan.grantedSeconds == 60)
        let reply = try town.start(town.newCall(), from: town.bob, to: "2488700")
        #expect(reply.callRefused.refusal == .spendLimit)
        #expect(reply.callRefused.sipStatus == 403)
        _ = try town.answer(call)
        town.platform.run(.seconds(240), beating: ["s1", "s2"])
        _ = try town.finish(call)
        #expect(try town.start(town.newCall(), from: town.bob, to: "2488700").callPlan.grantedSeconds == 60)
        // Midnight in Los Angeles is 08:00 UTC.
        town.platform.advance(.seconds(19 * 3_600 + 55 * 60 - 1))
        for worker in ["s1", "s2"] { _ = try town.platform.hello(worker, incarnation: 2) }
        // Calls of a worker that was not heard for so long are closed; 0.16 of 0.24 were charged.
        let last = town.newCall()
        #expect(try town.start(last, from: town.alice, to: "2488700").callPlan.grantedSeconds == 120)
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callRefused.refusal == .spendLimit)
        _ = try town.finish(last, cause: .cancelled)
        town.platform.run(.seconds(61), beating: ["s1", "s2"])
        #expect(try town.start(town.newCall(), from: town.alice, to: "2488700").callPlan.grantedSeconds == 300)
    }

    // MARK: - emergency

    @Test func whatADialPlanMakesOf911IsNotBlocked() throws {
        let town = try Town()
        try judge(town, by: try group(town) { $0.blockedNumbers = ["+"] })
        var plan = town.dialPlan
        plan.rules.insert(
            .with {
                $0.description_p = "emergency"
                $0.match = "^911$"
                $0.replacement = "+12095550911"
            }, at: 0)
        try town.platform.admin(.changeDialPlan(plan, expectedVersion: nil))
        #expect(try refusal(town, "911") == .none)
        #expect(try refusal(town, "2095550911") == .numberBlocked)
    }

    @Test func aTrialSaysEveryRule() throws {
        let town = try Town()
        let group = try group(town) {
            $0.countries = ["US"]
            $0.blockedNumbers = ["+1310"]
            $0.lineSpendPerDayMicros = 1_000_000
            $0.windows = [.with { $0.toMinute = 1_440 }]
        }
        let gate = try town.platform.read { views throws(ViewsError) in
            Result {
                try CallGate(
                    "+13105550123", facts: PhoneNumbers.facts(of: "+13105550123"), group: group,
                    caller: CallGate.Caller(
                        line: SubscriberID(town.alice.id)!, customer: CustomerID(town.customer.id)!, allowedPrefixes: []),
                    in: views, at: town.platform.wall)
            }
        }.get()
        #expect(gate.steps.map(\.rule) == [.blockedNumbers, .destination, .hours, .lineSpend])
        #expect(gate.steps.map(\.isAllowed) == [false, true, true, true])
        #expect(gate.refusal?.refusal == .numberBlocked)
        #expect(gate.steps.last?.detail == "security group Standard: the line has spent 0.00 of 1.00 a day")
    }
}
