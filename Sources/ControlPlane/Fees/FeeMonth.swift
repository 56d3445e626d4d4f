import Foundation
import Model
import Primitives

/// The days of a month by the clock on the wall of a time zone. A day that the clocks are changed on has 23 or 25 hours, and is a
/// day like any other.
struct FeeMonth {
    /// When each day begins, and when the month ends.
    let days: [WallTime]
    /// `2026-11`.
    let name: String

    var start: WallTime { days[0] }
    var end: WallTime { days[days.count - 1] }
    var dayCount: UInt32 { UInt32(days.count - 1) }

    func contains(_ time: WallTime) -> Bool { start <= time && time < end }

    /// UTC for a zone that this machine does not know.
    init(containing time: WallTime, zone: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        let date = Date(timeIntervalSince1970: Double(time.microseconds.quotientAndRemainder(dividingBy: 1_000_000).quotient))
        let parts = calendar.dateComponents([.year, .month], from: date)
        let count = calendar.range(of: .day, in: .month, for: date)?.count ?? 30
        let first = calendar.date(from: DateComponents(year: parts.year, month: parts.month, day: 1)) ?? date
        days = (0...count).map { index in
            let day = calendar.date(byAdding: .day, value: index, to: first) ?? first
            return WallTime(microseconds: Int64(calendar.startOfDay(for: day).timeIntervalSince1970.rounded()) * 1_000_000)
        }
        name = "\(parts.year ?? 0)-\(Self.two(parts.month ?? 0))"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// The month as a whole, or the one day of it that the time is in.
    func period(_ proration: Proration, containing time: WallTime) -> FeePeriod {
        guard proration == .daily else { return FeePeriod(month: self, days: 0..<Int(dayCount), name: name) }
        let day = (days.firstIndex { $0 > time } ?? days.count - 1) - 1
        return FeePeriod(month: self, days: max(0, day)..<max(0, day) + 1, name: "\(name)-\(Self.two(max(0, day) + 1))")
    }
}

/// What one fact is for.
struct FeePeriod {
    let month: FeeMonth
    /// Of the month, from 0.
    let days: Range<Int>
    let name: String

    var start: WallTime { month.days[days.lowerBound] }
    var end: WallTime { month.days[days.upperBound] }

    /// The days on which something was there, if only for a moment.
    func days(from: WallTime, to: WallTime) -> FeeDays {
        var mask = FeeDays()
        for day in days where from < to && from < month.days[day + 1] && to > month.days[day] { mask.insert(day) }
        return mask
    }

    /// Those that begin with the one that the time is in.
    func days(since time: WallTime) -> FeeDays { days(from: max(time, start), to: end) }
}

/// Days of a month, from 0.
struct FeeDays: Equatable {
    private(set) var bits: UInt32 = 0

    var isEmpty: Bool { bits == 0 }
    var count: UInt32 { UInt32(bits.nonzeroBitCount) }
    /// -1: there is none.
    var last: Int { 31 - bits.leadingZeroBitCount }

    mutating func insert(_ day: Int) { bits |= 1 << UInt32(day) }
    mutating func formUnion(_ other: FeeDays) { bits |= other.bits }
    mutating func subtract(_ other: FeeDays) { bits &= ~other.bits }
    func intersection(_ other: FeeDays) -> FeeDays {
        var days = self
        days.bits &= other.bits
        return days
    }
}
