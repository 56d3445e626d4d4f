internal import Foundation
package import Model
package import Primitives

/// When files are due: boundaries of the calendar in the export's time zone.
package struct ExportSchedule {
    private let interval: CdrExportInterval
    private let calendar: Calendar

    package init(_ export: CdrExport) {
        interval = export.interval
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: export.timeZone) ?? TimeZone(secondsFromGMT: 0) ?? .current
        calendar.firstWeekday = 2
        self.calendar = calendar
    }

    /// The first boundary after a time.
    package func due(after time: WallTime) -> WallTime {
        let microseconds: (hour: Int64, minute: Int64) = (3_600_000_000, 60_000_000)
        switch interval {
        case .everyMinute: return WallTime(microseconds: (time.microseconds / microseconds.minute + 1) * microseconds.minute)
        case .hourly, .UNRECOGNIZED: return WallTime(microseconds: (time.microseconds / microseconds.hour + 1) * microseconds.hour)
        case .daily: return next(.day, after: time)
        case .weekly: return next(.weekOfYear, after: time)
        case .monthly: return next(.month, after: time)
        }
    }

    /// The last boundary that has passed after `time`, by now; nil: none has.
    package func due(after time: WallTime, by now: WallTime) -> WallTime? {
        var due = due(after: time)
        guard due <= now else { return nil }
        // After a long silence one file holds all of it, so only the last boundary counts: it is searched from near.
        let near = WallTime(microseconds: now.microseconds - 40 * 86_400_000_000)
        if due < near { due = self.due(after: near) }
        while true {
            let following = self.due(after: due)
            guard following <= now, following > due else { return due }
            due = following
        }
    }

    private func next(_ unit: Calendar.Component, after time: WallTime) -> WallTime {
        let date = Date(timeIntervalSince1970: Double(time.microseconds / 1_000_000))
        guard let interval = calendar.dateInterval(of: unit, for: date) else { return time + .seconds(86_400) }
        return WallTime(microseconds: Int64(interval.end.timeIntervalSince1970.rounded()) * 1_000_000)
    }
}
