package import Model
import Foundation
import OpenSSL
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
        guard let customer = CustomerID(invoice.customerID), let currency = Currency(invoice.currency) else { throw .noInvoice }
        let words = InvoiceWords(language: invoice.language)
        let tally = try onViews { () throws(ViewsError) in
            try InvoiceTally(
                of: .customer(customer, currency), after: invoice.afterSequence, through: invoice.throughSequence, keepsCalls: false,
                words: words, in: views)
        }
        let lines = tally.lines(words, decimals: invoice.decimals)
        if lines != invoice.lines { faults.append("the movements in the log come to other lines") }
        if tally.closing - invoice.roundingMicros - invoice.taxMicros != invoice.closingMicros { faults.append("the account stood at something else") }
    }
}
