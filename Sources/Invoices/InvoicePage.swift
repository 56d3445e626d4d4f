import Foundation
package import Model
import OpenSSL
import Primitives
package import Projections

/// The page of an invoice: a template filled with what the event says, and with nothing else. The same event and the same template make
/// the same bytes, on any machine and in any year.
package enum InvoicePage {
    /// That the invoice names by its hash, or the built-in one of its layout.
    package static func template<State: ViewQueries & ~Copyable>(
        of invoice: InvoiceIssued, in views: borrowing State
    ) throws(InvoiceError) -> String {
        guard !invoice.templateHash.isEmpty else { return builtIn(invoice) }
        let found = try onViews { () throws(ViewsError) in try views.invoiceTemplate(hash: invoice.templateHash) }
        guard let found else { throw .refused("the template \(hex(Array(invoice.templateHash))) is not in the log") }
        return found.html
    }

    /// Of the invoice's layout.
    package static func builtIn(_ invoice: InvoiceIssued) -> String { invoice.hasTaxedLines ? builtInWithTaxedLines : builtIn }

    /// A template that cannot be read was refused when it was published; of one that still comes, its text is the page.
    package static func html(_ invoice: InvoiceIssued, _ template: String) -> [UInt8] {
        guard let parsed = try? Template(template) else { return Array(template.utf8) }
        return Array(parsed.filled(with: values(of: invoice)).utf8)
    }

    package static func values(of invoice: InvoiceIssued) -> [String: Template.Value] {
        let words = InvoiceWords(language: invoice.language)
        let isCredit = invoice.kind == .creditNote
        let calendar = BillingCalendar(timeZone: invoice.timeZone)
        func money(_ micros: Int64) -> Template.Value { .text(words.amount(micros, invoice.currency, invoice.decimals)) }
        func account(_ micros: Int64) -> Template.Value { .text(words.amount(InvoiceAmounts.rounded(micros, invoice.decimals), invoice.currency, invoice.decimals)) }
        var values: [String: Template.Value] = [:]
        for (key, word) in words.all { values["word." + key] = .text(word) }
        values["language"] = .text(words.language)
        values["title"] = .text(words[isCredit ? "credit_note" : "invoice"])
        values["number"] = .text(invoice.numberText)
        values["issued_on"] = .text(words.date(invoice.issuedOn))
        values["due_on"] = .text(isCredit ? "" : words.date(invoice.dueOn))
        values["period_from"] = .text(words.date(calendar.day(of: WallTime(microseconds: invoice.periodFrom))))
        // The last day of it.
        values["period_to"] = .text(words.date(calendar.day(of: WallTime(microseconds: max(invoice.periodFrom, invoice.periodTo - 1)))))
        values["customer_number"] = .text(invoice.buyer.externalID)
        values["currency"] = .text(invoice.currency)
        values["credited_number"] = .text(invoice.creditedNumber)
        values["credited_on"] = .text(invoice.creditedOn.isEmpty ? "" : words.date(invoice.creditedOn))
        values["reason"] = .text(invoice.reason)
        values["note"] = .text(invoice.note)
        values["payment_terms"] = .text(isCredit ? "" : invoice.paymentTerms)
        values["exemption_reason"] = .text(invoice.exemptionReason)
        values["sequence"] = .text(String(invoice.throughSequence))
        values["net"] = money(invoice.netMicros)
        values["total"] = money(invoice.totalMicros)
        values["prepaid"] = invoice.prepaidMicros == 0 ? .text("") : money(-invoice.prepaidMicros)
        values["payable"] = money(invoice.totalMicros - invoice.prepaidMicros)
        values["taxes"] = .list(
            invoice.taxes.map { tax in
                [
                    "rate": .text(words.percent(tax.vatBasisPoints)), "taxable": money(tax.taxableMicros), "tax": money(tax.taxMicros),
                    "category": .text(tax.category), "name": .text(words.vat(tax)), "reason": .text(invoice.exemption(tax.category)?.reason ?? ""),
                ]
            })
        // Of layout 1 the reason stands below the sums; of layout 2 beside what is exempt.
        values["reasons"] = .list(
            invoice.taxes.compactMap { tax in
                guard let reason = invoice.exemption(tax.category)?.reason, !reason.isEmpty else { return nil }
                return ["category": .text(tax.category), "reason": .text(reason)]
            })
        // Shown to whoever has an account that is paid in and used up.
        if !isCredit {
            values["account"] = .list([
                [
                    "opening": account(invoice.openingMicros), "payments": account(invoice.paymentsMicros),
                    "charges": account(-invoice.totalMicros), "closing": account(invoice.closingMicros),
                ]
            ])
        }
        seller(invoice.seller, &values)
        buyer(invoice, words, &values)
        if !isCredit, invoice.totalMicros > invoice.prepaidMicros, !invoice.seller.iban.isEmpty { values["bank"] = .list([[:]]) }
        values["sections"] = .list(sections(invoice, words))
        return values
    }

    private static func sections(_ invoice: InvoiceIssued, _ words: InvoiceWords) -> [[String: Template.Value]] {
        let kinds: [(InvoiceLineKind, String)] = [(.item, "fees"), (.usage, "usage"), (.correction, "corrections")]
        return kinds.compactMap { kind, word -> [String: Template.Value]? in
            let lines = invoice.lines.filter { $0.kind == kind }
            guard !lines.isEmpty else { return nil }
            let sum = lines.reduce(Int64(0)) { $0 + $1.amountMicros }
            return [
                "name": .text(words[word]), "sum": .text(words.amount(sum, invoice.currency, invoice.decimals)),
                "lines": .list(
                    lines.map { line in
                        [
                            "description": .text(line.description_p), "quantity": .text(String(line.calls)),
                            "duration": .text(line.seconds > 0 ? words.duration(line.seconds) : ""),
                            "amount": .text(words.amount(line.amountMicros, invoice.currency, invoice.decimals)),
                            "vat": .text(words.vat(invoice.tax(of: line))),
                        ]
                    }),
            ]
        }
    }

    private static func seller(_ seller: SellerParty, _ values: inout [String: Template.Value]) {
        let fields: [(String, String)] = [
            ("name", seller.name), ("street", seller.street), ("postal_code", seller.postalCode), ("city", seller.city), ("country", seller.country),
            ("vat_number", seller.vatNumber), ("registration", seller.registration), ("email", seller.email), ("phone", seller.phone),
            ("iban", grouped(seller.iban)), ("bic", seller.bic), ("bank", seller.bank),
            ("place", [seller.postalCode, seller.city].filter { !$0.isEmpty }.joined(separator: " ")),
        ]
        for (name, text) in fields { values["seller." + name] = .text(text) }
    }

    private static func buyer(_ invoice: InvoiceIssued, _ words: InvoiceWords, _ values: inout [String: Template.Value]) {
        let buyer = invoice.buyer
        let place = [buyer.postalCode, buyer.city].filter { !$0.isEmpty }.joined(separator: " ")
        // The person was erased: what the page said of it nobody can read any more.
        let isErased = invoice.isErasedBuyer
        let lines = isErased ? [words["erased"]] : [buyer.company, buyer.name, buyer.street, place, buyer.country].filter { !$0.isEmpty }
        values["buyer"] = .list(lines.map { ["line": .text($0)] })
        values["buyer.vat_number"] = .text(buyer.vatNumber)
    }

    /// An IBAN in groups of four.
    private static func grouped(_ text: String) -> String {
        var result = ""
        for (index, letter) in text.enumerated() {
            if index > 0, index % 4 == 0 { result += "\u{A0}" }
            result.append(letter)
        }
        return result
    }
}

extension InvoiceIssued {
    /// What the invoice said of its buyer was forgotten: it was sealed, and its key is gone.
    package var isErasedBuyer: Bool { !sealed.isEmpty }
}
