import ControlPlane
import Foundation
import HTTPTypes
import Ledger
import Model
import Primitives
import Projections

/// What became of an invoice's mail, and sending it once more.
enum InvoiceMailEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/invoices/{invoice_id}/mail", name: "listInvoiceMail", tag: "invoices",
            summary: "The mails that the invoice was, or is to be, sent with, the oldest first: whether they were taken, or why not.",
            access: .needs(.readAccounts),
            success: .init(
                status: .ok, about: "The mails.", schema: Schema.object([("items", Schema.list(Schema.reference("InvoiceMail")))], required: ["items"])),
            handle: { exchange in
                try exchange.read { views in
                    let invoice = try InvoiceEndpoints.visible(exchange, in: views)
                    return .ok(["items": .array(try mails(of: invoice, exchange, in: views))])
                }
            }),
        Operation(
            method: .post, path: "/v1/invoices/{invoice_id}/mail", name: "mailInvoice", tag: "invoices",
            summary: "Sends the invoice once more, to the address that its customer has now, whether invoices are mailed by themselves or not.",
            access: .needs(.postMoney),
            success: .init(status: .created, about: "Mail is wanted.", schema: Schema.reference("InvoiceMail")), needsIdempotencyKey: true,
            handle: { try await send($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        (
            "InvoiceMail",
            Schema.object(
                [
                    ("id", Schema.uuid), ("wanted_at", Schema.time), ("to", Schema.text(max: 254)), ("language", Schema.text(max: 35)),
                    ("state", Schema.choice(["waiting", "sent", "failed"])), ("attempts", Schema.sequence), ("sent_at", Schema.orNull(Schema.time)),
                    ("next_attempt_at", Schema.orNull(Schema.time)), ("reason", Schema.text(max: 128)),
                ], required: ["id", "wanted_at", "to", "language", "state", "attempts", "sent_at", "next_attempt_at", "reason"])
        )
    ]

    /// So many are shown of one invoice.
    private static let eventsMax = 1_000

    private static func mails(of invoice: InvoiceIssued, _ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> [JSON] {
        guard let id = UUIDv7(bytes: invoice.id) else { return [] }
        return try views.history(of: id, limit: eventsMax).compactMap { sequence in
            guard let stored = try exchange.platform.log.event(at: sequence), let event = try? views.event(in: stored),
                case .letterWanted(let wanted) = event, let letter = LetterID(wanted.letter.id), let state = try views.letter(letter)
            else { return nil }
            return json(state)
        }
    }

    private static func json(_ state: LetterState) -> JSON {
        func time(_ micros: Int64) -> JSON { micros == 0 ? .null : .string(WallTime(microseconds: micros).rfc3339) }
        let progress = state.sentAt != 0 ? "sent" : state.dueAt != 0 ? "waiting" : "failed"
        return [
            "id": .id(state.letter.id), "wanted_at": time(state.letter.wantedAt), "to": .string(state.letter.to), "language": .string(state.letter.language),
            "state": .string(progress), "attempts": .integer(state.attempts), "sent_at": time(state.sentAt), "next_attempt_at": time(state.dueAt),
            "reason": .string(state.fault),
        ]
    }

    private static func send(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.read { views in InvoiceID(try InvoiceEndpoints.visible(exchange, in: views).id) }
        try exchange.needMail()
        guard let id else { throw Problem(.notFound, "There is no such invoice.") }
        let outcome = try await exchange.submit(.mailInvoice(id))
        exchange.sendMail()
        return try exchange.read { views in
            guard let state = try views.letter(LetterID(outcome.id)) else {
                throw Problem(.unavailable, "The mail \(outcome.id) is wanted, and cannot be shown yet.", headers: [.retryAfter: "5"])
            }
            return Reply(.created, .json(json(state))).replayed(outcome.repeated)
        }
    }
}
