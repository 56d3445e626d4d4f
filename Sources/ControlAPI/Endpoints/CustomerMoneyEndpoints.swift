import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// What a customer has, and how it gets more.
enum CustomerMoneyEndpoints {
    private struct Payment: Blank {
        var amount: Money?
        var reason = ""
    }

    private static let shape = Shape<Payment>(
        "Payment",
        [
            Field(
                "amount", \.amount, .readWrite, isRequired: true, schema: Schema.money,
                about: "In the customer's currency.",
                read: { payment, _ in payment.amount.map(\.json) ?? .null },
                write: { value, payment, _, pointer, faults in payment.amount = Money(value, pointer, &faults) }),
            .text("reason", \.reason, "For people; it stands beside the posting."),
        ])

    static let operations = [
        Operation(
            method: .get, path: "/v1/customers/{customer_id}/balance", name: "getBalance", tag: "customers",
            summary: "What the customer's account stands at.", access: .needs(.readAccounts),
            success: .init(status: .ok, about: "The balance.", schema: Schema.reference("Balance")),
            handle: { try balance($0) }),
        Operation(
            method: .post, path: "/v1/customers/{customer_id}/top-ups", name: "topUp", tag: "customers",
            summary: "Money from outside: a positive amount.", access: .needs(.postMoney),
            body: .init(schema: Schema.reference("Payment")),
            success: .init(status: .created, about: "It is booked.", schema: Schema.reference("Booking")),
            needsIdempotencyKey: true,
            handle: { exchange in
                try await book(exchange) { customer, amount, reason in .topUp(customer, amount, reason: reason) }
            }),
        Operation(
            method: .post, path: "/v1/customers/{customer_id}/adjustments", name: "adjust", tag: "customers",
            summary: "A correction between provider and customer, in either direction. Beyond the provider's limit it waits for a second person.",
            access: .needs(.postMoney), body: .init(schema: Schema.reference("Payment")),
            success: .init(status: .created, about: "It is booked.", schema: Schema.reference("Booking")),
            needsIdempotencyKey: true,
            handle: { exchange in
                try await book(exchange) { customer, amount, reason in .adjust(.customer(customer), amount, reason: reason) }
            }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Payment", shape.newSchema),
        (
            "Balance",
            Schema.object(
                [
                    ("account_id", Schema.text(max: 128)), ("balance", Schema.money), ("held", Schema.money),
                    ("available", Schema.money),
                ], required: ["account_id", "balance", "held", "available"])
        ),
        (
            "Booking",
            Schema.object(
                [
                    ("journal_id", Schema.orNull(Schema.uuid)),
                    (
                        "request_id",
                        Schema.orNull(Schema.uuid).adding("description", "Of an adjustment that waits for a second person; nothing is posted yet.")
                    ), ("log_position", Schema.sequence),
                    ("balance", Schema.reference("Balance")),
                ],
                required: ["journal_id", "request_id", "log_position", "balance"])
        ),
    ]

    private static func balance(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in .ok(try balance(of: try customer(exchange, in: views), in: views)) }
    }

    private static func book(
        _ exchange: Exchange, _ command: (CustomerID, Amount, String) -> AdminCommand
    ) async throws -> Reply {
        let payment = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let id = try exchange.read { views in
            let customer = try customer(exchange, in: views)
            guard let id = CustomerID(customer.id) else { throw Problem(.notFound, "There is no such customer.") }
            return id
        }
        guard let amount = payment.amount?.amount else { throw Problem.invalid("amount", "is required") }
        return try booked(try await exchange.submit(command(id, amount, payment.reason)), exchange)
    }

    /// What came of a command that moves money, or asks for it.
    static func booked(_ outcome: AdminOutcome, _ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let balance = try balance(of: try customer(exchange, in: views), in: views)
            let isRequest = try views.adjustment(AdjustmentID(outcome.id)) != nil
            let id = JSON.string(outcome.id.description)
            return Reply(
                .created,
                .json([
                    "journal_id": isRequest ? .null : id, "request_id": isRequest ? id : .null, "log_position": .integer(outcome.sequence),
                    "balance": balance,
                ])
            ).replayed(outcome.repeated)
        }
    }

    private static func customer(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Customer {
        try Customers.visible(try exchange.id("customer_id"), to: exchange.reach, in: views)
    }

    private static func balance(of customer: Customer, in views: borrowing ViewSnapshot) throws -> JSON {
        var account = AccountRef()
        account.kind = .customer
        account.ownerID = customer.id
        account.currency = customer.currency
        let state = try views.account(account)
        let context = FieldContext(currency: Currency(customer.currency))
        return [
            "account_id": .string(account.text), "balance": context.amount(micros: state.balanceMicros),
            "held": context.amount(micros: state.heldMicros),
            "available": context.amount(micros: try views.available(account)),
        ]
    }
}
