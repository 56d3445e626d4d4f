import Foundation
import Invoices
import Model
import OpenSSL
import Primitives

// What an invoice says, laid beside what its events come to.
extension InvoiceFacts {
    private func money(_ micros: Int64) -> String { CallExplanation.amount(micros, issued.currency) }

    /// Number, VAT, sums and the money that the document itself moved: of invoices and credit notes alike.
    func checkDocument(_ verdict: inout Verdict) throws(Contradiction) {
        guard let debt = issued.debt else { throw Contradiction("the document names nobody that it is for") }
        let name = "document \(issued.numberText)"
        guard issued.number > 0 else { throw Contradiction("\(name) has no number") }
        if issued.number > 1 {
            guard let predecessor else { throw Contradiction("number \(issued.number - 1) of the series, before \(name), is left out") }
            verdict.proven.append("\(name) has number \(issued.number) of its series, and number \(issued.number - 1) was issued before it (event \(predecessor.sequence))")
        } else {
            verdict.proven.append("\(name) is the first of its series")
        }
        var made = issued
        do throws(InvoiceError) {
            try InvoiceMaker.sum(&made, rate: issued.taxes.first ?? InvoiceTax())
        } catch {
            throw Contradiction("the sums of \(name) cannot be computed: \(error)")
        }
        guard made == issued else {
            throw Contradiction(
                "\(name) says \(money(issued.netMicros)) and \(money(issued.taxMicros)) VAT, \(money(issued.totalMicros)) in all, and its lines come to "
                    + "\(money(made.netMicros)) and \(money(made.taxMicros)) VAT, \(money(made.totalMicros)) in all")
        }
        let postings = InvoiceMaker.postings(of: issued, debt)
        guard journal?.postings ?? [] == postings else {
            throw Contradiction("the money that \(name) moved is not its VAT and rounding, or the movement is left out")
        }
        try checkRate(&verdict)
        for (sequence, note) in notes where note.id != issued.id {
            guard (try? InvoiceFacts.summed(note)) == note else { throw Contradiction("the sums of credit note \(note.numberText) (event \(sequence)) are not those of its lines") }
        }
    }

    private static func summed(_ note: InvoiceIssued) throws(InvoiceError) -> InvoiceIssued {
        var made = note
        try InvoiceMaker.sum(&made, rate: note.taxes.first ?? InvoiceTax())
        return made
    }

    private func checkRate(_ verdict: inout Verdict) throws(Contradiction) {
        guard issued.kind == .invoice, let tax = issued.taxes.first else { return }
        guard !issued.hasTaxedLines else { return try checkRules(&verdict) }
        guard let terms else {
            verdict.notProven.append("that \(InvoiceAmounts.percent(tax.vatBasisPoints)) % is the buyer's rate of VAT: its record is not in the pack")
            return
        }
        guard terms.vatBasisPoints == tax.vatBasisPoints, terms.fits(issued) else {
            throw Contradiction(
                "\(terms.record) (event \(terms.sequence)) says \(InvoiceAmounts.percent(terms.vatBasisPoints)) % VAT\(terms.currency.map { " in " + $0 } ?? ""), and the invoice "
                    + "\(InvoiceAmounts.percent(tax.vatBasisPoints)) % in \(issued.currency)")
        }
        verdict.proven.append(
            "VAT: \(InvoiceAmounts.percent(tax.vatBasisPoints)) % of \(money(tax.taxableMicros)) are \(money(tax.taxMicros)), by the rate that \(terms.record) held (event \(terms.sequence))")
    }

    /// Where lines bear VAT of their own: it is that of the provider's tables, by what the customer's record says.
    private func checkRules(_ verdict: inout Verdict) throws(Contradiction) {
        let rules = VATRules(of: issued)
        guard let terms, let billing else {
            verdict.notProven.append("that the rates of VAT are those that were set: the buyer's record or the seller's rates are not in the pack")
            return
        }
        guard terms.fits(issued) else {
            throw Contradiction("\(terms.record) (event \(terms.sequence)) is of another seller or currency")
        }
        guard terms.vatTreatment == .byCountry || VATRules(terms.vatTreatment, seller: billing.billing.seller, buyer: BuyerParty(), billing.billing) == rules
        else {
            throw Contradiction(
                "\(terms.record) (event \(terms.sequence)) says \(terms.vatTreatment.literal), and the invoice's VAT is not what that is by the provider's rates (event \(billing.sequence))")
        }
        guard VATRules(issued.vatTreatment, country: issued.vatCountry, billing.billing) == rules else {
            throw Contradiction("the rates of VAT on the invoice are not those that the provider had set (event \(billing.sequence))")
        }
        for tax in issued.taxes {
            verdict.proven.append(
                "VAT \(tax.category): \(InvoiceAmounts.percent(tax.vatBasisPoints)) % of \(money(tax.taxableMicros)) are \(money(tax.taxMicros)), by the rates that were set (event \(billing.sequence))")
        }
    }

    /// By whom it is for: only the page says that, and its hash is in the log.
    private func checkTreatment(_ buyer: BuyerParty?, _ verdict: inout Verdict) throws(Contradiction) {
        guard issued.kind == .invoice, let terms, let billing, terms.vatTreatment == .byCountry else { return }
        let found = issued.vatTreatment == .domestic ? "the rates of \(issued.vatCountry)" : issued.vatTreatment.literal
        guard let buyer else {
            verdict.notProven.append("that \(found) follows from where the buyer is and from its VAT number: who it is is not proven")
            return
        }
        guard VATRules(.byCountry, seller: billing.billing.seller, buyer: buyer, billing.billing) == VATRules(of: issued) else {
            throw Contradiction("the buyer's country and VAT number lead to another VAT than \(found)")
        }
        verdict.proven.append("VAT: \(found), because the seller is in \(issued.seller.country) and the buyer in \(buyer.country)\(buyer.vatNumber.isEmpty ? "" : " with a VAT number")")
    }

    // MARK: - an invoice

    func checkInvoice(_ verdict: inout Verdict) throws(Contradiction) {
        let faults: [String]
        do throws(InvoiceError) {
            faults = try InvoiceCheck.faults(of: issued, by: tally)
        } catch {
            throw Contradiction("the invoice cannot be computed: \(error)")
        }
        if let fault = faults.first { throw Contradiction(fault) }
        let calls = rows.filter { $0.kind == .call }
        for line in issued.lines {
            let seconds = line.seconds > 0 ? ", \(line.seconds) s," : ""
            verdict.proven.append(
                "\(line.description_p): \(line.calls) \(line.calls == 1 ? "movement" : "movements")\(seconds) of \(money(line.exactMicros)) together, \(money(line.amountMicros)) on paper")
        }
        if !calls.isEmpty {
            verdict.proven.append("each of the \(calls.count) charges of calls is what the price in the call's record and its duration come to, and was moved once")
        }
        if let before {
            guard before.invoice.debt == issued.debt else { throw Contradiction("the invoice before is to somebody else") }
            verdict.proven.append(
                "the invoice goes on where \(before.invoice.numberText) ended, at event \(issued.afterSequence): no charge is on both, and the account stood at \(money(issued.openingMicros))")
        } else {
            verdict.proven.append("the account began with nothing, and no invoice was before: it stood at \(money(issued.openingMicros))")
        }
        verdict.proven.append(
            "\(money(issued.openingMicros)) before, \(money(issued.paymentsMicros)) paid in or given back, \(money(issued.totalMicros)) for this invoice: \(money(issued.closingMicros)) after; "
                + "a movement that was left out or put in would be missing in this sum")
        try checkNotes(of: issued, &verdict)
    }

    private func checkNotes(of invoice: InvoiceIssued, _ verdict: inout Verdict) throws(Contradiction) {
        let sum = notes.reduce(Int128(0)) { $0 + Int128($1.note.totalMicros) }
        guard notes.allSatisfy({ $0.note.totalMicros > 0 && $0.note.creditedNumber == invoice.numberText }), sum <= Int128(max(0, invoice.totalMicros)) else {
            throw Contradiction("the credit notes come to more than invoice \(invoice.numberText), or name another number")
        }
        guard !notes.isEmpty else { return }
        let names = notes.map(\.note.numberText).joined(separator: ", ")
        verdict.proven.append("credit notes to invoice \(invoice.numberText): \(names), \(money(Int64(sum))) together, no more than it")
    }

    // MARK: - a credit note

    func checkCreditNote(_ verdict: inout Verdict) throws(Contradiction) {
        guard let invoice = credited?.invoice, let place = credited?.sequence else { throw Contradiction("the invoice that is credited is left out") }
        guard rows.isEmpty else { throw Contradiction("a credit note has no movements but its own") }
        guard invoice.numberText == issued.creditedNumber, place < sequence else { throw Contradiction("the credit note names another invoice") }
        guard issued.prepaidMicros == 0, issued.paymentsMicros == 0 else { throw Contradiction("the credit note says that something was paid before") }
        try checkRates(with: invoice)
        guard let after = Int64(exactly: Int128(issued.openingMicros) + Int128(issued.totalMicros)), after == issued.closingMicros else {
            throw Contradiction("the account after the credit note is not what it was before and what is given back")
        }
        verdict.proven.append("\(money(issued.totalMicros)) of invoice \(invoice.numberText) (event \(place)) are given back, \(money(issued.taxMicros)) of it VAT: \(issued.reason)")
        try checkNotes(of: invoice, &verdict)
    }

    private func checkRates(with invoice: InvoiceIssued) throws(Contradiction) {
        let other = Contradiction("the credit note has another rate of VAT than its invoice")
        guard issued.hasTaxedLines || invoice.hasTaxedLines else {
            guard issued.taxes.map(\.vatBasisPoints) == invoice.taxes.map(\.vatBasisPoints) else { throw other }
            return
        }
        guard VATRules(of: issued) == VATRules(of: invoice) else { throw other }
        for tax in issued.taxes {
            guard let whole = invoice.taxes.first(where: { $0.isAlike(tax) }) else { throw other }
            let given = notes.reduce(Int128(0)) { sum, note in note.note.taxes.reduce(sum) { $1.isAlike(tax) ? $0 + Int128($1.taxableMicros) : $0 } }
            guard given <= Int128(max(0, whole.taxableMicros)) else {
                throw Contradiction("the credit notes give back more of what bears \(InvoiceAmounts.percent(tax.vatBasisPoints)) % VAT (\(tax.category)) than the invoice has")
            }
        }
    }

    // MARK: - what was printed

    /// The event holds hashes of what was sent to the customer: what is stated can be seen to be the same.
    func checkPrint(_ buyer: InvoicePack.Buyer?, _ verdict: inout Verdict) throws(Contradiction) {
        let numbers = "the numbers of the calls"
        if issued.kind == .invoice, rows.contains(where: { $0.kind == .call }) {
            if issued.callsSha256.isEmpty {
                verdict.notProven.append("\(numbers): the operator states and signs them")
            } else if Data(Hash.sha256(tally.callList(of: issued).csv)) == issued.callsSha256 {
                verdict.proven.append("\(numbers), times and amounts are those of the list that was issued with the invoice: its hash is in the log")
            } else {
                verdict.notProven.append("\(numbers): they are not those of the list that was issued with the invoice, because somebody on it was erased, or the operator states others")
            }
        }
        guard let buyer else {
            try checkTreatment(nil, &verdict)
            return verdict.notProven.append("whom the invoice was for: the buyer was erased")
        }
        let page: String
        if issued.templateHash.isEmpty {
            page = InvoicePage.builtIn(issued)
        } else if let template, Data(Hash.sha256(Array(template.html.utf8))) == issued.templateHash {
            page = template.html
        } else {
            try checkTreatment(nil, &verdict)
            return verdict.notProven.append("the buyer, and the page: the template is not in the pack")
        }
        if Data(Hash.sha256(InvoicePage.html(buyer.filled(issued), page))) == issued.htmlSha256 {
            verdict.proven.append("the page that was issued, with its buyer, is the one that this follows from: its hash is in the log")
            try checkTreatment(buyer.filled(issued).buyer, &verdict)
        } else {
            try checkTreatment(nil, &verdict)
            verdict.notProven.append("the buyer: with it the page is not the one that was issued, because it was erased, or the operator states another")
        }
    }

    func sayNotProven(_ verdict: inout Verdict) {
        if issued.kind == .invoice {
            verdict.notProven.append("that nothing else happened that should have been charged or paid in, and was never recorded")
            verdict.notProven.append("that the prices in the records of the calls were agreed before: the pack of each call shows that (ledgerline dispute --cdr)")
            if issued.afterSequence == 0 { verdict.notProven.append("that the buyer had no earlier invoice: none is named") }
        }
        verdict.notProven.append("that there are no other credit notes than the \(notes.count) in the pack")
        verdict.notProven.append("that durations are true: they are what the operator's machines reported, recorded when it says, and not changed since")
        verdict.notProven.append("that others are shown the same log: compare the checkpoint with one from a witness")
    }
}
