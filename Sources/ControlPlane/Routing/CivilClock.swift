import Foundation
import Model
import Primitives

/// Days and minutes as the clock on the wall of a time zone shows them.
///
/// Summer time: a day begins at its first instant, so it has 23 or 25 hours when the clocks change, and one that has no
/// midnight begins at its first existing minute. A minute that comes twice is inside of a window both times; one that is left
/// out is in none.
struct CivilClock {
    private let calendar: Calendar

    /// UTC for an empty name, and for one that this machine does not know.
    init(zone: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        self.calendar = calendar
    }

    func startOfDay(at time: WallTime) -> WallTime {
        let start = calendar.startOfDay(for: date(time))
        return WallTime(microseconds: Int64(start.timeIntervalSince1970.rounded()) * 1_000_000)
    }

    func isInside(_ window: TimeWindow, at time: WallTime) -> Bool {
        let parts = calendar.dateComponents([.weekday, .hour, .minute], from: date(time))
        guard let sundayFirst = parts.weekday, let hour = parts.hour, let minute = parts.minute else { return false }
        let today = sundayFirst == 1 ? 7 : sundayFirst - 1
        let yesterday = today == 1 ? 7 : today - 1
        let now = UInt32(hour * 60 + minute)
        func begins(on day: Int) -> Bool {
            window.weekdays.isEmpty || window.weekdays.contains { $0.rawValue == day }
        }
        if window.fromMinute < window.toMinute {
            return begins(on: today) && now >= window.fromMinute && now < window.toMinute
        }
        // It ends on the day after the one that it began on.
        return begins(on: today) && now >= window.fromMinute || begins(on: yesterday) && now < window.toMinute
    }

    /// What an operator reads: `Wed 14:05`.
    func text(_ time: WallTime) -> String {
        let parts = calendar.dateComponents([.weekday, .hour, .minute], from: date(time))
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        func two(_ value: Int?) -> String { (value ?? 0) < 10 ? "0\(value ?? 0)" : "\(value ?? 0)" }
        return "\(days[((parts.weekday ?? 1) - 1) % 7]) \(two(parts.hour)):\(two(parts.minute))"
    }

    /// `2026-12-25`
    func date(_ time: WallTime) -> String {
        let parts = calendar.dateComponents([.year, .month, .day], from: date(time))
        func padded(_ value: Int?, _ count: Int) -> String {
            let text = String(value ?? 0)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return "\(padded(parts.year, 4))-\(padded(parts.month, 2))-\(padded(parts.day, 2))"
    }

    private func date(_ time: WallTime) -> Date { Date(timeIntervalSince1970: Double(time.microseconds) / 1_000_000) }
}
