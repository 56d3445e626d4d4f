import Foundation
import Ledger
import Model

/// By what terms a debtor buys, as its record in the log said.
struct DebtorTerms: Sendable {
    let sequence: UInt64
    /// nil: the record has no id.
    let debtor: Debtor?
    /// `the customer's record`
    let record: String
    /// A provider's id; empty: the platform.
    let seller: Data
    /// nil: whichever its seller charges it in.
    let currency: String?
    let vatTreatment: VATTreatment
    let vatBasisPoints: UInt32

    init(_ customer: Customer, _ envelope: Envelope) {
        sequence = envelope.sequence
        debtor = CustomerID(customer.id).map { .customer($0) }
        record = "the customer's record"
        (seller, currency) = (customer.providerID, customer.currency)
        (vatTreatment, vatBasisPoints) = (customer.vatTreatment, customer.vatBasisPoints)
    }

    init(_ provider: Provider, _ envelope: Envelope) {
        sequence = envelope.sequence
        debtor = ProviderID(provider.id).map { .provider($0) }
        record = "the provider's record"
        (seller, currency) = (provider.parentID, nil)
        (vatTreatment, vatBasisPoints) = (provider.vatTreatment, provider.vatBasisPoints)
    }

    /// Whether it is what the invoice says of seller and currency.
    func fits(_ invoice: InvoiceIssued) -> Bool { seller == invoice.providerID && currency.map { $0 == invoice.currency } ?? true }
}
