import ControlPlane
import HTTPTypes
import Invoices
import Model
import Primitives
import Projections

/// What moved a customer's account in a period.
enum StatementEndpoint {
    /// Of one answer; longer ones are made by `ledgerline statement`.
    static let movementsMax = 20_000

    static let operations = [
        Operation(
            method: .get, path: "/v1/customers/{customer_id}/statement", name: "getStatement", tag: "customers",
            summary: "What moved the customer's account in a period: opening balance, every movement with its source and the balance after it, closing balance. At most \(movementsMax) movements.",
            access: .needs(.readAccounts),
            query: [
                QueryParameter("from", .time, "Movements at this time or later. Required."),
                QueryParameter("to", .time, "And before this; now, if it is not given."),
                QueryParameter("format", .choice(["json", "csv", "html"]), "A table for programs, or a plain page; json if it is not given."),
            ],
            success: .init(
                status: .ok, about: "The statement.", schema: Schema.reference("Statement"), otherMediaTypes: ["text/csv", "text/html"]),
            handle: { try statement($0) })
    ]

    static let schemas: [(String, JSON)] = [
        (
            "Statement",
            Schema.object(
                [
                    ("customer_id", Schema.uuid), ("account_id", Schema.text(max: 128)), ("from", Schema.time), ("to", Schema.time),
                    ("opening", Schema.money), ("credits", Schema.money), ("debits", Schema.money), ("closing", Schema.money),
                    ("log_position", Schema.sequence), ("movements", Schema.list(Schema.reference("Movement"))),
                ],
                required: ["customer_id", "account_id", "from", "to", "opening", "credits", "debits", "closing", "log_position", "movements"])
        ),
        (
            "Movement",
            Schema.object(
                [
                    ("sequence", Schema.sequence), ("index", Schema.sequence), ("posted_at", Schema.time), ("kind", Schema.choice(JournalKind.literals)),
                    ("source", Schema.text(max: 256)), ("amount", Schema.money), ("balance", Schema.money),
                    ("journal_id", Schema.orNull(Schema.uuid)), ("call_id", Schema.orNull(Schema.uuid)), ("cdr_number", Schema.orNull(Schema.sequence)),
                ], required: ["sequence", "index", "posted_at", "kind", "source", "amount", "balance", "journal_id", "call_id", "cdr_number"])
        ),
    ]

    private static func statement(_ exchange: Exchange) throws -> Reply {
        guard let from = exchange.query.time("from") else {
            throw Problem(.badRequest, "Say from when.", faults: [FieldFault(.parameter("from"), "is required")])
        }
        let to = exchange.query.time("to") ?? exchange.time
        return try exchange.read { views in
            let customer = try Customers.visible(try exchange.id("customer_id"), to: exchange.reach, in: views)
            guard let id = CustomerID(customer.id), let currency = Currency(customer.currency) else {
                throw Problem(.notFound, "There is no such customer.")
            }
            let statement: AccountStatement
            do throws(StatementError) {
                statement = try AccountStatement(
                    of: .customer(id, currency), from: from, to: to, limit: movementsMax, in: views, exchange.platform.log)
            } catch {
                throw problem(error)
            }
            switch exchange.query.text("format") {
            case "csv": return Reply(.ok, .bytes(statement.csv, mediaType: "text/csv; charset=utf-8; header=present"))
            case "html": return Reply(.ok, .bytes(Array(statement.page(holder: customer.name).utf8), mediaType: "text/html; charset=utf-8"))
            default: return .ok(json(statement, id, currency))
            }
        }
    }

    private static func problem(_ error: StatementError) -> any Error {
        switch error {
        case .periodIsEmpty: Problem(.badRequest, "The period is empty.", faults: [FieldFault(.parameter("to"), "must be after from")])
        case .tooLong(let limit):
            Problem(.badRequest, "The period has more than \(limit) movements.", faults: [FieldFault(.parameter("to"), "must be nearer to from; `ledgerline statement` has no limit")])
        case .views(let error): error
        case .ledger: Problem(.unavailable, "\(error)")
        }
    }

    private static func json(_ statement: AccountStatement, _ customer: CustomerID, _ currency: Currency) -> JSON {
        let context = FieldContext(currency: currency)
        let sums = statement.sums
        return [
            "customer_id": .string(customer.description), "account_id": .string(statement.account.text),
            "from": .string(statement.from.rfc3339), "to": .string(statement.to.rfc3339), "opening": context.amount(micros: statement.opening),
            "credits": context.amount(micros: sums.credits), "debits": context.amount(micros: sums.debits),
            "closing": context.amount(micros: statement.closing), "log_position": .integer(statement.sequence),
            "movements": .array(statement.movements.map { json($0, context) }),
        ]
    }

    private static func json(_ movement: AccountStatement.Movement, _ context: FieldContext) -> JSON {
        [
            "sequence": .integer(movement.sequence), "index": .integer(movement.index), "posted_at": .string(movement.at.rfc3339),
            "kind": .string(movement.kind.literal), "source": .string(movement.source), "amount": context.amount(micros: movement.amount),
            "balance": context.amount(micros: movement.balance), "journal_id": movement.journal.map { .string($0.description) } ?? .null,
            "call_id": movement.call.map { .string($0.description) } ?? .null, "cdr_number": movement.record.map { .integer($0) } ?? .null,
        ]
    }
}
