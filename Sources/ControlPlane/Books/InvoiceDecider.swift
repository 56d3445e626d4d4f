import Foundation
import Invoices
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Invoices are worked out beside, from a snapshot; here it is seen that each goes on exactly where the last one ended, has the next
/// number of its series, and adds up. So two that were worked out at once cannot both be issued.
enum InvoiceDecider {
    static let linesMax = 10_000

    static func issue<State: ViewQueries & ~Copyable>(
        _ draft: InvoiceIssued, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var invoice = draft
        let id = try Checks.existingID(invoice.id)
        guard try state.invoiceSequence(InvoiceID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        guard let debt = invoice.debt else { throw AdminRejection.invalid("customer_id", "an invoice is for a customer or a provider, in a currency") }
        guard let party = try Party(debt.debtor, in: state), let buyer = try Buyer(debt.debtor, in: state), party.seller == invoice.providerID,
            party.currencies.contains(debt.currency), let seller = ProviderID(seller: party.seller)
        else { throw AdminRejection.notFound(debt.debtor.noun, debt.debtor.id.description) }
        // Of a credit note they are those of its invoice.
        guard invoice.kind == .creditNote || invoice.buyerContactID == buyer.contactID else { throw stale("the provider's contact is another one") }
        try Checks.recognised(invoice.kind.isRecognised, field: "kind")
        let next = try state.nextInvoiceNumber(of: seller, invoice.kind)
        guard invoice.number == next else { throw stale("number \(next) is the next of the series") }
        try addUp(invoice)
        switch invoice.kind {
        case .invoice, .UNRECOGNIZED:
            let after = try state.invoiceHead(of: debt)?.throughSequence ?? 0
            try checkVAT(invoice, buyer, in: state)
            guard invoice.afterSequence == after else { throw stale("the last invoice ends at sequence \(after)") }
            guard invoice.throughSequence >= after, invoice.throughSequence <= state.applied else {
                throw AdminRejection.invalid("through_sequence", "must not be before the last invoice's cut nor behind the log's head")
            }
        case .creditNote:
            guard let creditedID = InvoiceID(invoice.creditedID), let balance = try state.invoiceBalance(creditedID) else {
                throw AdminRejection.unknownReference("invoice_id", UUIDv7(bytes: invoice.creditedID)?.description ?? "")
            }
            let (sum, overflow) = balance.creditedMicros.addingReportingOverflow(invoice.totalMicros)
            guard !overflow, invoice.totalMicros > 0, sum <= balance.totalMicros else {
                let rest = Money.decimal(micros: max(0, balance.totalMicros - balance.creditedMicros))
                throw AdminRejection.invalid("amount", "\(rest) \(invoice.currency) of the invoice are left to be credited")
            }
        }
        let postings = InvoiceMaker.postings(of: invoice, debt)
        if postings.isEmpty {
            invoice.journalID = Data()
        } else {
            guard try state.overflow(of: postings) == nil else { throw AdminRejection.invalid("amount", "the account cannot hold so much") }
            let journalID = decision.newID()
            invoice.journalID = Data(journalID.bytes)
            var journal = JournalPosted()
            journal.id = invoice.journalID
            journal.kind = invoice.kind == .creditNote ? .creditNote : .invoice
            journal.reason = invoice.numberText
            journal.postings = postings
            decision.record(.journalPosted(journal), in: journalID)
        }
        decision.record(.invoiceIssued(invoice), in: id)
        if try isMailed(buyer, in: state) { LetterDecider.tell(of: invoice, to: buyer, &decision) }
        return id
    }

    private static func isMailed<State: ViewQueries & ~Copyable>(_ buyer: Buyer, in state: borrowing State) throws -> Bool {
        switch buyer.invoiceMail {
        case .always: true
        case .never: false
        case .providers, .UNRECOGNIZED: try state.billing(ofSeller: buyer.seller)?.mailInvoices ?? false
        }
    }

    /// Once more, to the address that the buyer has now; whether it is mailed by itself does not matter.
    static func mail<State: ViewQueries & ~Copyable>(_ id: InvoiceID, in state: borrowing State, _ decision: inout Decision) throws -> UUIDv7 {
        guard let invoice = try state.invoice(id) else { throw AdminRejection.notFound("invoice", id.description) }
        guard let buyer = try invoice.debtor.flatMap({ try Buyer($0, in: state) }), !invoice.isErasedBuyer else {
            throw AdminRejection.inUse(reason: "whom the invoice was for is erased")
        }
        return LetterDecider.tell(of: invoice, to: buyer, &decision).value
    }

    /// Found out again from the records as they are now.
    private static func checkVAT<State: ViewQueries & ~Copyable>(_ invoice: InvoiceIssued, _ buyer: Buyer, in state: borrowing State) throws {
        let billing = try state.billing(ofSeller: buyer.seller) ?? Billing()
        let rules = VATRules(buyer.vatTreatment, seller: billing.seller, buyer: buyer.party, billing)
        guard VATRules(of: invoice) == rules else { throw stale("the VAT of the buyer is another one") }
        guard let rules else {
            guard invoice.taxes.allSatisfy({ $0.vatBasisPoints == buyer.vatBasisPoints }) else { throw stale("the buyer's rate of VAT is another one") }
            return
        }
        let taxes = rules.taxes
        guard invoice.lines.allSatisfy({ line in taxes.contains { $0.isAlike(invoice.tax(of: line)) } }) else {
            throw AdminRejection.invalid("lines", "bear other VAT than the provider's rates")
        }
    }

    /// The sums that EN 16931 asks for (BR-CO-10, 13, 14, 15), once more.
    private static func addUp(_ invoice: InvoiceIssued) throws {
        guard !invoice.lines.isEmpty, invoice.lines.count <= linesMax else {
            throw AdminRejection.invalid("lines", "an invoice has 1 to \(linesMax) lines")
        }
        let bound = Int128(JournalDecider.amountMicrosMax)
        let lines = invoice.lines.reduce(Int128(0)) { $0 + Int128($1.amountMicros) }
        let exact = invoice.lines.reduce(Int128(0)) { $0 + Int128($1.exactMicros) }
        let taxable = invoice.taxes.reduce(Int128(0)) { $0 + Int128($1.taxableMicros) }
        let tax = invoice.taxes.reduce(Int128(0)) { $0 + Int128($1.taxMicros) }
        guard lines == Int128(invoice.netMicros), taxable == lines, tax == Int128(invoice.taxMicros),
            lines + tax == Int128(invoice.totalMicros), lines - exact == Int128(invoice.roundingMicros), lines.magnitude <= bound.magnitude,
            tax.magnitude <= bound.magnitude
        else { throw AdminRejection.invalid("lines", "do not add up") }
    }

    /// Something was issued in between: work it out again.
    private static func stale(_ reason: String) -> AdminRejection {
        .inUse(reason: "another invoice came in between: " + reason)
    }

    static func printed<State: ViewQueries & ~Copyable>(
        _ print: InvoicePrinted, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(print.invoiceID)
        guard try state.invoiceSequence(InvoiceID(id)) != nil else { throw AdminRejection.notFound("invoice", id.description) }
        guard print.sha256.count == 32, print.format == "pdf" else { throw AdminRejection.invalid("format", "must be pdf with a hash") }
        if try state.invoicePrint(InvoiceID(id), print.format) == nil { decision.record(.invoicePrinted(print), in: id) }
        return id
    }
}
