import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// What a provider pays to the one above it, and what is put right of its debt: booked by the one above.
enum ProviderMoneyEndpoints {
    private struct Payment: Blank {
        var amount: Money?
        var reason = ""
    }

    private static let shape = Shape<Payment>(
        "ProviderPayment",
        [
            Field(
                "amount", \.amount, .readWrite, isRequired: true, schema: Schema.money,
                about: "In a currency in which the provider is charged by the one above it.",
                read: { payment, _ in payment.amount.map(\.json) ?? .null },
                write: { value, payment, _, pointer, faults in payment.amount = Money(value, pointer, &faults) }),
            .text("reason", \.reason, "For people; it stands beside the posting."),
        ])

    static let operations = [
        Operation(
            method: .post, path: "/v1/providers/{provider_id}/payments", name: "recordProviderPayment", tag: "providers",
            summary: "What the provider has paid to the one above it: a positive amount. Booked by the one above, or by those above that; "
                + "a provider cannot credit itself.",
            access: .needs(.postMoney), body: .init(schema: Schema.reference("ProviderPayment")),
            success: .init(status: .created, about: "It is booked.", schema: Schema.reference("ProviderBooking")),
            needsIdempotencyKey: true,
            handle: { exchange in
                try await book(exchange) { provider, amount, reason in .pay(provider, amount, reason: reason) }
            }),
        Operation(
            method: .post, path: "/v1/providers/{provider_id}/adjustments", name: "adjustProvider", tag: "providers",
            summary: "A correction of what the provider owes the one above it: a positive amount is in the provider's favour. "
                + "Beyond the limit of the one above it waits for a second person.",
            access: .needs(.postMoney), body: .init(schema: Schema.reference("ProviderPayment")),
            success: .init(status: .created, about: "It is booked.", schema: Schema.reference("ProviderBooking")),
            needsIdempotencyKey: true,
            handle: { exchange in
                try await book(exchange) { provider, amount, reason in .adjust(.provider(provider), amount, reason: reason) }
            }),
    ]

    private static let fields: [(String, JSON)] = [
        ("journal_id", Schema.orNull(Schema.uuid)),
        ("request_id", Schema.orNull(Schema.uuid).adding("description", "Of an adjustment that waits for a second person; nothing is posted yet.")),
        ("log_position", Schema.sequence), ("account_id", Schema.text(max: 128)),
        ("owes", Schema.money.adding("description", "What the account stands at: what the provider owes the one above it in this currency.")),
    ]

    static let schemas: [(String, JSON)] = [
        ("ProviderPayment", shape.newSchema), ("ProviderBooking", Schema.object(fields, required: fields.map(\.0))),
    ]

    private static func book(_ exchange: Exchange, _ command: (ProviderID, Amount, String) -> AdminCommand) async throws -> Reply {
        let payment = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let id = try exchange.read { views in try debtor(exchange, in: views) }
        guard let money = payment.amount else { throw Problem.invalid("amount", "is required") }
        let outcome = try await exchange.submit(command(id, money.amount, payment.reason))
        return try exchange.read { views in
            let account = AccountRef.providerPayable(id, money.currency)
            let isRequest = try views.adjustment(AdjustmentID(outcome.id)) != nil
            let booked = JSON.string(outcome.id.description)
            return Reply(
                .created,
                .json([
                    "journal_id": isRequest ? .null : booked, "request_id": isRequest ? booked : .null, "log_position": .integer(outcome.sequence),
                    "account_id": .string(account.text), "owes": FieldContext(currency: money.currency).amount(micros: try views.balance(account)),
                ])
            ).replayed(outcome.repeated)
        }
    }

    /// The provider of the path, for those above it.
    static func debtor(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> ProviderID {
        let provider = try BillingEndpoints.provider(exchange, in: views)
        guard let id = ProviderID(provider.id) else { throw Problem(.notFound, "There is no such provider.") }
        guard try exchange.reach.holds(try views.place(provider: provider.parentID)) else {
            throw Problem(.forbidden, "What a provider owes is booked by the one above it.")
        }
        return id
    }
}
