import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Adjustments beyond a provider's limit, which wait for a second person.
enum AdjustmentEndpoints {
    private struct Refusal: Blank {
        var reason = ""
    }
    private static let shape = Shape<Refusal>("AdjustmentRefusal", [.text("reason", \.reason, "For people.")])

    static let operations = [
        Operation(
            method: .get, path: "/v1/adjustments", name: "listAdjustments", tag: "adjustments",
            summary: "Lists requests for adjustments, the oldest first. A page may be short, and is the last only if next is null.",
            access: .needs(.postMoney),
            query: [QueryParameter("status", .choice(AdjustmentOutcome.literals), "Only those of this status."), .after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("AdjustmentPage")), handle: { try list($0) }),
        Operation(
            method: .get, path: "/v1/adjustments/{adjustment_id}", name: "getAdjustment", tag: "adjustments",
            summary: "Reads a request for an adjustment.", access: .needs(.postMoney),
            success: .init(status: .ok, about: "The request.", schema: Schema.reference("Adjustment")),
            handle: { exchange in try exchange.read { views in .ok(json(try visible(exchange, in: views))) } }),
        Operation(
            method: .post, path: "/v1/adjustments/{adjustment_id}/approve", name: "approveAdjustment", tag: "adjustments",
            summary: "Approves a request, as a second person: it is posted.", access: .needs(.postMoney),
            success: .init(status: .ok, about: "It is posted.", schema: Schema.reference("Adjustment")),
            handle: { exchange in try await decide(exchange) { .approveAdjustment($0) } }),
        Operation(
            method: .post, path: "/v1/adjustments/{adjustment_id}/refuse", name: "refuseAdjustment", tag: "adjustments",
            summary: "Refuses a request, or takes it back.", access: .needs(.postMoney),
            body: .init(schema: Schema.reference("AdjustmentRefusal")),
            success: .init(status: .ok, about: "It is refused.", schema: Schema.reference("Adjustment")),
            handle: { exchange in
                let reason = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }.reason
                return try await decide(exchange) { .refuseAdjustment($0, reason: reason) }
            }),
    ]

    private static let fields: [(String, JSON)] = [
        ("id", Schema.uuid), ("customer_id", Schema.orNull(Schema.uuid)), ("provider_id", Schema.orNull(Schema.uuid)), ("amount", Schema.money), ("reason", Schema.text(max: 128)),
        ("requested_by", Schema.text(max: 128)), ("requested_at", Schema.time), ("expires_at", Schema.time),
        ("status", Schema.choice(AdjustmentOutcome.literals)), ("decided_by", Schema.text(max: 128)),
        ("decided_at", Schema.orNull(Schema.time)), ("decision_reason", Schema.text(max: 128)), ("journal_id", Schema.orNull(Schema.uuid)),
    ]

    static let schemas: [(String, JSON)] = [
        ("AdjustmentRefusal", shape.newSchema), ("Adjustment", Schema.object(fields, required: fields.map(\.0))),
        ("AdjustmentPage", Schema.page(of: Schema.reference("Adjustment"))),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let path = try exchange.query.path()
        guard path.count <= 1 else { throw Query.notACursor }
        let status = exchange.query.text("status")
        return try exchange.read { views in
            let limit = exchange.query.limit
            let found = try views.adjustments(after: path.first.map(AdjustmentID.init), limit: limit)
            var items: [JSON] = []
            for state in found where try isVisible(state, exchange, in: views) {
                if let status, state.decided.outcome.literal != status { continue }
                items.append(json(state))
            }
            let next = found.count < limit ? nil : found.last.flatMap { UUIDv7(bytes: $0.requested.id) }.map { Cursor.text([$0]) }
            return .page(items, next: next)
        }
    }

    private static func decide(_ exchange: Exchange, _ command: (AdjustmentID) -> AdminCommand) async throws -> Reply {
        let id = AdjustmentID(try exchange.id("adjustment_id"))
        _ = try exchange.read { views in try visible(exchange, in: views) }
        let outcome = try await exchange.submit(command(id))
        return try exchange.read { views in .ok(json(try visible(exchange, in: views))).replayed(outcome.repeated) }
    }

    private static func visible(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> AdjustmentState {
        let id = AdjustmentID(try exchange.id("adjustment_id"))
        guard let state = try views.adjustment(id), try isVisible(state, exchange, in: views) else {
            throw Problem(.notFound, "There is no request for an adjustment \(id).")
        }
        return state
    }

    private static func isVisible(_ state: AdjustmentState, _ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Bool {
        let place: Place? =
            switch state.requested.debtor {
            case .customer(let id)?: try views.place(of: .customer, id.value)
            // Of those above it, who decide it.
            case .provider(let id)?: try views.provider(id).map { provider throws(ViewsError) in try views.place(provider: provider.parentID) }
            case nil: nil
            }
        guard let place else { return try exchange.reach == .platform }
        return try exchange.reach.holds(place)
    }

    static func json(_ state: AdjustmentState) -> JSON {
        let (requested, decided) = (state.requested, state.decided)
        return [
            "id": .id(requested.id), "customer_id": .id(requested.customerID), "provider_id": .id(requested.providerID),
            "amount": FieldContext(currency: Currency(requested.amount.currency)).amount(micros: requested.amount.micros),
            "reason": .string(requested.reason), "requested_by": .string(requested.requestedBy),
            "requested_at": .time(microseconds: state.requestedAt), "expires_at": .time(microseconds: requested.expiresAt),
            "status": .string(decided.outcome.literal), "decided_by": .string(decided.decidedBy),
            "decided_at": .time(microseconds: state.decidedAt), "decision_reason": .string(decided.reason), "journal_id": .id(decided.journalID),
        ]
    }
}
