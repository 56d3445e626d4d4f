import Model

extension SecurityGroup: Blank {}
extension TimeWindow: Blank {}

extension Shape<TimeWindow> {
    static let timeWindow = Shape(
        "TimeWindow",
        [
            .weekdays,
            .timeOfDay("from", \.fromMinute, max: 1_439, "On the clock of the group's time zone."),
            .timeOfDay(
                "to", \.toMinute, max: 1_440,
                "Not any more; 24:00 is the end of the day. Before `from`: on the day after."),
        ])
}

extension Field<TimeWindow> {
    static let weekdays = Field(
        "weekdays", \.weekdays, .readWrite, isRequired: false, schema: Schema.list(Schema.choice(Weekday.named), max: 7),
        about: "On which it begins; empty: on all.",
        read: { (window: TimeWindow, _: FieldContext) -> JSON in
            .array(window.weekdays.map { (day: Weekday) -> JSON in .string(day.literal) })
        },
        write: { value, window, _, pointer, faults in
            guard let items = value.items, items.count <= 7 else {
                return faults.add(pointer, "must be an array of at most 7 days")
            }
            var days: [Weekday] = []
            for (index, item) in items.enumerated() {
                guard let word = item.text, let day = Weekday(literal: word), day != .unspecified else {
                    faults.add(pointer.appending(index), "must be one of " + Weekday.named.joined(separator: ", "))
                    continue
                }
                days.append(day)
            }
            window.weekdays = days
        })
}

extension Weekday {
    static var named: [String] { Weekday.literals.filter { $0 != Weekday.unspecified.literal } }
}

extension Field {
    /// Minutes since midnight, as `08:30`.
    static func timeOfDay(_ name: String, _ path: Path<UInt32>, max: UInt32, _ about: String) -> Field {
        Field(
            name, path, .readWrite, isRequired: true,
            schema: ["type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$"], about: about,
            read: { entity, _ in
                let minute = entity[keyPath: path]
                func two(_ value: UInt32) -> String { value < 10 ? "0\(value)" : "\(value)" }
                return .string("\(two(minute / 60)):\(two(minute % 60))")
            },
            write: { value, entity, _, pointer, faults in
                let parts = (value.text ?? "").split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = UInt32(parts[0]),
                    let minute = UInt32(parts[1]), minute < 60, hour * 60 + minute <= max
                else { return faults.add(pointer, "must be a time of the day, such as 08:30") }
                entity[keyPath: path] = hour * 60 + minute
            })
    }
}

extension Shape<SecurityGroup> {
    static let securityGroup = Shape(
        "SecurityGroup",
        [
            .id(\.id),
            .reference(
                "provider_id", \.providerID, access: .fixed, isRequired: true, "The provider that it belongs to."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .texts(
                "countries", \.countries, max: 300,
                "Where calls may go, by two letters of ISO 3166-1. US is the USA alone, not what shares +1 with it."),
            .texts("prefixes", \.prefixes, max: 10_000, "Where calls may go, too, such as +1209; + is everywhere."),
            .texts("allowed_numbers", \.allowedNumbers, max: 10_000, "May be called whatever countries and prefixes say."),
            .texts(
                "blocked_numbers", \.blockedNumbers, max: 10_000,
                "Numbers, or beginnings of numbers, that are refused whatever else is said."),
            .flag("premium", \.premium, "Whether numbers of raised price may be called."),
            .list("windows", \.windows, of: .timeWindow, max: 50, "When calls may be made; empty: at any time."),
            .text("time_zone", \.timeZone, max: 64, "IANA name, of the windows and of the day of the limits; empty: UTC."),
            .money(
                "line_spend_per_day", \.lineSpendPerDayMicros,
                "What a line may spend from midnight to midnight, charged and held together; 0: no limit."),
            .money("customer_spend_per_day", \.customerSpendPerDayMicros, "The same for all lines of a customer together."),
        ])
}
