import ControlPlane
import Foundation
import HTTPTypes
import Invoices
import Model
import Primitives
import Projections

/// Invoices and credit notes: worked out, issued, listed.
enum InvoiceEndpoints {
    private struct Order: Blank {
        var to: Int64 = 0
        var preview = false
    }
    private struct Credit: Blank {
        var amount: Money?
        var reason = ""
    }

    private static let orderShape = Shape<Order>(
        "NewInvoice",
        [
            .time("to", \.to, "Movements before this; null: all up to now."),
            .flag("preview", \.preview, "Only work it out: nothing is issued, and no number is used."),
        ])
    private static let creditShape = Shape<Credit>(
        "NewCreditNote",
        [
            Field(
                "amount", \.amount, .readWrite, isRequired: false, schema: Schema.orNull(Schema.money), about: "Without VAT; null: all that is left.",
                read: { credit, _ in credit.amount.map(\.json) ?? .null },
                write: { value, credit, _, pointer, faults in credit.amount = Money(value, pointer, &faults) }),
            .text("reason", \.reason, isRequired: true, "Stands on it."),
        ])

    static let operations = [
        Operation(
            method: .post, path: "/v1/customers/{customer_id}/invoices", name: "issueInvoice", tag: "invoices",
            summary: "Bills everything that has moved on the customer's account since the last invoice. With preview, works it out and issues nothing.",
            access: .needs(.postMoney), body: .init(schema: Schema.reference("NewInvoice")),
            success: .init(status: .created, about: "The invoice, or what it would be.", schema: Schema.reference("Invoice")),
            needsIdempotencyKey: true, handle: { try await issue($0) }),
        Operation(
            method: .get, path: "/v1/invoices", name: "listInvoices", tag: "invoices",
            summary: "Lists the invoices and credit notes of a customer or of a provider, the oldest first. Without either, of the token's own scope.",
            access: .needs(.readAccounts),
            query: [
                QueryParameter("customer_id", .id, "Only those to this customer."), QueryParameter("provider_id", .id, "Only those of this provider."),
                QueryParameter("after", .text, "The `next` of the page before."), .limit,
            ],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("InvoicePage")), handle: { try list($0) }),
        Operation(
            method: .get, path: "/v1/invoices/{invoice_id}", name: "getInvoice", tag: "invoices", summary: "Reads an invoice or a credit note.",
            access: .needs(.readAccounts), success: .init(status: .ok, about: "It.", schema: Schema.reference("Invoice")),
            handle: { exchange in
                try exchange.read { views in .ok(json(try visible(exchange, in: views), in: views)) }
            }),
        Operation(
            method: .post, path: "/v1/invoices/{invoice_id}/credit-notes", name: "issueCreditNote", tag: "invoices",
            summary: "Gives back an invoice or a part of it, with a number in a series of its own.", access: .needs(.postMoney),
            body: .init(schema: Schema.reference("NewCreditNote")),
            success: .init(status: .created, about: "The credit note.", schema: Schema.reference("Invoice")),
            needsIdempotencyKey: true, handle: { try await credit($0) }),
    ]

    private static let lineSchema = Schema.object(
        [
            ("kind", Schema.choice(InvoiceLineKind.literals)), ("description", Schema.text(max: 300)), ("quantity", Schema.sequence),
            ("seconds", Schema.sequence), ("amount", Schema.decimal), ("exact", Schema.decimal), ("vat_category", Schema.text(max: 2)), ("vat_rate", Schema.text(max: 8)),
        ], required: ["kind", "description", "quantity", "seconds", "amount", "exact", "vat_category", "vat_rate"])
    private static let taxSchema = Schema.object(
        [("rate", Schema.text(max: 8)), ("category", Schema.text(max: 2)), ("taxable", Schema.decimal), ("tax", Schema.decimal), ("reason", Schema.text(max: 500))],
        required: ["rate", "category", "taxable", "tax", "reason"])
    private static let heads: [(String, JSON)] = [
        ("id", Schema.uuid), ("kind", Schema.choice(InvoiceKind.literals)), ("number", Schema.text(max: 40)), ("ordinal", Schema.sequence),
        ("provider_id", Schema.uuid), ("customer_id", Schema.uuid), ("issued_on", Schema.text(max: 10)), ("due_on", Schema.text(max: 10)),
        ("time_zone", Schema.text(max: 64)), ("period_from", Schema.time), ("period_to", Schema.time), ("after_sequence", Schema.sequence),
        ("through_sequence", Schema.sequence), ("currency", Schema.text(max: 3)),
    ]
    private static let sums: [(String, JSON)] = [
        ("net", Schema.decimal), ("tax", Schema.decimal), ("total", Schema.decimal), ("prepaid", Schema.decimal), ("payable", Schema.decimal),
        ("rounding", Schema.decimal), ("opening", Schema.decimal), ("payments", Schema.decimal), ("closing", Schema.decimal),
        ("credited", Schema.decimal), ("lines", Schema.list(lineSchema)), ("taxes", Schema.list(taxSchema)),
    ]
    private static let marks: [(String, JSON)] = [
        ("credited_id", Schema.orNull(Schema.uuid)), ("credited_number", Schema.text(max: 40)), ("reason", Schema.text(max: 128)),
        ("vat_treatment", Schema.choice(VATTreatment.literals)), ("vat_country", Schema.text(max: 2)),
        ("journal_id", Schema.orNull(Schema.uuid)), ("template", Schema.orNull(Schema.text(max: 64))), ("layout", Schema.sequence),
        ("html_sha256", Schema.text(max: 64)), ("ubl_sha256", Schema.text(max: 64)), ("calls_sha256", Schema.text(max: 64)), ("calls", Schema.sequence),
        ("pdf_sha256", Schema.text(max: 64)), ("pdf_tool", Schema.text(max: 64)), ("buyer_is_erased", Schema.flag),
        ("broken_rules", Schema.list(Schema.text(max: 300))),
    ]

    static let schemas: [(String, JSON)] = [
        ("NewInvoice", orderShape.newSchema), ("NewCreditNote", creditShape.newSchema),
        ("Invoice", Schema.object(heads + sums + marks, required: (heads + sums + marks).map(\.0))),
        ("InvoicePage", Schema.page(of: Schema.reference("Invoice"))),
    ]

    // MARK: - issuing

    private static func issue(_ exchange: Exchange) async throws -> Reply {
        let order = try exchange.decode { body, faults in orderShape.new(body, FieldContext(), &faults) }
        let now = WallTime.now
        let to = order.to == 0 ? nil : WallTime(microseconds: order.to)
        if let to, to > now { throw Problem.invalid("to", "must not be in the future") }
        let customer = try exchange.read { views in
            CustomerID(try Customers.visible(try exchange.id("customer_id"), to: exchange.reach, in: views).id)
        }
        guard let customer else { throw Problem(.notFound, "There is no such customer.") }
        let desk = exchange.platform.invoices
        do {
            if order.preview {
                return try exchange.read { views in
                    let draft = try desk.draft(of: customer, to: to, at: now, in: views)
                    return Reply(.created, .json(json(draft, in: views)))
                }
            }
            let outcome = try await desk.issue(submit: { command async throws(AdminRejection) in try await exchange.command(command) }) {
                views throws(InvoiceError) in try desk.draft(of: customer, to: to, at: now, in: views)
            }
            return try issued(outcome, exchange)
        } catch let error as InvoiceError {
            throw problem(error)
        }
    }

    private static func credit(_ exchange: Exchange) async throws -> Reply {
        let credit = try exchange.decode { body, faults in creditShape.new(body, FieldContext(), &faults) }
        let original = try exchange.read { views in try visible(exchange, in: views) }
        guard original.kind == .invoice else { throw Problem(.conflict, "A credit note is given on an invoice, and this is none.") }
        if let amount = credit.amount, amount.currency.code != original.currency || amount.micros <= 0 {
            throw Problem.invalid("amount", "must be positive, in \(original.currency)")
        }
        let now = WallTime.now
        do {
            let outcome = try await exchange.platform.invoices.issue(
                submit: { command async throws(AdminRejection) in try await exchange.command(command) }
            ) { views throws(InvoiceError) in
                var random = RandomSource.system
                return try InvoiceMaker.creditNote(
                    of: original, net: credit.amount?.micros, reason: credit.reason, issuedAt: now, id: UUIDv7(at: now, random: &random), in: views)
            }
            return try issued(outcome, exchange)
        } catch let error as InvoiceError {
            throw problem(error)
        }
    }

    private static func issued(_ outcome: AdminOutcome, _ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            guard let invoice = try views.invoice(InvoiceID(outcome.id)) else {
                throw Problem(.unavailable, "The invoice \(outcome.id) is recorded, and cannot be shown yet; ask for it in a moment.", headers: [.retryAfter: "5"])
            }
            return Reply(.created, .json(json(invoice, in: views)), location: "/v1/invoices/\(outcome.id)").replayed(outcome.repeated)
        }
    }

    static func problem(_ error: InvoiceError) -> any Error {
        switch error {
        case .noCustomer: Problem(.notFound, "There is no such customer.")
        case .noInvoice: Problem(.notFound, "There is no such invoice.")
        case .nothingToBill, .cutIsBeforeLast, .rules, .decimals, .overflow, .template, .refused: Problem(.conflict, "\(error).")
        case .creditTooLarge(let left): Problem.invalid("amount", "of the invoice \(left) are left to be credited")
        case .tool: Problem(.unavailable, "\(error).")
        case .views(let error): error
        }
    }

    // MARK: - reading

    private static func list(_ exchange: Exchange) throws -> Reply {
        let after: UInt64
        if let text = exchange.query.text("after") {
            guard let number = UInt64(text) else { throw Query.notACursor }
            after = number
        } else {
            after = 0
        }
        return try exchange.read { views in
            let owner = try owner(exchange, in: views)
            let limit = exchange.query.limit
            let found = try views.invoices(of: owner, after: after, limit: limit + 1)
            let next = found.count > limit ? found[limit - 1].sequence : nil
            return .page(found.prefix(limit).map { json($0.invoice, in: views) }, next: next.map { String($0) })
        }
    }

    private static func owner(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> UUIDv7 {
        let reach = try exchange.reach
        if let id = exchange.query.id("customer_id") {
            guard let place = try views.place(of: .customer, id), reach.holds(place) else { throw Problem(.notFound, "There is no customer \(id).") }
            return id
        }
        if let id = exchange.query.id("provider_id") {
            guard let place = try views.place(of: .provider, id), reach.holds(place) else { throw Problem(.notFound, "There is no provider \(id).") }
            return id
        }
        switch reach {
        case .provider(let id): return id.value
        case .customer(let id): return id.value
        case .platform:
            throw Problem(.badRequest, "Say whose.", faults: [FieldFault(.parameter("provider_id"), "is required, or customer_id is")])
        // Invoices are the customer's: nobody below it sees them.
        case .tenant(let id): return id.value
        case .subscriber(let id): return id.value
        }
    }

    static func visible(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> InvoiceIssued {
        let id = InvoiceID(try exchange.id("invoice_id"))
        guard let invoice = try views.invoice(id), try isVisible(invoice, exchange, in: views) else {
            throw Problem(.notFound, "There is no invoice \(id).")
        }
        return invoice
    }

    private static func isVisible(_ invoice: InvoiceIssued, _ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Bool {
        let reach = try exchange.reach
        if let id = UUIDv7(bytes: invoice.customerID), let place = try views.place(of: .customer, id) { return reach.holds(place) }
        // A customer that was removed: its provider still has the invoice.
        return try reach.level < .customer && reach.holds(views.place(provider: invoice.providerID))
    }

    static func json(_ invoice: InvoiceIssued, in views: borrowing ViewSnapshot) -> JSON {
        func decimal(_ micros: Int64) -> JSON { .string(Decimal.text(micros: micros)) }
        let id = InvoiceID(invoice.id)
        let credited = id.flatMap { id in try? views.invoiceBalance(id)?.creditedMicros } ?? 0
        let print = id.flatMap { id in (try? views.invoicePrint(id, "pdf")) ?? nil }
        let head: [JSON.Member] = [
            JSON.Member("id", .id(invoice.id)), JSON.Member("kind", .string(invoice.kind.literal)), JSON.Member("number", .string(invoice.numberText)),
            JSON.Member("ordinal", .integer(invoice.number)), JSON.Member("provider_id", .id(invoice.providerID)),
            JSON.Member("customer_id", .id(invoice.customerID)), JSON.Member("issued_on", .string(invoice.issuedOn)),
            JSON.Member("due_on", .string(invoice.dueOn)), JSON.Member("time_zone", .string(invoice.timeZone)),
            JSON.Member("period_from", .string(WallTime(microseconds: invoice.periodFrom).rfc3339)),
            JSON.Member("period_to", .string(WallTime(microseconds: invoice.periodTo).rfc3339)),
            JSON.Member("after_sequence", .integer(invoice.afterSequence)), JSON.Member("through_sequence", .integer(invoice.throughSequence)),
            JSON.Member("currency", .string(invoice.currency)),
        ]
        let amounts: [(String, Int64)] = [
            ("net", invoice.netMicros), ("tax", invoice.taxMicros), ("total", invoice.totalMicros), ("prepaid", invoice.prepaidMicros),
            ("payable", invoice.totalMicros - invoice.prepaidMicros), ("rounding", invoice.roundingMicros), ("opening", invoice.openingMicros),
            ("payments", invoice.paymentsMicros), ("closing", invoice.closingMicros), ("credited", credited),
        ]
        let lines = invoice.lines.map { line -> JSON in
            let tax = invoice.tax(of: line)
            return [
                "kind": .string(line.kind.literal), "description": .string(line.description_p), "quantity": .integer(line.calls),
                "seconds": .integer(line.seconds), "amount": decimal(line.amountMicros), "exact": decimal(line.exactMicros),
                "vat_category": .string(tax.category), "vat_rate": .string(InvoiceAmounts.percent(tax.vatBasisPoints)),
            ]
        }
        let taxes = invoice.taxes.map { tax -> JSON in
            [
                "rate": .string(InvoiceAmounts.percent(tax.vatBasisPoints)), "category": .string(tax.category), "taxable": decimal(tax.taxableMicros),
                "tax": decimal(tax.taxMicros), "reason": .string(invoice.exemption(tax.category)?.reason ?? ""),
            ]
        }
        let marks: [JSON.Member] = [
            JSON.Member("lines", .array(lines)), JSON.Member("taxes", .array(taxes)), JSON.Member("credited_id", .id(invoice.creditedID)),
            JSON.Member("credited_number", .string(invoice.creditedNumber)), JSON.Member("reason", .string(invoice.reason)),
            JSON.Member("vat_treatment", .string(invoice.vatTreatment.literal)), JSON.Member("vat_country", .string(invoice.vatCountry)),
            JSON.Member("journal_id", .id(invoice.journalID)),
            JSON.Member("template", invoice.templateHash.isEmpty ? .null : .hex(invoice.templateHash)), JSON.Member("layout", .integer(invoice.layout)),
            JSON.Member("html_sha256", .hex(invoice.htmlSha256)), JSON.Member("ubl_sha256", .hex(invoice.ublSha256)),
            JSON.Member("calls_sha256", .hex(invoice.callsSha256)), JSON.Member("calls", .integer(invoice.calls)),
            JSON.Member("pdf_sha256", .hex(print?.sha256 ?? Data())), JSON.Member("pdf_tool", .string(print?.tool ?? "")),
            JSON.Member("buyer_is_erased", .bool(invoice.isErasedBuyer)),
            JSON.Member("broken_rules", .array(InvoiceRule.broken(by: invoice).map { .string($0.description) })),
        ]
        return .object(head + amounts.map { JSON.Member($0.0, decimal($0.1)) } + marks)
    }
}

extension Exchange {
    /// `submit` with the errors of a command alone.
    func command(_ command: AdminCommand) async throws(AdminRejection) -> AdminOutcome {
        do {
            return try await submit(command)
        } catch let rejection as AdminRejection {
            throw rejection
        } catch {
            throw .unavailable(reason: "\(error)")
        }
    }
}
