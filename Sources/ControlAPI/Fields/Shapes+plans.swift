import Model

extension Allowance: Blank {}
extension Package: Blank {}

extension Shape<ServicePlan> {
    /// What is paid by the month, what is free, and what can be bought beside it.
    static let months: [Field<ServicePlan>] = [
        .text("currency", \.currency, access: .fixed, max: 3, "Of a plan of the platform; others are in their provider's."),
        .money("subscriber_month", \.subscriberMonthMicros, "A month of a line."),
        .money("number_month", \.numberMonthMicros, "A month of a number that has no price of its own."),
        .money("month", \.monthMicros, "A month of the plan, whatever there is."),
        .choice("proration", \.proration, "How a month is charged that a line or number was there for in part."),
        .list("allowances", \.allowances, of: .allowance, max: 20, "What is free in every period, for all lines together; taken in this order."),
        .list("packages", \.packages, of: .package, max: 100, "What its customers may buy."),
    ]
}

extension Shape<Allowance> {
    static let allowance = Shape(
        "Allowance",
        [
            .integer("number", \.number, 1...UInt32.max, isRequired: true, "Names it in records; another one for each."),
            .text("name", \.name, isRequired: true, "Stands in the explanation of a charge."),
            .integer("seconds", \.seconds, 0...UInt32.max, "Of talk; 0: it is money."),
            .decimal("amount", \.micros, "Of charges, in the provider's currency; 0: it is time."),
            .choice("period", \.period, "How often it comes anew; once: as long as a package lasts."),
            .texts("prefixes", \.prefixes, max: 1_000, "E.164 with +; empty: every number."),
            .choices("legs", \.legs, max: 8, "Kinds of calls; empty: every kind."),
        ])
}

extension Shape<Package> {
    static let package = Shape(
        "Package",
        [
            .integer("number", \.number, 1...UInt32.max, isRequired: true, "By which it is bought; another one for each."),
            .text("name", \.name, isRequired: true, "Shown to people."),
            .decimal("price", \.priceMicros, "In the provider's currency, paid at once."),
            .integer("days", \.days, 0...3_660, "How long it holds; 0: a month."),
            .flag("renewing", \.isRenewing, "It is bought again when it ends, until it is cancelled."),
            .list("allowances", \.allowances, of: .allowance, max: 20, "What it brings."),
        ])
}

extension Field {
    /// Words of a fixed list.
    static func choices<Choice: Literal>(
        _ name: String, _ path: Path<[Choice]>, max: Int, _ about: String
    ) -> Field {
        Field(
            name, path, .readWrite, isRequired: false, schema: Schema.list(Schema.choice(Choice.literals), max: max), about: about,
            read: { entity, _ in .array(entity[keyPath: path].map { (choice: Choice) -> JSON in .string(choice.literal) }) },
            write: { value, entity, _, pointer, faults in
                guard let items = value.items, items.count <= max else {
                    return faults.add(pointer, "must be an array of at most \(max) words")
                }
                var choices: [Choice] = []
                for (index, item) in items.enumerated() {
                    guard let word = item.text, let choice = Choice(literal: word) else {
                        faults.add(pointer.appending(index), "must be one of " + Choice.literals.joined(separator: ", "))
                        continue
                    }
                    choices.append(choice)
                }
                entity[keyPath: path] = choices
            })
    }
}
