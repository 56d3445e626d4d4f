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
        var currency = ""
        var to: Int64 = 0
        var preview = false
    }
    private struct Credit: Blank {
        var amount: Money?
        var reason = ""
    }

    private static let terms: [Field<Order>] = [
        .time("to", \.to, "Movements before this; null: all up to now."),
        .flag("preview", \.preview, "Only work it out: nothing is issued, and no number is used."),
    ]
    private static let orderShape = Shape<Order>("NewInvoice", terms)
    private static let providerOrderShape = Shape<Order>(
        "NewProviderInvoice",
        [.text("currency", \.currency, max: 3, "ISO 4217 code: what it owes in this currency; not needed where there is one.")] + terms)
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
            needsIdempotencyKey: true,
            handle: { exchange in
                let order = try exchange.decode { body, faults in orderShape.new(body, FieldContext(), &faults) }
                return try await issue(order, exchange) { views in
                    let customer = try Customers.visible(try exchange.id("customer_id"), to: exchange.reach, in: views)
                    guard let id = CustomerID(customer.id), let currency = Currency(customer.currency) else {
                        throw Problem(.notFound, "There is no such customer.")
                    }
                    return Debt(.customer(id), currency)
                }
            }),
        Operation(
            method: .post, path: "/v1/providers/{provider_id}/invoices", name: "issueProviderInvoice", tag: "invoices",
            summary: "Bills everything that has moved on what the provider owes the one above it, since the last invoice in this currency. By the one above, or those above that.",
            access: .needs(.postMoney), body: .init(schema: Schema.reference("NewProviderInvoice")),
            success: .init(status: .created, about: "The invoice, or what it would be.", schema: Schema.reference("Invoice")),
            needsIdempotencyKey: true,
            handle: { exchange in
                let order = try exchange.decode { body, faults in providerOrderShape.new(body, FieldContext(), &faults) }
                return try await issue(order, exchange) { views in try debt(order.currency, exchange, in: views) }
            }),
        Operation(
            method: .get, path: "/v1/invoices", name: "listInvoices", tag: "invoices",
            summary: "Lists the invoices and credit notes to a customer, to a provider, or of a provider as seller, the oldest first. Without any, those of the token's own scope: as seller, of the platform too.",
            access: .needs(.readAccounts),
            query: [
                QueryParameter("customer_id", .id, "Only those to this customer."), QueryParameter("provider_id", .id, "Only those of this provider, to its customers and to the providers below it."),
                QueryParameter("buyer_provider_id", .id, "Only those to this provider, of the one above it."),
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
        ("provider_id", Schema.orNull(Schema.uuid).adding("description", "The seller; null: the platform.")), ("customer_id", Schema.orNull(Schema.uuid)),
        ("buyer_provider_id", Schema.orNull(Schema.uuid).adding("description", "Who it is for, if it is for no customer.")), ("issued_on", Schema.text(max: 10)), ("due_on", Schema.text(max: 10)),
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
        ("NewInvoice", orderShape.newSchema), ("NewProviderInvoice", providerOrderShape.newSchema), ("NewCreditNote", creditShape.newSchema),
        ("Invoice", Schema.object(heads + sums + marks, required: (heads + sums + marks).map(\.0))),
        ("InvoicePage", Schema.page(of: Schema.reference("Invoice"))),
    ]

    // MARK: - issuing

    /// - Parameter find: whose account it is about, for those that may see it.
    private static func issue(_ order: Order, _ exchange: Exchange, _ find: (borrowing ViewSnapshot) throws -> Debt) async throws -> Reply {
        let now = WallTime.now
        let to = order.to == 0 ? nil : WallTime(microseconds: order.to)
        if let to, to > now { throw Problem.invalid("to", "must not be in the future") }
        let debt = try exchange.read { views in try find(views) }
        let desk = exchange.platform.invoices
        do {
            if order.preview {
                return try exchange.read { views in
                    let draft = try desk.draft(of: debt, to: to, at: now, in: views)
                    return Reply(.created, .json(json(draft, in: views)))
                }
            }
            let outcome = try await desk.issue(submit: { command async throws(AdminRejection) in try await exchange.command(command) }) {
                views throws(InvoiceError) in try desk.draft(of: debt, to: to, at: now, in: views)
            }
            return try issued(outcome, exchange)
        } catch let error as InvoiceError {
            throw problem(error)
        }
    }

    /// What the provider of the path owes in a currency, for those above it.
    private static func debt(_ code: String, _ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Debt {
        let provider = try ProviderMoneyEndpoints.debtor(exchange, in: views)
        let charged = try views.payables(of: provider).compactMap { Currency($0.account.currency) }
        if code.isEmpty {
            guard charged.count == 1, let only = charged.first else {
                guard !charged.isEmpty else { throw problem(.nothingToBill) }
                throw Problem.invalid("currency", "is required: the provider owes in \(charged.map(\.code).joined(separator: " and "))")
            }
            return Debt(.provider(provider), only)
        }
        guard let currency = Currency(code) else { throw Problem.invalid("currency", "must be an ISO 4217 code, such as EUR") }
        guard charged.contains(currency) else { throw problem(.nothingToBill) }
        return Debt(.provider(provider), currency)
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
        case .noDebtor(let debtor): Problem(.notFound, "There is no such \(debtor.noun).")
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
            let limit = exchange.query.limit
            let found = try listed(exchange, after: after, limit: limit + 1, in: views)
            let next = found.count > limit ? found[limit - 1].sequence : nil
            return .page(found.prefix(limit).map { json($0.invoice, in: views) }, next: next.map { String($0) })
        }
    }

    private static func listed(
        _ exchange: Exchange, after: UInt64, limit: Int, in views: borrowing ViewSnapshot
    ) throws -> [(sequence: UInt64, invoice: InvoiceIssued)] {
        let reach = try exchange.reach
        func see(_ kind: EntityKind, _ id: UUIDv7) throws {
            guard let place = try views.place(of: kind, id), reach.holds(place) else {
                throw Problem(.notFound, "There is no \(kind == .customer ? "customer" : "provider") \(id).")
            }
        }
        if let id = exchange.query.id("customer_id") {
            try see(.customer, id)
            return try views.invoices(to: .customer(CustomerID(id)), after: after, limit: limit)
        }
        if let id = exchange.query.id("buyer_provider_id") {
            try see(.provider, id)
            return try views.invoices(to: .provider(ProviderID(id)), after: after, limit: limit)
        }
        if let id = exchange.query.id("provider_id") {
            try see(.provider, id)
            return try views.invoices(of: id, after: after, limit: limit)
        }
        let owner =
            switch reach {
            case .platform: UUIDv7.platform
            case .provider(let id): id.value
            case .customer(let id): id.value
            // Invoices are the customer's: nobody below it sees them.
            case .tenant(let id): id.value
            case .subscriber(let id): id.value
            }
        return try views.invoices(of: owner, after: after, limit: limit)
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
        let place: Place? =
            switch invoice.debtor {
            case .customer(let id)?: try views.place(of: .customer, id.value)
            case .provider(let id)?: try views.place(of: .provider, id.value)
            case nil: nil
            }
        if let place { return reach.holds(place) }
        // A debtor that was removed: its seller still has the invoice.
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
            JSON.Member("customer_id", .id(invoice.customerID)), JSON.Member("buyer_provider_id", .id(invoice.buyerProviderID)), JSON.Member("issued_on", .string(invoice.issuedOn)),
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
