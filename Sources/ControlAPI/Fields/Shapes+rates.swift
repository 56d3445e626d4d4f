import Model
import Primitives

extension TimeBand: Blank {}
extension WeekWindow: Blank {}
extension DateWindow: Blank {}
extension ServiceRate: Blank {}

extension RateEntry {
    /// nil: that of the next ones.
    fileprivate var firstPerMinute: Int64? {
        get { hasFirstPerMinuteMicros ? firstPerMinuteMicros : nil }
        set { if let newValue { firstPerMinuteMicros = newValue } else { clearFirstPerMinuteMicros() } }
    }
}

extension Shape<RateEntry> {
    static let rateEntry = Shape(
        "RateEntry",
        [
            .text("prefix", \.prefix, max: 15, "Digits after the +; the longest that matches wins. Empty matches all."),
            .text("destination", \.destination, "For people."),
            .decimal("connection_fee", \.connectionFeeMicros, "Once per answered call, in the deck's currency. A negative price is a refund."),
            .decimal("per_minute", \.perMinuteMicros, "In the deck's currency."),
            .integer(
                "first_increment_seconds", \.firstIncrementSeconds, 1...86_400, isRequired: true, "Charged at least."),
            .integer(
                "next_increment_seconds", \.nextIncrementSeconds, 1...86_400, isRequired: true,
                "Rounded up to, after that."),
            Field(
                "first_per_minute", \.firstPerMinute, .readWrite, isRequired: false, schema: Schema.orNull(Schema.decimal),
                about: "Of the first increment, if it is another than per_minute.",
                read: { entry, _ in entry.firstPerMinute.map { .string(Decimal.text(micros: $0)) } ?? .null },
                write: { value, entry, _, pointer, faults in
                    guard let text = value.text else { return faults.add(pointer, MoneyError.malformed("").reason) }
                    do throws(MoneyError) {
                        entry.firstPerMinute = try Decimal.micros(text)
                    } catch {
                        faults.add(pointer, error.reason)
                    }
                }),
            .integer("free_delay_seconds", \.freeDelaySeconds, 0...86_400, "A call of up to so many seconds costs nothing; a longer one counts from its first."),
            .integer("free_seconds", \.freeSeconds, 0...86_400, "Of every call so many seconds are not counted; the connection fee is due all the same."),
            .integer("minimum_seconds", \.minimumSeconds, 0...86_400, "A shorter call counts as so many."),
            .flag("is_fee_deductible", \.isFeeDeductible, "The connection fee is a minimum charge: the greater of it and the time is due."),
            .flag("is_exact", \.isExact, "The prefix is the whole number."),
            .integer("band", \.band, 0...RateEntry.bandsMax, "The number of the version's time band in which alone the row counts; 0: whenever there is no row of the band in force."),
            .text("pattern", \.pattern, max: 128, "RE2 over the number with its +, instead of a prefix. Looked at after the prefixes, before the row for all, the longest first."),
        ])
}

extension Shape<WeekWindow> {
    private static let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    static let weekWindow = Shape(
        "WeekWindow",
        [
            Field(
                "days", \.days, .readWrite, isRequired: true, schema: Schema.list(Schema.choice(days), max: 7), about: "Days of the week.",
                read: { window, _ in .array(days.enumerated().compactMap { window.days >> $0.offset & 1 == 1 ? .string($0.element) : nil }) },
                write: { value, window, _, pointer, faults in
                    window.days = 0
                    guard let items = value.items else { return faults.add(pointer, "must be an array") }
                    for (index, item) in items.enumerated() {
                        guard let day = item.text.flatMap(days.firstIndex(of:)) else {
                            return faults.add(pointer.appending(index), "must be one of " + days.joined(separator: ", "))
                        }
                        window.days |= 1 << UInt32(day)
                    }
                }),
            .timeOfDay("from", \.fromSecond, "By the clock on the wall of the version's time zone."),
            .timeOfDay("to", \.toSecond, "Not included; 24:00 is midnight."),
        ])
}

extension Shape<DateWindow> {
    static let dateWindow = Shape(
        "DateWindow",
        [
            Field(
                "date", \.self, .readWrite, isRequired: true, schema: Schema.text(max: 10), about: "2026-12-25, or 12-25 for every year.",
                read: { window, _ in
                    func two(_ number: UInt32) -> String { (number < 10 ? "0" : "") + String(number) }
                    let day = "\(two(window.month))-\(two(window.day))"
                    return .string(window.year == 0 ? day : "\(window.year)-\(day)")
                },
                write: { value, window, _, pointer, faults in
                    let parts = (value.text ?? "").split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
                    guard (2...3).contains(parts.count), let day = parts[parts.count - 1], let month = parts[parts.count - 2],
                        let year = parts.count == 3 ? parts[0] : 0
                    else { return faults.add(pointer, "must be a date such as 2026-12-25, or 12-25 for every year") }
                    (window.year, window.month, window.day) = (year, month, day)
                }),
            .timeOfDay("from", \.fromSecond, "By the clock on the wall of the version's time zone."),
            .timeOfDay("to", \.toSecond, "Not included; 24:00 is midnight."),
            .text("name", \.name, max: 64, "For people."),
        ])
}

extension Shape<TimeBand> {
    static let timeBand = Shape(
        "TimeBand",
        [
            .integer("number", \.number, 1...RateEntry.bandsMax, isRequired: true, "What rows name it by."),
            .text("name", \.name, isRequired: true, max: 32, "For people, and in imported files."),
            .list("week", \.week, of: .weekWindow, max: 100, "When it is in force."),
            .list("dates", \.dates, of: .dateWindow, max: 1_000, "Before every band's week: holidays and other days."),
        ])
}

extension Shape<RateDeckVersion> {
    static let rateDeckVersion = Shape(
        "RateDeckVersion",
        [
            .reference("deck_id", \.deckID, access: .readOnly, "Its deck."),
            .shown("version", Schema.sequence, "1, 2, 3 …") { version, _ in .integer(version.version) },
            .time("effective_at", \.effectiveAt, "When it comes into force; now if it is not given."),
            .shown("content_hash", Schema.text(max: 64), "SHA-256 over the rows as published, in hexadecimal.") {
                version, _ in
                .hex(version.contentHash)
            },
            .shown("rows", Schema.sequence, "How many it has.") { version, _ in .integer(version.rowCount) },
            .shown("file_hash", Schema.text(max: 64), "SHA-256 of the file that it was imported from; empty: none.") { version, _ in .hex(version.fileHash) },
            .text("time_zone", \.timeZone, max: 64, "IANA name, of the bands."),
            .list("bands", \.bands, of: .timeBand, max: Int(RateEntry.bandsMax), "Times of other prices. The band in which a call comes in holds for all of it."),
            .list("entries", \.entries, of: .rateEntry, max: 500_000, isRequired: true, "The whole price list."),
        ])
}

extension Shape<ServiceRate> {
    static let serviceRate = Shape("ServiceRate", price + terms)

    private static let price: [Field<ServiceRate>] = [
        .decimal("connection_fee", \.price.connectionFeeMicros, "Once per answered call."),
        .decimal("per_minute", \.price.perMinuteMicros, "In the provider's currency."),
        .integer("first_increment_seconds", \.price.firstIncrementSeconds, 1...86_400, isRequired: true, "Charged at least."),
        .integer("next_increment_seconds", \.price.nextIncrementSeconds, 1...86_400, isRequired: true, "Rounded up to, after that."),
        .integer("minimum_seconds", \.price.minimumSeconds, 0...86_400, "A shorter call counts as so many."),
        .integer("free_delay_seconds", \.price.freeDelaySeconds, 0...86_400, "A call of up to so many seconds costs nothing."),
    ]

    private static let terms: [Field<ServiceRate>] = [
        .choice("leg", \.leg, isRequired: true, "pstn: to a carrier; did, toll_free: from a carrier; sip: to another customer's line."),
        .integer("decimals", \.decimals, 0...6, "Decimals of a charge after rounding."),
        .time("valid_from", \.validFrom, "For calls that come in then or later; null: always."),
        .time("valid_to", \.validTo, "And before this; null: for ever."),
    ]
}

extension Field {
    /// Seconds of the day as a clock shows them.
    fileprivate static func timeOfDay(_ name: String, _ path: Path<UInt32>, _ about: String) -> Field {
        Field(
            name, path, .readWrite, isRequired: true, schema: Schema.text(max: 8), about: about,
            read: { entity, _ in
                func two(_ number: UInt32) -> String { (number < 10 ? "0" : "") + String(number) }
                let second = entity[keyPath: path]
                return .string("\(two(second / 3_600)):\(two(second / 60 % 60))" + (second % 60 == 0 ? "" : ":\(two(second % 60))"))
            },
            write: { value, entity, _, pointer, faults in
                let parts = (value.text ?? "").split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) ?? 99 }
                guard (2...3).contains(parts.count), parts[0] <= 24, parts.dropFirst().allSatisfy({ $0 < 60 }),
                    parts[0] < 24 || parts.dropFirst().allSatisfy({ $0 == 0 })
                else { return faults.add(pointer, "must be a time of day such as 08:00 or 17:30:15") }
                entity[keyPath: path] = parts[0] * 3_600 + parts[1] * 60 + (parts.count == 3 ? parts[2] : 0)
            })
    }
}
