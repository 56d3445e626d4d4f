import Model
import Primitives
import Testing

@testable import ControlPlane

/// Months by the clocks of the world, and what a part of one costs.
@Suite struct FeeMonthTests {
    @Test(
        "zone, a time, its month",
        arguments: [
            ("UTC", "2026-11-21T12:00:00Z", "2026-11", "2026-11-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z", UInt32(30)),
            // Summer time ends in the month, or begins.
            ("America/Los_Angeles", "2026-11-21T12:00:00Z", "2026-11", "2026-11-01T07:00:00.000000Z", "2026-12-01T08:00:00.000000Z", 30),
            ("America/Los_Angeles", "2026-12-01T07:59:59Z", "2026-11", "2026-11-01T07:00:00.000000Z", "2026-12-01T08:00:00.000000Z", 30),
            ("America/Los_Angeles", "2026-12-01T08:00:00Z", "2026-12", "2026-12-01T08:00:00.000000Z", "2027-01-01T08:00:00.000000Z", 31),
            ("Europe/Vienna", "2027-03-31T21:59:59Z", "2027-03", "2027-02-28T23:00:00.000000Z", "2027-03-31T22:00:00.000000Z", 31),
            // A leap year, and zones whose midnight is at no full hour of UTC.
            ("Asia/Tokyo", "2028-02-29T14:59:59Z", "2028-02", "2028-01-31T15:00:00.000000Z", "2028-02-29T15:00:00.000000Z", 29),
            ("Asia/Kolkata", "2027-01-31T18:30:00Z", "2027-02", "2027-01-31T18:30:00.000000Z", "2027-02-28T18:30:00.000000Z", 28),
            ("Asia/Kathmandu", "2027-01-31T18:14:59Z", "2027-01", "2026-12-31T18:15:00.000000Z", "2027-01-31T18:15:00.000000Z", 31),
        ])
    func aMonthIsThatOfTheClockOnTheWall(
        zone: String, at: String, name: String, start: String, end: String, days: UInt32
    ) throws {
        let time = try #require(WallTime(rfc3339: at))
        let month = FeeMonth(containing: time, zone: zone)
        #expect(month.name == name)
        #expect(month.start.rfc3339 == start)
        #expect(month.end.rfc3339 == end)
        #expect(month.dayCount == days)
        #expect(month.contains(time))
        #expect(zip(month.days, month.days.dropFirst()).allSatisfy { $0 < $1 })
        let day = month.period(.daily, containing: time)
        #expect(day.start <= time && time < day.end)
    }

    @Test func theDayOnWhichTheClocksChangeIsOneDay() throws {
        let month = FeeMonth(containing: try #require(WallTime(rfc3339: "2026-11-21T12:00:00Z")), zone: "America/Los_Angeles")
        #expect(month.days[1] - month.days[0] == .seconds(25 * 3_600))
        #expect(month.period(.daily, containing: month.days[1] + .seconds(-1)).name == "2026-11-01")
        #expect(month.period(.daily, containing: month.days[1]).name == "2026-11-02")
    }

    @Test func theDaysOfAMonthAddUpToItsPriceWhateverItIs() throws {
        var random = RandomSource(seed: 11)
        for _ in 0..<200 {
            let time = WallTime(microseconds: Int64.random(in: 1_700_000_000_000_000...1_900_000_000_000_000, using: &random))
            let month = FeeMonth(containing: time, zone: "Europe/Vienna")
            let currency = try #require(Currency(["EUR", "JPY", "KWD"].randomElement(using: &random)!))
            var unit: Int64 = 1
            for _ in currency.decimals..<6 { unit *= 10 }
            let price = Int64.random(in: 0...1_000_000, using: &random) * unit
            func amount(_ proration: Proration, _ from: Int, _ to: Int, of period: FeePeriod) -> Int64 {
                FeePrice.amount(
                    price, proration, days: period.days(from: month.days[from], to: month.days[to]), of: period, isWhole: false,
                    currency: currency)
            }
            var sum: Int64 = 0
            for day in 0..<Int(month.dayCount) {
                let part = amount(.daily, day, day + 1, of: month.period(.daily, containing: month.days[day]))
                #expect(part % unit == 0 && abs(part * Int64(month.dayCount) - price) <= unit * Int64(month.dayCount))
                sum += part
            }
            #expect(sum == price)
            let whole = month.period(.days, containing: time)
            #expect(amount(.days, 0, Int(month.dayCount), of: whole) == price)
            // No part of it is more than half a unit off, nor are two parts together more than one unit.
            let cut = Int.random(in: 1..<Int(month.dayCount), using: &random)
            let parts = amount(.days, 0, cut, of: whole) + amount(.days, cut, Int(month.dayCount), of: whole)
            #expect(abs(parts - price) <= unit)
        }
    }
}
