package import Model
import Primitives

/// The invoice for programs: UBL 2.1 in the core of EN 16931 (CEN/TS 16931-3-2), the syntax that Peppol BIS Billing 3 uses too. BT and BG
/// numbers are those of the standard.
package enum ElectronicInvoice {
    /// BT-24: the core, without a user's own rules on top.
    package static let specification = "urn:cen.eu:en16931:2017"

    package static func xml(_ invoice: InvoiceIssued) -> [UInt8] {
        let isCredit = invoice.kind == .creditNote
        let root = isCredit ? "CreditNote" : "Invoice"
        var out = XMLText()
        out.begin(
            root,
            [
                "xmlns": "urn:oasis:names:specification:ubl:schema:xsd:\(root)-2",
                "xmlns:cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
                "xmlns:cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
            ])
        out.element("cbc:CustomizationID", specification)
        out.element("cbc:ID", invoice.numberText)  // BT-1
        out.element("cbc:IssueDate", invoice.issuedOn)  // BT-2
        if !isCredit { out.element("cbc:DueDate", invoice.dueOn) }  // BT-9
        out.element(isCredit ? "cbc:CreditNoteTypeCode" : "cbc:InvoiceTypeCode", isCredit ? "381" : "380")  // BT-3
        out.element(ifAny: "cbc:Note", [invoice.reason, invoice.note].filter { !$0.isEmpty }.joined(separator: " "))  // BT-22
        out.element("cbc:DocumentCurrencyCode", invoice.currency)  // BT-5
        period(invoice, &out)
        if isCredit {
            out.begin("cac:BillingReference")  // BG-3
            out.begin("cac:InvoiceDocumentReference")
            out.element("cbc:ID", invoice.creditedNumber)
            out.element("cbc:IssueDate", invoice.creditedOn)
            out.end()
            out.end()
        }
        seller(invoice, &out)
        buyer(invoice, &out)
        payment(invoice, &out)
        taxes(invoice, &out)
        totals(invoice, &out)
        for (index, line) in invoice.lines.enumerated() { self.line(line, number: index + 1, invoice, &out) }
        out.end()
        return Array(out.text.utf8)
    }

    /// BG-14: both days belong to it.
    private static func period(_ invoice: InvoiceIssued, _ out: inout XMLText) {
        let calendar = BillingCalendar(timeZone: invoice.timeZone)
        out.begin("cac:InvoicePeriod")
        out.element("cbc:StartDate", calendar.day(of: WallTime(microseconds: invoice.periodFrom)))
        out.element("cbc:EndDate", calendar.day(of: WallTime(microseconds: max(invoice.periodFrom, invoice.periodTo - 1))))
        out.end()
    }

    /// BG-4
    private static func seller(_ invoice: InvoiceIssued, _ out: inout XMLText) {
        let seller = invoice.seller
        out.begin("cac:AccountingSupplierParty")
        out.begin("cac:Party")
        if !seller.email.isEmpty { out.element("cbc:EndpointID", seller.email, ["schemeID": "EM"]) }  // BT-34
        address(seller.street, seller.postalCode, seller.city, seller.country, &out)
        if !invoice.isOutsideOfVAT { vat(seller.vatNumber, &out) }  // BT-31
        out.begin("cac:PartyLegalEntity")
        out.element("cbc:RegistrationName", seller.name)  // BT-27
        out.element(ifAny: "cbc:CompanyID", seller.registration)  // BT-30
        out.end()
        if !seller.email.isEmpty || !seller.phone.isEmpty {
            out.begin("cac:Contact")
            out.element(ifAny: "cbc:Telephone", seller.phone)
            out.element(ifAny: "cbc:ElectronicMail", seller.email)
            out.end()
        }
        out.end()
        out.end()
    }

    /// BG-7
    private static func buyer(_ invoice: InvoiceIssued, _ out: inout XMLText) {
        let buyer = invoice.buyer
        let erased = InvoiceWords(language: invoice.language)["erased"]
        out.begin("cac:AccountingCustomerParty")
        out.begin("cac:Party")
        if !buyer.email.isEmpty { out.element("cbc:EndpointID", buyer.email, ["schemeID": "EM"]) }  // BT-49
        address(buyer.street, buyer.postalCode, buyer.city, buyer.country, &out)
        if !invoice.isOutsideOfVAT { vat(buyer.vatNumber, &out) }  // BT-48
        out.begin("cac:PartyLegalEntity")
        let name = buyer.company.isEmpty ? buyer.name : buyer.company
        out.element("cbc:RegistrationName", invoice.isErasedBuyer ? erased : name)  // BT-44
        out.end()
        if !buyer.company.isEmpty, !buyer.name.isEmpty {
            out.begin("cac:Contact")
            out.element("cbc:Name", buyer.name)  // BT-56
            out.end()
        }
        out.end()
        out.end()
    }

    private static func address(_ street: String, _ code: String, _ city: String, _ country: String, _ out: inout XMLText) {
        out.begin("cac:PostalAddress")
        out.element(ifAny: "cbc:StreetName", street)
        out.element(ifAny: "cbc:CityName", city)
        out.element(ifAny: "cbc:PostalZone", code)
        if !country.isEmpty {
            out.begin("cac:Country")
            out.element("cbc:IdentificationCode", country)
            out.end()
        }
        out.end()
    }

    private static func vat(_ number: String, _ out: inout XMLText) {
        guard !number.isEmpty else { return }
        out.begin("cac:PartyTaxScheme")
        out.element("cbc:CompanyID", number)
        scheme(&out)
        out.end()
    }

    private static func scheme(_ out: inout XMLText) {
        out.begin("cac:TaxScheme")
        out.element("cbc:ID", "VAT")
        out.end()
    }

    /// BG-16: a transfer to the seller's account, or money that was paid in before (UNCL 4461).
    private static func payment(_ invoice: InvoiceIssued, _ out: inout XMLText) {
        let isCredit = invoice.kind == .creditNote
        if !isCredit, invoice.totalMicros > invoice.prepaidMicros, !invoice.seller.iban.isEmpty {
            out.begin("cac:PaymentMeans")
            out.element("cbc:PaymentMeansCode", "30")  // BT-81: credit transfer
            out.element("cbc:PaymentID", invoice.numberText)  // BT-83
            out.begin("cac:PayeeFinancialAccount")
            out.element("cbc:ID", invoice.seller.iban)  // BT-84
            out.element("cbc:Name", invoice.seller.name)
            if !invoice.seller.bic.isEmpty {
                out.begin("cac:FinancialInstitutionBranch")
                out.element("cbc:ID", invoice.seller.bic)  // BT-86
                out.end()
            }
            out.end()
            out.end()
        }
        if !invoice.paymentTerms.isEmpty || isCredit {
            out.begin("cac:PaymentTerms")
            // A credit note has no due date: what is done with it is said here (BR-CO-25).
            out.element("cbc:Note", isCredit ? "Credited to the account." : invoice.paymentTerms)  // BT-20
            out.end()
        }
    }

    /// BG-23
    private static func taxes(_ invoice: InvoiceIssued, _ out: inout XMLText) {
        out.begin("cac:TaxTotal")
        amount("cbc:TaxAmount", invoice.taxMicros, invoice, &out)
        for tax in invoice.taxes {
            out.begin("cac:TaxSubtotal")
            amount("cbc:TaxableAmount", tax.taxableMicros, invoice, &out)
            amount("cbc:TaxAmount", tax.taxMicros, invoice, &out)
            category("cac:TaxCategory", tax, exemption: invoice.exemption(tax.category), &out)
            out.end()
        }
        out.end()
    }

    private static func category(_ name: String, _ tax: InvoiceTax, exemption: (code: String, reason: String)?, _ out: inout XMLText) {
        out.begin(name)
        out.element("cbc:ID", tax.category)
        if tax.category != "O" { out.element("cbc:Percent", InvoiceAmounts.percent(tax.vatBasisPoints)) }  // BT-119, BT-152
        out.element(ifAny: "cbc:TaxExemptionReasonCode", exemption?.code ?? "")  // BT-121
        out.element(ifAny: "cbc:TaxExemptionReason", exemption?.reason ?? "")  // BT-120
        scheme(&out)
        out.end()
    }

    /// BG-22
    private static func totals(_ invoice: InvoiceIssued, _ out: inout XMLText) {
        out.begin("cac:LegalMonetaryTotal")
        amount("cbc:LineExtensionAmount", invoice.netMicros, invoice, &out)
        amount("cbc:TaxExclusiveAmount", invoice.netMicros, invoice, &out)
        amount("cbc:TaxInclusiveAmount", invoice.totalMicros, invoice, &out)
        if invoice.prepaidMicros != 0 { amount("cbc:PrepaidAmount", invoice.prepaidMicros, invoice, &out) }
        amount("cbc:PayableAmount", invoice.totalMicros - invoice.prepaidMicros, invoice, &out)
        out.end()
    }

    /// BG-25: one of what the line says, at the line's amount; less than nothing is minus one, because no price is negative (BR-27).
    private static func line(_ line: InvoiceLine, number: Int, _ invoice: InvoiceIssued, _ out: inout XMLText) {
        let isCredit = invoice.kind == .creditNote
        out.begin(isCredit ? "cac:CreditNoteLine" : "cac:InvoiceLine")
        out.element("cbc:ID", String(number))
        if line.kind == .usage { out.element("cbc:Note", "\(line.calls) calls, \(line.seconds) s") }
        out.element(isCredit ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity", line.amountMicros < 0 ? "-1" : "1", ["unitCode": "C62"])
        amount("cbc:LineExtensionAmount", line.amountMicros, invoice, &out)
        out.begin("cac:Item")
        out.element("cbc:Name", line.description_p.isEmpty ? InvoiceWords(language: invoice.language)["fees"] : line.description_p)
        category("cac:ClassifiedTaxCategory", invoice.tax(of: line), exemption: nil, &out)
        out.end()
        out.begin("cac:Price")
        amount("cbc:PriceAmount", abs(line.amountMicros), invoice, &out)
        out.end()
        out.end()
    }

    private static func amount(_ name: String, _ micros: Int64, _ invoice: InvoiceIssued, _ out: inout XMLText) {
        out.element(name, InvoiceAmounts.plain(micros, invoice.decimals), ["currencyID": invoice.currency])
    }
}
