public import Model
import Expressions

/// What is wrong with a row or with a version's bands: the field by its name in `entities.proto`, and what it would have to be.
public struct DeckFault: Error, Hashable, Sendable {
    public let field: String
    public let reason: String

    public init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }
}

extension RateEntry {
    /// So that the charge of the longest call that a record can hold fits 64 bits.
    public static let priceMicrosMax: Int64 = 100_000_000_000
    public static let patternBytesMax = 128

    /// The first thing that is wrong with it; nil: nothing.
    ///
    /// - Parameter bands: the numbers of the version's bands.
    public func fault(bands: [UInt32] = []) -> DeckFault? {
        guard prefix.utf8.count <= 15, prefix.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return DeckFault("prefix", "must be at most 15 digits, without the +")
        }
        // With the bound on rows, a version then fits one event of the log.
        guard destination.utf8.count <= 48 else { return DeckFault("destination", "at most 48 bytes") }
        guard destination.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            return DeckFault("destination", "must not hold control characters")
        }
        if isExact, prefix.isEmpty { return DeckFault("is_exact", "a whole number has digits") }
        if !pattern.isEmpty {
            guard prefix.isEmpty, !isExact else { return DeckFault("pattern", "stands instead of a prefix") }
            guard pattern.utf8.count <= Self.patternBytesMax else { return DeckFault("pattern", "at most \(Self.patternBytesMax) bytes") }
            do throws(RegularExpression.Malformed) {
                _ = try RegularExpression(pattern)
            } catch {
                return DeckFault("pattern", "is not an RE2 expression: \(error.message)")
            }
        }
        let range = -Self.priceMicrosMax...Self.priceMicrosMax
        let money = "must be from -\(Self.priceMicrosMax / 1_000_000) to \(Self.priceMicrosMax / 1_000_000)"
        guard range.contains(connectionFeeMicros) else { return DeckFault("connection_fee_micros", money) }
        guard range.contains(perMinuteMicros) else { return DeckFault("per_minute_micros", money) }
        guard range.contains(firstPerMinuteMicros) else { return DeckFault("first_per_minute_micros", money) }
        guard (1...86_400).contains(firstIncrementSeconds) else { return DeckFault("first_increment_seconds", "must be 1 to 86400") }
        guard (1...86_400).contains(nextIncrementSeconds) else { return DeckFault("next_increment_seconds", "must be 1 to 86400") }
        guard freeDelaySeconds <= 86_400 else { return DeckFault("free_delay_seconds", "at most 86400") }
        guard freeSeconds <= 86_400 else { return DeckFault("free_seconds", "at most 86400") }
        guard minimumSeconds <= 86_400 else { return DeckFault("minimum_seconds", "at most 86400") }
        if isFeeDeductible, connectionFeeMicros < 0 || perMinuteMicros < 0 || firstPerMinuteMicros < 0 {
            return DeckFault("is_fee_deductible", "a minimum charge needs prices that are not negative")
        }
        guard band == 0 || bands.contains(band) else { return DeckFault("band", "the version has no band \(band)") }
        return nil
    }
}

extension RateDeckVersion {
    public static let patternsMax = 100

    /// What is wrong with its bands; nil: nothing. The time zone is checked where time zones are known.
    public var bandsFault: DeckFault? {
        guard bands.count <= Int(RateEntry.bandsMax) else { return DeckFault("bands", "at most \(RateEntry.bandsMax)") }
        var weeks: [(band: Int, window: WeekWindow)] = []
        var dates: [(band: Int, window: DateWindow)] = []
        for (index, band) in bands.enumerated() {
            let field = "bands[\(index)]"
            guard (1...RateEntry.bandsMax).contains(band.number), !bands[..<index].contains(where: { $0.number == band.number }) else {
                return DeckFault(field + ".number", "must be 1 to \(RateEntry.bandsMax), each once")
            }
            guard !band.name.isEmpty, band.name.utf8.count <= 32, !bands[..<index].contains(where: { $0.name == band.name }) else {
                return DeckFault(field + ".name", "must be 1 to 32 bytes, each once")
            }
            guard band.week.count <= 100, band.dates.count <= 1_000 else { return DeckFault(field, "at most 100 windows of the week and 1000 dates") }
            for (number, window) in band.week.enumerated() {
                let field = field + ".week[\(number)]"
                guard (1...127).contains(window.days) else { return DeckFault(field + ".days", "must name at least one day of the week") }
                guard window.fromSecond < window.toSecond, window.toSecond <= 86_400 else {
                    return DeckFault(field, "must begin before it ends, at midnight at the latest: a night is two windows")
                }
                let other = weeks.first { $0.band != index && $0.window.overlaps(window) }
                if let other { return DeckFault(field, "overlaps the week of band \(bands[other.band].name)") }
                weeks.append((index, window))
            }
            for (number, window) in band.dates.enumerated() {
                let field = field + ".dates[\(number)]"
                guard window.isDate else { return DeckFault(field, "there is no such date") }
                guard window.fromSecond < window.toSecond, window.toSecond <= 86_400 else {
                    return DeckFault(field, "must begin before it ends, at midnight at the latest")
                }
                guard window.name.utf8.count <= 64 else { return DeckFault(field + ".name", "at most 64 bytes") }
                let other = dates.first { $0.band != index && $0.window.overlaps(window) }
                if let other { return DeckFault(field, "overlaps a date of band \(bands[other.band].name)") }
                dates.append((index, window))
            }
        }
        return nil
    }
}

extension WeekWindow {
    fileprivate func overlaps(_ other: WeekWindow) -> Bool {
        days & other.days != 0 && fromSecond < other.toSecond && other.fromSecond < toSecond
    }
}

extension DateWindow {
    fileprivate func overlaps(_ other: DateWindow) -> Bool {
        (year, month, day) == (other.year, other.month, other.day) && fromSecond < other.toSecond && other.fromSecond < toSecond
    }

    /// A date of every year may be the 29th of February.
    fileprivate var isDate: Bool {
        let lengths: [UInt32] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), day >= 1, day <= lengths[Int(month) - 1] else { return false }
        guard year != 0 else { return true }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return (1970...9999).contains(year) && (month != 2 || day < 29 || isLeap)
    }
}
