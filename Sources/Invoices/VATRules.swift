import Foundation
package import Model

/// Which VAT stands on which line of an invoice: by who buys, and by what is sold. It follows from the provider's billing, the seller and the
/// buyer alone, so whoever has these finds the same.
package struct VATRules: Sendable, Equatable {
    /// How it was found out, once: never `byCountry`.
    package let treatment: VATTreatment
    /// Whose rates are taken; empty: nobody's.
    package let country: String
    private let rates: [VATRate]
    private let items: [VATItem]

    /// What the provider's tables say, once it was found out.
    package init(_ treatment: VATTreatment, country: String, _ billing: Billing) {
        self.treatment = treatment
        self.country = country
        rates = billing.vatRates.filter { treatment == .domestic && Self.country($0.country) == Self.country(country) }
        items = treatment == .domestic ? billing.vatItems : []
    }

    /// As an invoice says that they were; nil: its lines bear none of their own.
    package init?(of invoice: InvoiceIssued) {
        guard invoice.hasTaxedLines else { return nil }
        (treatment, country, rates, items) = (invoice.vatTreatment, invoice.vatCountry, invoice.vatRates, invoice.vatItems)
    }

    package func write(to invoice: inout InvoiceIssued) {
        (invoice.vatTreatment, invoice.vatCountry, invoice.vatRates, invoice.vatItems) = (treatment, country, rates, items)
    }

    /// Finds it out.
    ///
    /// - Returns: nil: the customer pays a rate of its own on everything.
    package init?(_ wanted: VATTreatment, seller: SellerParty, buyer: BuyerParty, _ billing: Billing) {
        switch wanted {
        case .ownRate, .UNRECOGNIZED: return nil
        case .reverseCharge, .exempt, .zero, .export, .outsideScope: self.init(wanted, country: "", billing)
        case .domestic: self.init(.domestic, country: seller.country, billing)
        case .byCountry:
            let (here, there) = (Self.country(seller.country), Self.country(buyer.country))
            let isAcross = !there.isEmpty && there != here
            let isListed = billing.vatRates.contains { Self.country($0.country) == there }
            if isAcross, VATNumber.isOfUnion(here), VATNumber.isOfUnion(there) {
                // A business of another country of the Union accounts for it itself; anybody else pays what is paid where it is, or, below
                // the threshold of the one-stop shop, what is paid here.
                if !buyer.vatNumber.isEmpty, VATNumber.fault(buyer.vatNumber, country: there) == nil {
                    self.init(.reverseCharge, country: "", billing)
                } else {
                    self.init(.domestic, country: isListed ? there : here, billing)
                }
            } else if isAcross, !isListed {
                self.init(.export, country: "", billing)
            } else {
                self.init(.domestic, country: isAcross ? there : here, billing)
            }
        }
    }

    /// The category (UNCL 5305) and the rate of a movement, as a line's.
    ///
    /// - Parameter name: what the line is called; a fee's begins with its plan's name.
    package func tax(on kind: JournalKind, named name: String) -> InvoiceTax {
        switch treatment {
        case .reverseCharge: return Self.tax("AE", 0)
        case .exempt: return Self.tax("E", 0)
        case .zero: return Self.tax("Z", 0)
        case .export: return Self.tax("G", 0)
        case .outsideScope: return Self.tax("O", 0)
        case .domestic, .byCountry, .ownRate, .UNRECOGNIZED: break
        }
        let item = Self.item(kind)
        switch items.first(where: { $0.kind == item && ($0.name.isEmpty || $0.name == name || name.hasPrefix($0.name + ", ")) })?.class ?? .standard {
        case .zero: return Self.tax("Z", 0)
        case .exempt: return Self.tax("E", 0)
        case .reduced: return rated(.reduced)
        case .standard, .UNRECOGNIZED: return rated(.standard)
        }
    }

    /// What lines may bear by these rules.
    package var taxes: [InvoiceTax] {
        let kinds: [JournalKind] = [.call, .fee, .package, .adjustment]
        return kinds.flatMap { kind in [tax(on: kind, named: "")] + items.filter { $0.kind == Self.item(kind) }.map { tax(on: kind, named: $0.name) } }
    }

    /// The country whose rate is not in the table, so that nothing can be billed by it; nil: all is there.
    package var missing: String? {
        treatment == .domestic && !rates.contains { $0.class == .standard } ? country : nil
    }

    private func rated(_ wanted: VATClass) -> InvoiceTax {
        func rate(_ of: VATClass) -> UInt32? { rates.first { $0.class == of }?.basisPoints }
        // Many countries have no reduced rate: what is sold at one elsewhere is sold at the standard one there.
        let basisPoints = rate(wanted) ?? rate(.standard) ?? 0
        return Self.tax(basisPoints > 0 ? "S" : "Z", basisPoints)
    }

    private static func tax(_ category: String, _ basisPoints: UInt32) -> InvoiceTax {
        var tax = InvoiceTax()
        (tax.category, tax.vatBasisPoints) = (category, basisPoints)
        return tax
    }

    private static func item(_ kind: JournalKind) -> VATItemKind {
        switch kind {
        case .call, .rerating: .calls
        case .fee: .fees
        case .package: .packages
        case .adjustment, .topUp, .voucher, .payment, .invoice, .creditNote, .UNRECOGNIZED: .adjustments
        }
    }

    /// Greece is GR to ISO and EL to those who collect its VAT.
    private static func country(_ code: String) -> String { code == "EL" ? "GR" : code }
}

extension InvoiceTax {
    /// Whether both are the same part of a breakdown (BG-23), whatever their sums.
    package func isAlike(_ other: InvoiceTax) -> Bool { category == other.category && vatBasisPoints == other.vatBasisPoints }
}

extension InvoiceIssued {
    /// Whether each line bears a VAT of its own.
    package var hasTaxedLines: Bool { layout >= 2 }

    /// Nothing on it is subject to VAT (BR-O-11), so whoever reads it must not find VAT numbers or rates (BR-O-02, 05).
    package var isOutsideOfVAT: Bool { taxes.contains { $0.category == "O" } }

    /// The VAT of a line.
    package func tax(of line: InvoiceLine) -> InvoiceTax {
        guard hasTaxedLines else { return taxes.first ?? InvoiceTax() }
        return taxes.first { $0.category == line.vatCategory && $0.vatBasisPoints == line.vatBasisPoints } ?? line.tax
    }

    /// Why nothing is paid in the category (BT-120); the code is of CEF's list VATEX (BT-121).
    package func exemption(_ category: String) -> (code: String, reason: String)? {
        let words = InvoiceWords(language: language)
        switch category {
        case "E": return ("", exemptionReason)
        case "AE": return ("VATEX-EU-AE", words["vat_ae"])
        case "G": return ("VATEX-EU-G", words["vat_g"])
        case "O": return ("VATEX-EU-O", words["vat_o"])
        default: return nil
        }
    }
}

extension InvoiceLine {
    var tax: InvoiceTax {
        var tax = InvoiceTax()
        (tax.category, tax.vatBasisPoints) = (vatCategory, vatBasisPoints)
        return tax
    }
}
