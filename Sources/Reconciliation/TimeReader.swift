/// In which order a column writes a date whose first part is not a year of four digits.
package enum DateOrder: String, Hashable, Sendable, CaseIterable {
    case dmy, mdy, ymd
}

/// Reads times as carriers write them: seconds, milliseconds or microseconds since 1970; RFC 3339; `2026-11-21 08:00:01`;
/// `20261121080001`; `21/11/2026 08:00`; `21-Nov-26 8:00:01 PM`.
///
/// A time without a zone is read as if it were UTC: what its zone is, is found out later from the calls themselves.
package struct TimeReader: Sendable {
    package let order: DateOrder

    package init(order: DateOrder) { self.order = order }

    package struct Reading: Hashable, Sendable {
        /// Since 1970, by the clock that the column was written by.
        package var microseconds: Int64
        /// Whether the text itself said its zone, or needs none.
        package var hasZone: Bool
    }

    /// nil: not a time.
    package func read(_ bytes: ArraySlice<UInt8>) -> Reading? {
        guard let parts = TimeParts(bytes) else { return nil }
        if let epoch = parts.epoch { return Reading(microseconds: epoch, hasZone: true) }
        guard let (a, b, c) = parts.date else { return nil }
        var (year, month, day): (Int64, Int64, Int64)
        if parts.yearIsFirst {
            (year, month, day) = (a, b, c)
        } else {
            switch order {
            case .dmy: (day, month, year) = (a, b, c)
            case .mdy: (month, day, year) = (a, b, c)
            case .ymd: (year, month, day) = (a, b, c)
            }
        }
        if year < 100 { year += 2_000 }
        guard year >= 1970, year < 2_200, (1...12).contains(month), day >= 1, day <= Self.days(in: month, of: year) else { return nil }
        let seconds = Self.dayNumber(year, month, day) * 86_400 + parts.secondOfDay - (parts.zoneSeconds ?? 0)
        return Reading(microseconds: seconds * 1_000_000 + parts.fraction, hasZone: parts.zoneSeconds != nil)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years from 1970 on, so that no division is of a negative number.
        let y = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return y * 365 + y / 4 - y / 100 + y / 400 + dayOfYear - 719_468
    }
}

/// Finds out the order of day and month from a whole column.
package struct DateOrderDetector: Sendable {
    private var firstAbove12 = false
    private var secondAbove12 = false
    private var dmy: (Int64, Int64)?
    private var mdy: (Int64, Int64)?
    private(set) var sawAmbiguous = false

    package init() {}

    /// Whether more of the column cannot change the answer.
    package var isDecided: Bool { firstAbove12 || secondAbove12 }

    package mutating func see(_ bytes: ArraySlice<UInt8>) {
        guard let parts = TimeParts(bytes), parts.epoch == nil, !parts.yearIsFirst, let (a, b, _) = parts.date else { return }
        if parts.monthIsNamed {
            if parts.namedPart == 0 { secondAbove12 = true } else { firstAbove12 = true }
            return
        }
        sawAmbiguous = true
        if a > 12 { firstAbove12 = true }
        if b > 12 { secondAbove12 = true }
        for (order, isFirst) in [(DateOrder.dmy, true), (.mdy, false)] {
            guard let time = TimeReader(order: order).read(bytes)?.microseconds else { continue }
            if isFirst {
                dmy = dmy.map { (min($0.0, time), max($0.1, time)) } ?? (time, time)
            } else {
                mdy = mdy.map { (min($0.0, time), max($0.1, time)) } ?? (time, time)
            }
        }
    }

    /// A day above 12 decides; if there is none, the order by which the column spans less time, because a statement is of
    /// days or a month.
    package var order: DateOrder {
        if firstAbove12 { return .dmy }
        if secondAbove12 { return .mdy }
        guard let dmy, let mdy else { return .dmy }
        return mdy.1 - mdy.0 < dmy.1 - dmy.0 ? .mdy : .dmy
    }
}

/// A time's numbers, before it is known which of them is the day.
struct TimeParts {
    var epoch: Int64?
    var date: (Int64, Int64, Int64)?
    var yearIsFirst = false
    var monthIsNamed = false
    var namedPart = 0
    var secondOfDay: Int64 = 0
    var fraction: Int64 = 0
    var zoneSeconds: Int64?

    init?(_ bytes: ArraySlice<UInt8>) {
        var groups: (Int64, Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0, 0)
        var widths: (Int, Int, Int) = (0, 0, 0)
        var count = 0
        var index = bytes.startIndex
        let end = bytes.endIndex
        var isAfternoon: Bool?
        func put(_ value: Int64, _ width: Int) -> Bool {
            switch count {
            case 0: (groups.0, widths.0) = (value, width)
            case 1: (groups.1, widths.1) = (value, width)
            case 2: (groups.2, widths.2) = (value, width)
            case 3: groups.3 = value
            case 4: groups.4 = value
            case 5: groups.5 = value
            default: return false
            }
            count += 1
            return true
        }
        while index < end {
            let byte = bytes[index]
            switch byte {
            case 0x30...0x39:
                let start = index
                var value: Int64 = 0
                while index < end, (0x30...0x39).contains(bytes[index]) {
                    guard index - start < 17 else { return nil }
                    value = value * 10 + Int64(bytes[index] - 0x30)
                    index += 1
                }
                let width = index - start
                let before = start > bytes.startIndex ? bytes[start - 1] : 0x20
                if count == 6 || (count == 1 && widths.0 > 8 && before == 0x2E) {
                    // After the seconds, a fraction of them.
                    guard before == 0x2E || before == 0x2C else { return nil }
                    var scaled = value
                    for _ in width..<max(width, 6) { scaled *= 10 }
                    for _ in 6..<max(width, 6) { scaled /= 10 }
                    fraction = scaled
                } else if width == 14, count == 0 {
                    guard put(value / 10_000_000_000, 4), put(value / 100_000_000 % 100, 2), put(value / 1_000_000 % 100, 2),
                        put(value / 10_000 % 100, 2), put(value / 100 % 100, 2), put(value % 100, 2)
                    else { return nil }
                } else if width == 8, count == 0 {
                    guard put(value / 10_000, 4), put(value / 100 % 100, 2), put(value % 100, 2) else { return nil }
                } else if width == 6, count == 3 {
                    guard put(value / 10_000, 2), put(value / 100 % 100, 2), put(value % 100, 2) else { return nil }
                } else {
                    guard put(value, width) else { return nil }
                }
            case 0x2B, 0x2D:
                if count >= 5 {
                    guard let zone = Self.zone(bytes[index...]) else { return nil }
                    zoneSeconds = zone.seconds
                    index = zone.end
                } else {
                    guard byte == 0x2D, count > 0 else { return nil }
                    index += 1
                }
            case 0x41...0x5A, 0x61...0x7A:
                let start = index
                while index < end, bytes[index] | 0x20 >= 0x61, bytes[index] | 0x20 <= 0x7A { index += 1 }
                let word = bytes[start..<index].map { $0 | 0x20 }
                if word == [0x74] {  // the T between date and time
                    guard count == 3 else { return nil }
                } else if word == [0x7A] || word == Array("utc".utf8) || word == Array("gmt".utf8) {
                    guard count >= 5 else { return nil }
                    zoneSeconds = 0
                } else if word == Array("am".utf8) || word == Array("pm".utf8) {
                    isAfternoon = word[0] == 0x70
                } else if count < 3, let month = Self.months.firstIndex(of: Array(word.prefix(3))) {
                    (monthIsNamed, namedPart) = (true, count)
                    guard put(Int64(month + 1), 2) else { return nil }
                } else {
                    guard count == 0 else { return nil }  // a day of the week, before everything
                }
            case 0x20, 0x2F, 0x2E, 0x3A, 0x2C, 0x09: index += 1
            default: return nil
            }
        }
        if count == 1 {
            switch widths.0 {
            case 9, 10: epoch = groups.0 * 1_000_000 + fraction
            case 12, 13: epoch = groups.0 * 1_000
            case 15, 16: epoch = groups.0
            default: return nil
            }
            return
        }
        guard count >= 5 else { return nil }
        var hour = groups.3
        if let isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        guard hour < 24, groups.4 < 60, groups.5 < 60 else { return nil }
        date = (groups.0, groups.1, groups.2)
        yearIsFirst = widths.0 == 4
        secondOfDay = hour * 3_600 + groups.4 * 60 + groups.5
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"].map { Array($0.utf8) }

    /// `+02:00`, `-0500` or `+02`.
    private static func zone(_ bytes: ArraySlice<UInt8>) -> (seconds: Int64, end: Int)? {
        let isNegative = bytes.first == 0x2D
        var digits: [Int64] = []
        var index = bytes.startIndex + 1
        while index < bytes.endIndex, digits.count < 4 {
            if (0x30...0x39).contains(bytes[index]) { digits.append(Int64(bytes[index] - 0x30)) } else if bytes[index] != 0x3A { break }
            index += 1
        }
        guard digits.count == 2 || digits.count == 4 else { return nil }
        let minutes = digits.count == 4 ? digits[2] * 10 + digits[3] : 0
        let seconds = (digits[0] * 10 + digits[1]) * 3_600 + minutes * 60
        return (isNegative ? -seconds : seconds, index)
    }
}
