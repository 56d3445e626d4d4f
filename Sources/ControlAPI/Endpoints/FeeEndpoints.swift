import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// What was charged by the month (or the day) to customers and providers.
enum FeeEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/customers/{customer_id}/fees", name: "listCustomerFees", tag: "customers",
            summary: "What was charged by its service plans, the oldest period first.", access: .needs(.readAccounts),
            query: [QueryParameter("after", .text, "The `next` of the page before."), .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("FeePage")),
            handle: { exchange in
                try list(exchange) { views in
                    let id = try exchange.id("customer_id")
                    _ = try Customers.visible(id, to: exchange.reach, in: views)
                    return id
                }
            }),
        Operation(
            method: .get, path: "/v1/providers/{provider_id}/fees", name: "listProviderFees", tag: "providers",
            summary: "What it was charged by its parent for everything below it, the oldest period first.",
            access: .needs(.readAccounts),
            query: [QueryParameter("after", .text, "The `next` of the page before."), .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("FeePage")),
            handle: { exchange in
                try list(exchange) { views in
                    let id = try exchange.id("provider_id")
                    _ = try Providers.visible(id, to: exchange.reach, in: views)
                    return id
                }
            }),
    ]

    static let schemas: [(String, JSON)] = [("Fee", fee), ("FeePage", Schema.page(of: Schema.reference("Fee")))]

    private static let fee = Schema.object(
        [
            ("fee_id", Schema.uuid), ("period", Schema.text(max: 10)), ("from", Schema.time), ("to", Schema.time),
            ("time_zone", Schema.text(max: 64)), ("plan_id", Schema.uuid), ("proration", Schema.choice(Proration.literals)),
            ("lines", Schema.list(line)), ("amount", Schema.money),
        ], required: ["fee_id", "period", "from", "to", "time_zone", "plan_id", "proration", "lines", "amount"])

    private static let line = Schema.object(
        [
            ("kind", Schema.choice(FeeKind.literals)), ("quantity", Schema.sequence), ("price", Schema.decimal), ("days", Schema.sequence),
            ("days_of_month", Schema.sequence), ("amount", Schema.decimal), ("ids", Schema.list(Schema.uuid)),
        ], required: ["kind", "quantity", "price", "days", "days_of_month", "amount", "ids"])

    private static func list(
        _ exchange: Exchange, _ payer: (borrowing ViewSnapshot) throws -> UUIDv7
    ) throws -> Reply {
        try exchange.read { views in
            let payer = try payer(views)
            var after: (start: WallTime, plan: UUIDv7)?
            if let text = exchange.query.text("after") {
                let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                guard parts.count == 2, let start = Int64(parts[0]), let plan = UUIDv7(String(parts[1])) else { throw Query.notACursor }
                after = (WallTime(microseconds: start), plan)
            }
            let limit = exchange.query.limit
            let fees = try views.fees(of: payer, after: after, limit: limit + 1)
            let last = fees.count > limit ? fees[limit - 1] : nil
            return .page(
                fees.prefix(limit).map(json),
                next: last.flatMap { fee in UUIDv7(bytes: fee.planID).map { "\(fee.periodStart).\($0)" } })
        }
    }

    private static func json(_ fee: FeeCharged) -> JSON {
        [
            "fee_id": .id(fee.id), "period": .string(fee.period), "from": .time(microseconds: fee.periodStart),
            "to": .time(microseconds: fee.periodEnd), "time_zone": .string(fee.timeZone), "plan_id": .id(fee.planID),
            "proration": .string(fee.proration.literal), "lines": .array(fee.lines.map(json)),
            "amount": FieldContext(currency: Currency(fee.currency)).amount(micros: fee.amountMicros),
        ]
    }

    private static func json(_ line: FeeLine) -> JSON {
        [
            "kind": .string(line.kind.literal), "quantity": .integer(line.quantity), "price": .string(Decimal.text(micros: line.monthMicros)),
            "days": .integer(line.days), "days_of_month": .integer(line.daysOfMonth),
            "amount": .string(Decimal.text(micros: line.amountMicros)), "ids": .array(line.itemIds.map { JSON.id($0) }),
        ]
    }
}
