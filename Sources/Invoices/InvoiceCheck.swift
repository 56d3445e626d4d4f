import Foundation
package import Model
import OpenSSL
import Primitives
package import Projections

/// An invoice worked out again from the log, and laid beside what was issued.
package struct InvoiceCheck: Sendable {
    /// What does not fit; empty: the invoice is what the log says.
    package private(set) var faults: [String] = []
    /// What cannot be the same any more, and why.
    package private(set) var remarks: [String] = []

    package init<State: ViewQueries & ~Copyable>(of invoice: InvoiceIssued, in views: borrowing State) throws(InvoiceError) {
        if invoice.kind == .invoice { try checkLines(invoice, in: views) }
        let template = try InvoicePage.template(of: invoice, in: views)
        let html = Data(Hash.sha256(InvoicePage.html(invoice, template)))
        let ubl = Data(Hash.sha256(ElectronicInvoice.xml(invoice)))
        if invoice.isErasedBuyer {
            remarks.append("the buyer was erased: page and electronic invoice are printed without name and address, and are not those that were issued")
        } else {
            if html != invoice.htmlSha256 { faults.append("the page is not the one that was issued") }
            if !invoice.ublSha256.isEmpty, ubl != invoice.ublSha256 { faults.append("the electronic invoice is not the one that was issued") }
        }
        if !invoice.callsSha256.isEmpty {
            let list = try InvoiceMaker.calls(of: invoice, in: views)
            if UInt64(list.entries.count) != invoice.calls {
                faults.append("\(list.entries.count) calls are in the log, and \(invoice.calls) were billed")
            } else if Data(Hash.sha256(list.csv)) != invoice.callsSha256 {
                remarks.append("the list of calls is not the one that was issued: somebody on it was erased")
            }
        }
        for rule in InvoiceRule.broken(by: invoice) { remarks.append("EN 16931 \(rule)") }
    }

    private mutating func checkLines<State: ViewQueries & ~Copyable>(
        _ invoice: InvoiceIssued, in views: borrowing State
    ) throws(InvoiceError) {
        guard let debt = invoice.debt else { throw .noInvoice }
        let tally = try onViews { () throws(ViewsError) in
            try InvoiceTally(
                of: debt.account, after: invoice.afterSequence, through: invoice.throughSequence, keepsCalls: false,
                language: invoice.language, rules: VATRules(of: invoice), in: views)
        }
        faults += try Self.faults(of: invoice, by: tally)
    }

    /// What of an invoice does not follow from the movements of its stretch of the account.
    package static func faults(of invoice: InvoiceIssued, by tally: InvoiceTally) throws(InvoiceError) -> [String] {
        var made = invoice
        try InvoiceMaker.fill(&made, from: tally, rate: invoice.taxes.first ?? InvoiceTax(), isPrepaid: invoice.prepaidMicros != 0)
        func text(_ micros: Int64) -> String { "\(Money.decimal(micros: micros)) \(invoice.currency)" }
        func line(_ line: InvoiceLine?) -> String {
            guard let line else { return "no such line" }
            let seconds = line.seconds > 0 ? " of \(line.seconds) s" : ""
            return "\(line.calls)\(seconds) for \(text(line.exactMicros)), \(text(line.amountMicros)) on paper"
        }
        var faults: [String] = []
        let names = invoice.lines.map { LineName($0) } + made.lines.map { LineName($0) }.filter { name in !invoice.lines.contains { LineName($0) == name } }
        for name in names {
            let (said, found) = (invoice.lines.first { LineName($0) == name }, made.lines.first { LineName($0) == name })
            guard said != found else { continue }
            faults.append("the movements in the log come to other lines: \"\(name.text)\" says \(line(said)), and they are \(line(found))")
        }
        if faults.isEmpty, made.lines != invoice.lines { faults.append("the movements in the log come to other lines: they are in another order") }
        if made.taxes != invoice.taxes {
            let sums = (invoice.taxes.map { text($0.taxMicros) }.joined(separator: " and "), made.taxes.map { text($0.taxMicros) }.joined(separator: " and "))
            faults.append("the VAT is \(sums.0) on the invoice, and its rates come to \(sums.1)")
        }
        let sums: [(String, KeyPath<InvoiceIssued, Int64>)] = [
            ("net sum", \.netMicros), ("VAT", \.taxMicros), ("total", \.totalMicros), ("part that was paid before", \.prepaidMicros), ("rounding", \.roundingMicros),
            ("opening balance", \.openingMicros), ("sum of the payments", \.paymentsMicros), ("closing balance", \.closingMicros),
        ]
        for (name, path) in sums where made[keyPath: path] != invoice[keyPath: path] {
            faults.append("the \(name) is \(text(invoice[keyPath: path])) on the invoice, and the movements come to \(text(made[keyPath: path]))")
        }
        return faults
    }

    /// What a line is found again by.
    private struct LineName: Equatable {
        let kind: InvoiceLineKind
        let text: String
        let category: String
        let basisPoints: UInt32

        init(_ line: InvoiceLine) { (kind, text, category, basisPoints) = (line.kind, line.description_p, line.vatCategory, line.vatBasisPoints) }
    }
}
