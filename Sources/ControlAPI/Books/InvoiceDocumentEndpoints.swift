import ControlPlane
import Dispatch
import Dispute
import Foundation
import HTTPTypes
import Invoices
import Model
import OpenSSL
import Primitives
import Projections

/// Invoices as files, and the templates that they are made by.
enum InvoiceDocumentEndpoints {
    private struct Draft: Blank {
        var html = ""
    }
    private static let shape = Shape<Draft>(
        "NewInvoiceTemplate", [.text("html", \.html, isRequired: true, max: 128 << 10, "A page with gaps: docs/invoices.md says which.")])

    static let operations = [
        Operation(
            method: .get, path: "/v1/invoices/{invoice_id}/document", name: "getInvoiceDocument", tag: "invoices",
            summary: "An invoice as a file, made of what was recorded when it was issued.", access: .needs(.readAccounts),
            query: [QueryParameter("format", .choice(["pdf", "html", "ubl"]), "pdf if it is not given; ubl is the electronic invoice by EN 16931.")],
            success: .init(
                status: .ok, about: "The file.", schema: ["type": "string"], mediaType: "application/pdf",
                otherMediaTypes: ["text/html", "application/xml"]),
            handle: { try await document($0) }),
        Operation(
            method: .get, path: "/v1/invoices/{invoice_id}/calls", name: "getInvoiceCalls", tag: "invoices",
            summary: "The calls of an invoice, one a line, as the log has them now.", access: .needs(.readRecords),
            success: .init(status: .ok, about: "A table by RFC 4180.", schema: ["type": "string"], mediaType: "text/csv"), reading: "invoice_calls",
            handle: { exchange in
                try exchange.read { views in
                    let invoice = try InvoiceEndpoints.visible(exchange, in: views)
                    do throws(InvoiceError) {
                        let list = try InvoiceMaker.calls(of: invoice, in: views)
                        var reply = Reply(.ok, .bytes(list.csv, mediaType: "text/csv; charset=utf-8; header=present"))
                        reply.shown = list.entries.count
                        return reply
                    } catch {
                        throw InvoiceEndpoints.problem(error)
                    }
                }
            }),
        Operation(
            method: .get, path: "/v1/invoices/{invoice_id}/dispute", name: "disputeInvoice", tag: "invoices",
            summary: "Everything that an invoice or a credit note follows from, in one document that ledgerline dispute verify checks without us. "
                + "It holds whole events, so it is given only to whom every call of it is wholly visible.",
            access: .needs(.proveRecords),
            success: .init(
                status: .ok, about: "A dispute pack of an invoice, as JSON Lines (docs/dispute.md).", schema: ["type": "string"], mediaType: "application/jsonl"),
            past: .never, reading: "invoice_dispute_pack", handle: { try dispute($0) }),
        Operation(
            method: .post, path: "/v1/providers/{provider_id}/invoice-templates", name: "publishInvoiceTemplate", tag: "invoices",
            summary: "Publishes a template. It is used from when the provider's billing names its hash.", access: .needs(.writePrices),
            body: .init(schema: Schema.reference("NewInvoiceTemplate")),
            success: .init(
                status: .created, about: "Its hash.", schema: Schema.object([("hash", Schema.text(max: 64))], required: ["hash"])),
            handle: { exchange in try await publish(exchange) { views in try BillingEndpoints.seller(exchange, in: views) } }),
        Operation(
            method: .post, path: "/v1/billing/invoice-templates", name: "publishPlatformInvoiceTemplate", tag: "invoices",
            summary: "Publishes a template of the platform's own invoices. It is used from when the platform's billing names its hash.",
            access: .needs(.writePlatform), body: .init(schema: Schema.reference("NewInvoiceTemplate")),
            success: .init(
                status: .created, about: "Its hash.", schema: Schema.object([("hash", Schema.text(max: 64))], required: ["hash"])),
            handle: { exchange in try await publish(exchange) { _ in .platform } }),
        Operation(
            method: .get, path: "/v1/providers/{provider_id}/invoice-template", name: "getInvoiceTemplate", tag: "invoices",
            summary: "The template that the provider's next invoice is made by: to begin with, the built-in one.", access: .needs(.readPrices),
            success: .init(status: .ok, about: "The template.", schema: ["type": "string"], mediaType: "text/html"),
            handle: { exchange in try exchange.read { views in try template(of: try BillingEndpoints.seller(exchange, in: views), in: views) } }),
        Operation(
            method: .get, path: "/v1/billing/invoice-template", name: "getPlatformInvoiceTemplate", tag: "invoices",
            summary: "The template that the platform's next invoice is made by: to begin with, the built-in one.", access: .needs(.readBooks),
            success: .init(status: .ok, about: "The template.", schema: ["type": "string"], mediaType: "text/html"),
            handle: { exchange in try exchange.read { views in try template(of: .platform, in: views) } }),
    ]

    private static func publish(_ exchange: Exchange, _ find: (borrowing ViewSnapshot) throws -> BillingEndpoints.Seller) async throws -> Reply {
        let html = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }.html
        var template = InvoiceTemplatePublished()
        template.providerID = try exchange.read { views in try find(views) }.id
        template.html = html
        let outcome = try await exchange.submit(.publishInvoiceTemplate(template))
        return Reply(.created, .json(["hash": .string(hex(Hash.sha256(Array(html.utf8))))])).replayed(outcome.repeated)
    }

    private static func template(of seller: BillingEndpoints.Seller, in views: borrowing ViewSnapshot) throws -> Reply {
        let billing = try BillingEndpoints.billing(of: seller, in: views)
        let own = try billing.templateHash.isEmpty ? nil : views.invoiceTemplate(hash: billing.templateHash)
        return Reply(.ok, .bytes(Array((own?.html ?? InvoicePage.builtIn).utf8), mediaType: "text/html; charset=utf-8"))
    }

    static let schemas: [(String, JSON)] = [("NewInvoiceTemplate", shape.newSchema)]

    private static func dispute(_ exchange: Exchange) throws -> Reply {
        let reach = try exchange.reach
        let id = try exchange.read { views in
            let invoice = try InvoiceEndpoints.visible(exchange, in: views)
            guard let id = InvoiceID(invoice.id), let debt = invoice.debt else { throw Problem(.notFound, "There is no such invoice.") }
            let redaction = try Redaction(reach, in: views)
            var place = (sequence: invoice.afterSequence, index: UInt32.max)
            while invoice.kind == .invoice {
                let page = try views.postings(of: debt.account, after: place, limit: 500)
                for posting in page where posting.sequence <= invoice.throughSequence {
                    guard let call = CallID(posting.callID), let cdr = try views.cdr(call: call) else { continue }
                    guard try redaction.seen(cdr, in: views) == cdr else {
                        throw Problem(.forbidden, "The pack holds the whole records of its calls, of which this token may see a part.")
                    }
                }
                guard page.count == 500, let last = page.last, last.sequence <= invoice.throughSequence else { break }
                place = (last.sequence, last.index)
            }
            return id
        }
        let platform = exchange.platform
        do throws(DisputeError) {
            let maker = InvoicePackMaker(log: platform.log, views: platform.views, origin: platform.origin, key: platform.signingKey)
            return Reply(.ok, .bytes([UInt8](try maker.pack(invoice: id, at: .now)), mediaType: "application/jsonl"))
        } catch {
            throw Problem(.internalError, "The pack cannot be made: \(error)")
        }
    }

    private static func document(_ exchange: Exchange) async throws -> Reply {
        let (invoice, template) = try exchange.read { views in
            let invoice = try InvoiceEndpoints.visible(exchange, in: views)
            do throws(InvoiceError) {
                return (invoice, try InvoicePage.template(of: invoice, in: views))
            } catch {
                throw InvoiceEndpoints.problem(error)
            }
        }
        switch exchange.query.text("format") {
        case "html": return Reply(.ok, .bytes(InvoicePage.html(invoice, template), mediaType: "text/html; charset=utf-8"))
        case "ubl":
            guard invoice.decimals <= 2 else { throw InvoiceEndpoints.problem(.decimals(invoice.currency)) }
            let broken = InvoiceRule.broken(by: invoice)
            guard broken.isEmpty else { throw InvoiceEndpoints.problem(.rules(broken)) }
            return Reply(.ok, .bytes(ElectronicInvoice.xml(invoice), mediaType: "application/xml"))
        default: return try await pdf(invoice, exchange)
        }
    }

    /// The tool runs on a thread that may wait. What comes of it the first time is a fact.
    private static func pdf(_ invoice: InvoiceIssued, _ exchange: Exchange) async throws -> Reply {
        let desk = exchange.platform.invoices
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<InvoiceDesk.Print, InvoiceError>, Never>) in
            Thread.detachNewThread {
                continuation.resume(returning: Result { () throws(InvoiceError) in try desk.pdf(of: invoice) })
            }
        }
        let print: InvoiceDesk.Print
        switch result {
        case .success(let made): print = made
        case .failure(let error): throw InvoiceEndpoints.problem(error)
        }
        if let fact = print.fact, exchange.past == nil {
            // Durable before anybody has the file.
            _ = try await exchange.platform.submit(AdminRequest(.recordInvoicePrint(fact), actor: "invoices", requestID: exchange.requestID))
        }
        return Reply(.ok, .bytes(print.bytes, mediaType: "application/pdf"))
    }
}
