import Foundation
import Invoices
import Mail
import Model
import Primitives

/// A letter that cannot be written any more.
enum LetterError: Error, CustomStringConvertible {
    case gone(String)

    var description: String {
        switch self {
        case .gone(let what): what
        }
    }
}

extension LetterText {
    /// An invoice or a credit note: the file for people, and the one for programs where the rules that it has to keep are kept.
    mutating func tell(of invoice: InvoiceIssued, pdf: [UInt8]) {
        template = invoice.kind == .creditNote ? .creditNote : .invoice
        let words = InvoiceWords(language: language.tag)
        let calendar = BillingCalendar(timeZone: invoice.timeZone)
        func money(_ micros: Int64) -> String { words.amount(micros, invoice.currency, invoice.decimals) }
        let from = calendar.day(of: WallTime(microseconds: invoice.periodFrom))
        let to = calendar.day(of: WallTime(microseconds: max(invoice.periodFrom, invoice.periodTo - 1)))
        gaps = [
            "number": invoice.numberText, "seller": invoice.seller.name, "date": words.date(invoice.issuedOn), "due": words.date(invoice.dueOn),
            "period": "\(words.date(from))\u{2013}\(words.date(to))", "total": money(invoice.totalMicros),
            "payable": money(invoice.totalMicros - invoice.prepaidMicros), "credited": invoice.creditedNumber,
        ]
        attachments = [MailMessage.Attachment(name: invoice.numberText + ".pdf", mediaType: "application/pdf", bytes: pdf)]
        if invoice.decimals <= 2, InvoiceRule.broken(by: invoice).isEmpty {
            attachments.append(MailMessage.Attachment(name: invoice.numberText + ".xml", mediaType: "application/xml", bytes: ElectronicInvoice.xml(invoice)))
        }
    }

    mutating func tell(of alert: AlertRaised, _ customer: Customer) {
        template = alert.kind == .spend ? .spend : .lowBalance
        let words = InvoiceWords(language: language.tag)
        func money(_ amount: Amount) -> String {
            let decimals = Currency.decimals(of: amount.currency)
            return words.amount(InvoiceAmounts.rounded(amount.micros, decimals), amount.currency, decimals)
        }
        gaps = ["customer": customer.name, "value": money(alert.value), "threshold": money(alert.threshold), "month": alert.period]
    }
}
