package import Model

/// A rule of EN 16931 that an invoice breaks: its number in the standard, and what is missing.
package struct InvoiceRule: Equatable, Sendable, CustomStringConvertible {
    package let id: String
    package let reason: String

    package var description: String { "\(id): \(reason)" }
}

extension InvoiceRule {
    /// The rules of the core that an invoice of ours can break. Those on the form (BR-1 to BR-5, lengths, order) hold by how it is written;
    /// tests ask the schemas of OASIS. `docs/invoices.md` says which there are.
    package static func broken(by invoice: InvoiceIssued) -> [InvoiceRule] {
        var broken: [InvoiceRule] = []
        func rule(_ id: String, _ holds: Bool, _ reason: String) {
            if !holds { broken.append(InvoiceRule(id: id, reason: reason)) }
        }
        let (seller, buyer) = (invoice.seller, invoice.buyer)
        rule("BR-02", !invoice.numberText.isEmpty, "the invoice has no number")
        rule("BR-03", !invoice.issuedOn.isEmpty, "the invoice has no date of issue")
        rule("BR-05", invoice.currency.utf8.count == 3, "the invoice has no currency")
        rule("BR-06", !seller.name.isEmpty, "the seller has no name: set seller/name of the provider's billing")
        rule("BR-07", !buyer.name.isEmpty || !buyer.company.isEmpty || invoice.isErasedBuyer, "the buyer has no name")
        rule("BR-09", !seller.country.isEmpty, "the seller has no country: set seller/country of the provider's billing")
        rule("BR-11", !buyer.country.isEmpty, "the buyer has no country: give the customer a contact with one")
        rule("BR-16", !invoice.lines.isEmpty, "the invoice has no lines")
        let lines = invoice.lines.reduce(Int128(0)) { $0 + Int128($1.amountMicros) }
        rule("BR-CO-10", lines == Int128(invoice.netMicros), "the lines do not come to the net sum")
        let tax = invoice.taxes.reduce(Int128(0)) { $0 + Int128($1.taxMicros) }
        rule("BR-CO-14", tax == Int128(invoice.taxMicros), "the VAT of the rates does not come to the VAT of the invoice")
        rule("BR-CO-15", Int128(invoice.netMicros) + Int128(invoice.taxMicros) == Int128(invoice.totalMicros), "net and VAT do not come to the total")
        for entry in invoice.taxes {
            let wanted = InvoiceAmounts.tax(on: entry.taxableMicros, basisPoints: entry.vatBasisPoints, invoice.decimals)
            rule("BR-CO-17", wanted == entry.taxMicros, "the VAT is not the rate's part of what it is on")
        }
        rule("BR-CO-18", !invoice.taxes.isEmpty, "there is no breakdown of VAT")
        rule("BR-DEC", invoice.decimals <= 2, "an amount has more than two decimals")
        let payable = invoice.totalMicros - invoice.prepaidMicros
        rule("BR-CO-25", payable <= 0 || !invoice.dueOn.isEmpty || !invoice.paymentTerms.isEmpty, "there is neither a due date nor terms of payment")
        rule(
            "BR-CO-26", !invoice.isOutsideOfVAT && !seller.vatNumber.isEmpty || !seller.registration.isEmpty,
            invoice.isOutsideOfVAT
                ? "no VAT number stands where nothing is subject to VAT, so nothing recognises the seller: set seller/registration of the provider's billing"
                : "the seller can be recognised by nothing: set seller/vat_number or seller/registration of the provider's billing")
        for (id, number) in [("BR-CO-09 seller", seller.vatNumber), ("BR-CO-09 buyer", buyer.vatNumber)] where !number.isEmpty {
            rule(id, number.utf8.prefix(2).allSatisfy { (0x41...0x5A).contains($0) }, "the VAT number has no country before it")
        }
        for category in ["S", "Z", "E", "AE", "G"] where invoice.taxes.contains(where: { $0.category == category }) {
            rule("BR-\(category)-02", !seller.vatNumber.isEmpty, "VAT is accounted for and the seller has no VAT number: set seller/vat_number of the provider's billing")
        }
        for entry in invoice.taxes {
            rule("BR-S-05", entry.category != "S" || entry.vatBasisPoints > 0, "standard VAT is more than nothing")
            rule("BR-Z-05", entry.category != "Z" || entry.vatBasisPoints == 0, "a rate of zero is zero")
            rule("BR-E-05", entry.category != "E" || entry.vatBasisPoints == 0, "what is exempt has no rate")
            rule("BR-AE-05", entry.category != "AE" || entry.vatBasisPoints == 0, "where the buyer accounts for VAT there is no rate")
            rule("BR-G-05", entry.category != "G" || entry.vatBasisPoints == 0, "an export has no rate")
            rule("BR-O-05", entry.category != "O" || entry.vatBasisPoints == 0, "what is not subject to VAT has no rate")
            rule("BR-O-11", entry.category != "O" || invoice.taxes.count == 1, "what is not subject to VAT stands on an invoice of its own")
            rule("BR-E-10", entry.category != "E" || !invoice.exemptionReason.isEmpty, "nothing says why there is no VAT")
        }
        let isReversed = invoice.taxes.contains { $0.category == "AE" }
        rule("BR-AE-02", !isReversed || !buyer.vatNumber.isEmpty || invoice.isErasedBuyer, "the buyer accounts for VAT and has no VAT number: set vat_number of the customer's contact")
        for line in invoice.lines where invoice.hasTaxedLines {
            rule("BR-CO-04", invoice.taxes.contains { $0.isAlike(invoice.tax(of: line)) }, "a line has a category of VAT that is not in the breakdown")
        }
        if invoice.kind == .creditNote { rule("BR-55", !invoice.creditedNumber.isEmpty, "the credit note names no invoice") }
        return broken
    }
}
