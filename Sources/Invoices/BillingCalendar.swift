import Foundation
package import Primitives

/// Months and days by the clock of one time zone, which decides when a month ends and what date an invoice bears.
package struct BillingCalendar: Sendable {
    private let calendar: Calendar

    /// - Parameter timeZone: IANA name; one that this machine's tables do not know counts as UTC.
    package init(timeZone: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: timeZone) ?? .gmt
        self.calendar = calendar
    }

    /// 2026-11-30
    package func day(of time: WallTime) -> String {
        let parts = calendar.dateComponents([.year, .month, .day], from: date(time))
        return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
    }

    /// 2026-11
    package func month(of time: WallTime) -> String { String(day(of: time).prefix(7)) }

    package func day(of time: WallTime, plus days: UInt32) -> String {
        day(of: wall(calendar.date(byAdding: .day, value: Int(days), to: date(time)) ?? date(time)))
    }

    /// The last beginning of this day of a month at or before the time.
    package func boundary(day: UInt32, atOrBefore time: WallTime) -> WallTime {
        let start = boundary(day, inMonthOf: date(time))
        if start <= date(time) { return wall(start) }
        return wall(boundary(day, inMonthOf: calendar.date(byAdding: .month, value: -1, to: start) ?? start))
    }

    /// The first beginning of this day of a month after the time.
    package func boundary(day: UInt32, after time: WallTime) -> WallTime {
        let last = date(boundary(day: day, atOrBefore: time))
        return wall(boundary(day, inMonthOf: calendar.date(byAdding: .month, value: 1, to: last) ?? last))
    }

    /// Date and time of day, to the second.
    package func text(_ time: WallTime) -> String {
        let parts = calendar.dateComponents([.hour, .minute, .second], from: date(time))
        return day(of: time) + String(format: " %02d:%02d:%02d", parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0)
    }

    private func boundary(_ day: UInt32, inMonthOf date: Date) -> Date {
        var parts = calendar.dateComponents([.year, .month], from: date)
        parts.day = Int(max(1, min(day, 28)))
        return calendar.date(from: parts) ?? date
    }

    private func date(_ time: WallTime) -> Date { Date(timeIntervalSince1970: Double(time.microseconds) / 1_000_000) }
    private func wall(_ date: Date) -> WallTime { WallTime(microseconds: Int64((date.timeIntervalSince1970 * 1_000_000).rounded())) }
}
