import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Thresholds that were crossed.
enum AlertEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/alerts", name: "listAlerts", tag: "alerts",
            summary: "Lists alerts of customers within the token's scope, the oldest first. A page may be short, and is the last only if next is null.",
            access: .needs(.readAccounts),
            query: [
                QueryParameter("customer_id", .id, "Only those of this customer."),
                QueryParameter("status", .choice(["lasting", "cleared"]), "Only those that last, or do not any more."), .after, .limit,
            ],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("AlertPage")), handle: { try list($0) })
    ]

    private static let fields: [(String, JSON)] = [
        ("id", Schema.uuid), ("customer_id", Schema.uuid), ("kind", Schema.choice(AlertKind.literals)), ("threshold", Schema.money),
        ("value", Schema.money), ("period", Schema.text(max: 7)), ("raised_at", Schema.time), ("cleared_at", Schema.orNull(Schema.time)),
        ("way", Schema.text(max: 32)), ("delivered", Schema.flag), ("attempts", Schema.sequence), ("detail", Schema.text(max: 200)),
        ("sent_at", Schema.orNull(Schema.time)),
    ]

    static let schemas: [(String, JSON)] = [
        ("Alert", Schema.object(fields, required: fields.map(\.0))), ("AlertPage", Schema.page(of: Schema.reference("Alert"))),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let path = try exchange.query.path()
        guard path.count <= 1 else { throw Query.notACursor }
        let (customer, status) = (exchange.query.id("customer_id"), exchange.query.text("status"))
        return try exchange.read { views in
            let limit = exchange.query.limit
            let found = try views.alerts(after: path.first.map(AlertID.init), limit: limit)
            var items: [JSON] = []
            for state in found {
                guard let id = UUIDv7(bytes: state.raised.customerID), customer.map({ $0 == id }) ?? true else { continue }
                if let status, (state.clearedAt == 0) != (status == "lasting") { continue }
                guard let place = try views.place(of: .customer, id), try exchange.reach.holds(place) else { continue }
                items.append(json(state))
            }
            let next = found.count < limit ? nil : found.last.flatMap { UUIDv7(bytes: $0.raised.id) }.map { Cursor.text([$0]) }
            return .page(items, next: next)
        }
    }

    private static func json(_ state: AlertState) -> JSON {
        let (raised, sent) = (state.raised, state.sent)
        let context = FieldContext(currency: Currency(raised.value.currency))
        return [
            "id": .id(raised.id), "customer_id": .id(raised.customerID), "kind": .string(raised.kind.literal),
            "threshold": context.amount(micros: raised.threshold.micros), "value": context.amount(micros: raised.value.micros),
            "period": .string(raised.period), "raised_at": .time(microseconds: state.raisedAt), "cleared_at": .time(microseconds: state.clearedAt),
            "way": .string(sent.way), "delivered": .bool(sent.delivered), "attempts": .integer(sent.attempts), "detail": .string(sent.detail),
            "sent_at": .time(microseconds: state.sentAt),
        ]
    }
}
