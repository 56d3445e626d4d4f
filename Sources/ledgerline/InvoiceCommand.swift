import ArgumentParser
import ControlPlane
import Foundation
import Invoices
import Model
import OpenSSL
import Primitives
import Projections

struct InvoiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invoice", abstract: "Works invoices out, issues them, prints them, and checks them against the log.",
        subcommands: [Preview.self, Issue.self, Credit.self, List.self, Print.self, InvoiceMail.self, Verify.self])

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What an invoice would be, read from the log; nothing is issued.",
            discussion: """
                Example: ledgerline invoice preview 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data > draft.html
                Example: ledgerline invoice preview 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b23 --provider --currency EUR --data ./data > draft.html
                """)

        @OptionGroup var buyer: InvoiceBuyer
        @Option(help: "The data directory.") var data: String
        @Option(help: "Movements before this, by RFC 3339; now, if it is not given.") var to: String?

        func run() async throws {
            let end = try to.map { text in
                guard let time = WallTime(rfc3339: text) ?? WallTime(rfc3339: text + "T00:00:00Z") else { throw ValidationError("--to \(text) is not a time") }
                return time
            }
            let opened = try OpenedLog(data)
            let views = try opened.views()
            let desk = InvoiceDesk(views: views, log: opened.log, store: InvoiceStore(folder: opened.directory.invoices, keys: try opened.subjectKeys()))
            let debt = try buyer.debt(views)
            let page = try readViews(views) { views throws(ViewsError) in
                Result { () throws(InvoiceError) in
                    let draft = try desk.draft(of: debt, to: end, at: .current, in: views)
                    return InvoicePage.html(draft, try InvoicePage.template(of: draft, in: views))
                }
            }
            FileHandle.standardOutput.write(Data(try value(page)))
        }
    }

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bills everything that has moved on the account of a customer or a provider since its last invoice.",
            discussion: """
                Example: ledgerline invoice issue 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --key november
                Example: ledgerline invoice issue 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b23 --provider --currency EUR --key november
                """)

        @OptionGroup var buyer: InvoiceBuyer
        @Option(help: "Movements before this, by RFC 3339; now, if it is not given.") var to: String?
        @Option(help: "The request's key: given again, it bills nothing twice.") var key = UUID().uuidString
        @Flag(help: "One JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            var body: [String: Any] = to.map { ["to": $0] } ?? [:]
            if let currency = buyer.currency { body["currency"] = currency }
            let answer = try await access.client().request("POST", "/v1/\(buyer.provider ? "providers" : "customers")/\(buyer.id)/invoices", body, headers: ["Idempotency-Key": key])
            try show(answer, json: json)
        }
    }

    struct Credit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives back an invoice, or a part of it.",
            discussion: "Example: ledgerline invoice credit 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --reason 'line was down' --amount 5 --currency EUR")

        @Argument(help: "The invoice's id.") var invoice: String
        @Option(help: "Stands on it.") var reason: String
        @Option(help: "Without VAT; all that is left, if it is not given.") var amount: String?
        @Option(help: "Of the amount.") var currency = "EUR"
        @Option(help: "The request's key: given again, it credits nothing twice.") var key = UUID().uuidString
        @Flag(help: "One JSON object.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            var body: [String: Any] = ["reason": reason]
            if let amount { body["amount"] = ["amount": amount, "currency": currency] }
            let answer = try await access.client().request("POST", "/v1/invoices/\(invoice)/credit-notes", body, headers: ["Idempotency-Key": key])
            try show(answer, json: json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the invoices of a seller, or to a customer or a provider; without any, of the token's scope.",
            discussion: "Example: ledgerline invoice list --customer 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22")

        @Option(help: "A customer's id.") var customer: String?
        @Option(help: "A provider's id: what it has sold.") var provider: String?
        @Option(help: "A provider's id: what the one above it has billed it.") var buyerProvider: String?
        @Flag(help: "One JSON object a line.") var json = false
        @OptionGroup var access: WorkerCommand.Access

        func run() async throws {
            var query = "limit=500"
            if let customer { query += "&customer_id=\(customer)" }
            if let provider { query += "&provider_id=\(provider)" }
            if let buyerProvider { query += "&buyer_provider_id=\(buyerProvider)" }
            let client = try access.client()
            var next = ""
            repeat {
                let answer = try await client.request("GET", "/v1/invoices?\(query)\(next)")
                for invoice in answer["items"] as? [[String: Any]] ?? [] { try show(invoice, json: json) }
                next = (answer["next"] as? String).map { "&after=\($0)" } ?? ""
            } while !next.isEmpty
        }
    }

    struct Print: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes an invoice's file, made of what was recorded when it was issued.",
            discussion: """
                Reads the data directory, beside a running control plane or without one. The list of calls is made of the log as it is now.

                Example: ledgerline invoice print 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data --format pdf --out invoice.pdf
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable { case pdf, html, ubl, calls }

        @Argument(help: "The invoice's id.") var invoice: String
        @Option(help: "The data directory.") var data: String
        @Option(help: "pdf, html, ubl (the electronic invoice) or calls.") var format = Format.pdf
        @Option(help: "Where to write it.") var out: String

        func run() async throws {
            let opened = try OpenedLog(data)
            let views = try opened.views()
            let issued = try found(invoice, views)
            let bytes: [UInt8]
            switch format {
            case .html:
                let page = try readViews(views) { views throws(ViewsError) in
                    Result { () throws(InvoiceError) in InvoicePage.html(issued, try InvoicePage.template(of: issued, in: views)) }
                }
                bytes = try value(page)
            case .ubl:
                let broken = InvoiceRule.broken(by: issued)
                guard broken.isEmpty else { throw fail(.data, "\(InvoiceError.rules(broken))") }
                bytes = ElectronicInvoice.xml(issued)
            case .calls:
                let list = try readViews(views) { views throws(ViewsError) in
                    Result { () throws(InvoiceError) in try InvoiceMaker.calls(of: issued, in: views).csv }
                }
                bytes = try value(list)
            case .pdf:
                let desk = InvoiceDesk(
                    views: views, log: opened.log, store: InvoiceStore(folder: opened.directory.invoices, keys: try opened.subjectKeys()))
                let print = try value(Result { () throws(InvoiceError) in try desk.pdf(of: issued) })
                if !print.isOriginal { note("these are not the bytes that were recorded: made now by \(print.tool)") }
                bytes = print.bytes
            }
            guard FileManager.default.createFile(atPath: out, contents: Data(bytes)) else { throw fail(.cannotCreate, "\(out) cannot be written") }
            Swift.print("\(issued.numberText): \(bytes.count) bytes, sha256 \(hex(Hash.sha256(bytes)))")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Works invoices out again from the log, and compares them with what was issued.",
            discussion: """
                Lines from the movements of the account, page, electronic invoice and list of calls by their hashes. Ends with 1 if one does
                not fit.

                Example: ledgerline invoice verify --provider 0198c5a0-7e1d-7c39-8f6e-5d0c6a4f1b22 --data ./data
                """)

        @Argument(help: "The invoice's id.") var invoice: String?
        @Option(help: "All invoices of this provider, or of the platform: its id, or `platform`.") var provider: String?
        @Option(help: "The data directory.") var data: String
        @Flag(help: "One JSON object a line.") var json = false

        func run() async throws {
            let opened = try OpenedLog(data)
            let views = try opened.views()
            var faults = 0
            var last: [InvoiceKind: UInt64] = [:]
            func check(_ issued: InvoiceIssued) throws {
                let check = try readViews(views) { views throws(ViewsError) in
                    Result { () throws(InvoiceError) in try InvoiceCheck(of: issued, in: views) }
                }
                let result = try value(check)
                faults += result.faults.count
                if json {
                    try printJSON(["invoice": issued.numberText, "id": UUIDv7(bytes: issued.id)?.description ?? "", "faults": result.faults, "remarks": result.remarks])
                } else {
                    Swift.print("\(issued.numberText): \(result.faults.isEmpty ? "as issued" : result.faults.joined(separator: "; "))")
                    for remark in result.remarks { Swift.print("  \(remark)") }
                }
            }
            if let provider {
                guard let id = provider == "platform" ? ProviderID(.platform) : ProviderID(provider) else { throw ValidationError("\(provider) is not an id of a provider") }
                var after: UInt64 = 0
                while true {
                    let page = try readViews(views) { views throws(ViewsError) in try views.invoices(of: id.value, after: after, limit: 200) }
                    for (_, issued) in page {
                        if issued.number != last[issued.kind, default: 0] + 1 {
                            faults += 1
                            Swift.print("\(issued.numberText): the number before it is missing")
                        }
                        last[issued.kind] = issued.number
                        try check(issued)
                    }
                    guard page.count == 200, let sequence = page.last?.sequence else { break }
                    after = sequence
                }
            } else if let invoice {
                try check(try found(invoice, views))
            } else {
                throw ValidationError("name an invoice, or a provider with --provider")
            }
            if faults > 0 { throw ExitCode(ExitStatus.checkFailed.rawValue) }
        }
    }
}

private func found(_ text: String, _ views: Views) throws -> InvoiceIssued {
    guard let id = InvoiceID(text) else { throw ValidationError("\(text) is not an id of an invoice") }
    guard let issued = try readViews(views, { views throws(ViewsError) in try views.invoice(id) }) else {
        throw fail(.data, "there is no invoice \(text)")
    }
    return issued
}

private func value<Value>(_ result: Result<Value, InvoiceError>) throws -> Value {
    switch result {
    case .success(let value): return value
    case .failure(let error): throw fail(.data, "\(error)")
    }
}

private func show(_ invoice: [String: Any], json: Bool) throws {
    if json { return try printJSON(invoice) }
    func text(_ name: String) -> String { invoice[name].map { "\($0)" } ?? "" }
    print("\(text("number"))\t\(text("kind"))\t\(text("issued_on"))\t\(text("total")) \(text("currency"))\t\(text("id"))")
}
