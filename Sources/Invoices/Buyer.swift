package import Foundation
package import Model
package import Projections

/// Whom an invoice is for, and by what terms it buys: a customer of a provider, or a provider of the one above it.
package struct Buyer: Sendable {
    /// As it stands on the invoice.
    package let party: BuyerParty
    /// A provider's id; empty: the platform.
    package let seller: Data
    /// nil: it owes in any in which it was charged.
    package let currency: String?
    package let vatTreatment: VATTreatment
    package let vatBasisPoints: UInt32
    package let invoiceMail: MailChoice
    /// Empty: the seller's.
    package let language: String
    package let isPrepaid: Bool
    /// Of a provider, the person whose name and address `party` has.
    package let contactID: Data

    /// nil: there is no such debtor.
    package init?<State: ViewQueries & ~Copyable>(_ debtor: Debtor, in views: borrowing State) throws(ViewsError) {
        func contact(_ id: Data) throws(ViewsError) -> Contact? { try ContactID(id).flatMap { id throws(ViewsError) in try views.contact(id) } }
        switch debtor {
        case .customer(let id):
            guard let customer = try views.customer(id) else { return nil }
            let contact = try contact(customer.contactID)
            let plan = try ServicePlanID(customer.servicePlanID).flatMap { id throws(ViewsError) in try views.servicePlan(id) }
            party = BuyerParty(customer, contact)
            (seller, currency) = (customer.providerID, customer.currency)
            (vatTreatment, vatBasisPoints, invoiceMail) = (customer.vatTreatment, customer.vatBasisPoints, customer.invoiceMail)
            language = customer.language.isEmpty ? contact?.language ?? "" : customer.language
            isPrepaid = plan?.paymentMode == .prepaid
            contactID = Data()
        case .provider(let id):
            guard let provider = try views.provider(id) else { return nil }
            let contact = try contact(provider.contactID)
            party = BuyerParty(provider, contact)
            (seller, currency) = (provider.parentID, nil)
            (vatTreatment, vatBasisPoints, invoiceMail) = (provider.vatTreatment, provider.vatBasisPoints, provider.invoiceMail)
            language = provider.language.isEmpty ? contact?.language ?? "" : provider.language
            isPrepaid = false
            contactID = contact?.id ?? Data()
        }
    }
}

extension BuyerParty {
    /// Who stands on a customer's invoice.
    package init(_ customer: Customer, _ contact: Contact?) {
        self.init(contact, name: customer.name, externalID: customer.externalID)
        if !customer.email.isEmpty { email = customer.email }
    }

    /// Who stands on what the one above a provider bills.
    package init(_ provider: Provider, _ contact: Contact?) { self.init(contact, name: provider.name, externalID: provider.externalID) }

    private init(_ contact: Contact?, name: String, externalID: String) {
        self.init()
        self.name = contact?.name ?? ""
        company = contact?.company ?? ""
        if self.name.isEmpty, company.isEmpty { self.name = name }
        street = contact?.street ?? ""
        postalCode = contact?.postalCode ?? ""
        city = contact?.city ?? ""
        country = contact?.country ?? ""
        vatNumber = contact?.vatNumber ?? ""
        email = contact?.email ?? ""
        self.externalID = externalID
    }
}
