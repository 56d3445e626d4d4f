public import Model
public import Primitives

/// Which time band of a version is in force: dates go before the week, a date of one year before that of every year.
///
/// The band is that of the moment at which the call came in, by the clock on the wall of the version's time zone, and holds for
/// the whole call. How far that clock is from UTC is read at the edge and recorded with the price, so that nobody who computes
/// it again needs the rules of time zones, which change.
extension RateDeckVersion {
    /// 0: none.
    public func band(at time: WallTime, utcOffsetSeconds: Int32) -> UInt32 {
        guard !bands.isEmpty else { return 0 }
        let clock = WallClock(time, utcOffsetSeconds: utcOffsetSeconds)
        var every: UInt32 = 0
        for band in bands {
            for date in band.dates where clock.isWithin(date) {
                if date.year != 0 { return band.number }
                if every == 0 { every = band.number }
            }
        }
        guard every == 0 else { return every }
        return bands.first { $0.week.contains(where: clock.isWithin) }?.number ?? 0
    }

    /// For people; nil for 0 and for a band that the version has not.
    public func bandName(_ number: UInt32) -> String? { bands.first { $0.number == number }?.name }
}

/// What a clock on a wall shows.
public struct WallClock: Equatable, Sendable {
    public let year: Int64
    public let month: Int64
    public let day: Int64
    /// 0 is Monday.
    public let weekday: Int64
    public let second: Int64

    public init(_ time: WallTime, utcOffsetSeconds: Int32) {
        let local = WallTime(microseconds: time.microseconds + Int64(utcOffsetSeconds) * 1_000_000)
        (year, month, day) = local.civil
        var (days, microseconds) = local.microseconds.quotientAndRemainder(dividingBy: 86_400_000_000)
        if microseconds < 0 {
            days -= 1
            microseconds += 86_400_000_000
        }
        second = microseconds / 1_000_000
        // 1970 began on a Thursday.
        weekday = ((days + 3) % 7 + 7) % 7
    }

    public func isWithin(_ window: WeekWindow) -> Bool {
        window.days >> UInt32(weekday) & 1 == 1 && (Int64(window.fromSecond)..<Int64(max(window.fromSecond, window.toSecond))).contains(second)
    }

    public func isWithin(_ window: DateWindow) -> Bool {
        (window.year == 0 || Int64(window.year) == year) && Int64(window.month) == month && Int64(window.day) == day
            && (Int64(window.fromSecond)..<Int64(max(window.fromSecond, window.toSecond))).contains(second)
    }
}
