import ControlPlane
import HTTPTypes
import Invoices
import Model
import Primitives
import Projections

/// What moved an account in a period: a customer's, or any other of the books, such as what a provider owes the one above it.
enum StatementEndpoint {
    /// Of one answer; longer ones are made by `ledgerline statement`.
    static let movementsMax = 20_000

    private static let query = [
        QueryParameter("from", .time, "Movements at this time or later. Required."),
        QueryParameter("to", .time, "And before this; now, if it is not given."),
        QueryParameter("format", .choice(["json", "csv", "html"]), "A table for programs, or a plain page; json if it is not given."),
    ]

    static let operations = [
        Operation(
            method: .get, path: "/v1/customers/{customer_id}/statement", name: "getStatement", tag: "customers",
            summary: "What moved the customer's account in a period: opening balance, every movement with its source and the balance after it, closing balance. At most \(movementsMax) movements.",
            access: .needs(.readAccounts), query: query,
            success: .init(
                status: .ok, about: "The statement.", schema: Schema.reference("Statement"), otherMediaTypes: ["text/csv", "text/html"]),
            handle: { try ofCustomer($0) }),
        Operation(
            method: .get, path: "/v1/accounts/{account_id}/statement", name: "getAccountStatement", tag: "accounts",
            summary: "What moved an account in a period, as for a customer's: of `provider_payable` what a provider owes the one above it, of `carrier_payable` what a carrier is owed. At most \(movementsMax) movements.",
            access: .needs(.readAccounts), query: query,
            success: .init(
                status: .ok, about: "The statement.", schema: Schema.reference("AccountStatement"), otherMediaTypes: ["text/csv", "text/html"]),
            handle: { try ofAccount($0) }),
    ]

    private static let fields: [(String, JSON)] = [
        ("account_id", Schema.text(max: 128)), ("from", Schema.time), ("to", Schema.time), ("opening", Schema.money),
        ("credits", Schema.money), ("debits", Schema.money), ("closing", Schema.money), ("log_position", Schema.sequence),
        ("movements", Schema.list(Schema.reference("Movement"))),
    ]

    static let schemas: [(String, JSON)] = [
        ("Statement", Schema.object([("customer_id", Schema.uuid)] + fields, required: ["customer_id"] + fields.map(\.0))),
        ("AccountStatement", Schema.object(fields, required: fields.map(\.0))),
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

    private static func ofCustomer(_ exchange: Exchange) throws -> Reply {
        let from = try from(exchange)
        return try exchange.read { views in
            let customer = try Customers.visible(try exchange.id("customer_id"), to: exchange.reach, in: views)
            guard let id = CustomerID(customer.id), let currency = Currency(customer.currency) else {
                throw Problem(.notFound, "There is no such customer.")
            }
            return try reply(exchange, .customer(id, currency), from, customer: id, in: views)
        }
    }

    private static func ofAccount(_ exchange: Exchange) throws -> Reply {
        let from = try from(exchange)
        return try exchange.read { views in
            try reply(exchange, AccountEndpoints.account(exchange, in: views), from, customer: nil, in: views)
        }
    }

    private static func from(_ exchange: Exchange) throws -> WallTime {
        guard let from = exchange.query.time("from") else {
            throw Problem(.badRequest, "Say from when.", faults: [FieldFault(.parameter("from"), "is required")])
        }
        return from
    }

    private static func reply(
        _ exchange: Exchange, _ account: AccountRef, _ from: WallTime, customer: CustomerID?, in views: borrowing ViewSnapshot
    ) throws -> Reply {
        let statement: AccountStatement
        do throws(StatementError) {
            statement = try AccountStatement(
                of: account, from: from, to: exchange.query.time("to") ?? exchange.time, limit: movementsMax, in: views, exchange.platform.log)
        } catch {
            throw problem(error)
        }
        switch exchange.query.text("format") {
        case "csv": return Reply(.ok, .bytes(statement.csv, mediaType: "text/csv; charset=utf-8; header=present"))
        case "html":
            let page = statement.page(holder: try AccountStatement.holder(of: account, in: views))
            return Reply(.ok, .bytes(Array(page.utf8), mediaType: "text/html; charset=utf-8"))
        default: return .ok(json(statement, customer))
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

    private static func json(_ statement: AccountStatement, _ customer: CustomerID?) -> JSON {
        let context = FieldContext(currency: Currency(statement.account.currency))
        let sums = statement.sums
        var members = customer.map { [JSON.Member("customer_id", .string($0.description))] } ?? []
        members += [
            JSON.Member("account_id", .string(statement.account.text)), JSON.Member("from", .string(statement.from.rfc3339)),
            JSON.Member("to", .string(statement.to.rfc3339)), JSON.Member("opening", context.amount(micros: statement.opening)),
            JSON.Member("credits", context.amount(micros: sums.credits)), JSON.Member("debits", context.amount(micros: sums.debits)),
            JSON.Member("closing", context.amount(micros: statement.closing)), JSON.Member("log_position", .integer(statement.sequence)),
            JSON.Member("movements", .array(statement.movements.map { json($0, context) })),
        ]
        return .object(members)
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
