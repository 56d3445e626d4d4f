package import Model

extension InvoiceMaker {
    /// What the account is moved by when the document is issued: an invoice adds VAT and rounding to what its calls and fees have moved
    /// already, a credit note gives back all of what it says.
    ///
    /// Between a customer and its provider there is one account. Between two providers the debtor's charges stand in its own books, and
    /// the document is what brings the debt into the seller's: its revenue, the VAT that it owes, and what is to come (decision 0075).
    package static func postings(of invoice: InvoiceIssued, _ debt: Debt) -> [Posting] {
        let isCredit = invoice.kind == .creditNote
        let seller = invoice.providerID
        let currency = debt.currency
        // What is billed beyond what was moved before, and its VAT.
        let net = isCredit ? -invoice.netMicros : invoice.roundingMicros
        let tax = isCredit ? -invoice.taxMicros : invoice.taxMicros
        let postings: [Posting]
        switch debt.debtor {
        case .customer(let id):
            postings = [
                Posting(.customer(id, currency), micros: -(net + tax)), Posting(.revenue(of: seller, currency), micros: net),
                Posting(.tax(of: seller, currency), micros: tax),
            ]
        case .provider(let id):
            let sign: Int64 = isCredit ? -1 : 1
            postings = [
                Posting(.providerPayable(id, currency), micros: net + tax), Posting(.providerCost(id, currency), micros: -net),
                Posting(.tax(of: id.data, currency), micros: -tax), Posting(.providerReceivable(id, currency), micros: -sign * invoice.totalMicros),
                Posting(.revenue(of: seller, currency), micros: sign * invoice.netMicros), Posting(.tax(of: seller, currency), micros: tax),
            ]
        }
        return postings.filter { $0.amountMicros != 0 }
    }
}
