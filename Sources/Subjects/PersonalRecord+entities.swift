import Foundation
public import Model

extension Contact: PersonalRecord {
    public static var mark: UInt8 { 1 }

    public mutating func withdraw() -> (first: Contact, second: Contact) {
        var part = Contact()
        for field in [
            \Contact.name, \.company, \.email, \.phone, \.street, \.postalCode, \.city, \.vatNumber,
        ] { move(field, "", from: &self, to: &part) }
        return (part, Contact())
    }
}

/// A customer may be a person; the account and everything on it stay.
extension Customer: PersonalRecord {
    public static var mark: UInt8 { 2 }

    public mutating func withdraw() -> (first: Customer, second: Customer) {
        var part = Customer()
        for field in [\Customer.name, \.externalID, \.email] { move(field, "", from: &self, to: &part) }
        return (part, Customer())
    }
}

extension Subscriber: PersonalRecord {
    public static var mark: UInt8 { 3 }

    public mutating func withdraw() -> (first: Subscriber, second: Subscriber) {
        var part = Subscriber()
        for field in [\Subscriber.username, \.displayName, \.email, \.callerID, \.externalID] {
            move(field, "", from: &self, to: &part)
        }
        move(\.aliases, [], from: &self, to: &part)
        // Numbers of others, and addresses that somebody may live at.
        if hasForwards {
            part.forwards = forwards
            clearForwards()
        }
        if hasBlocks {
            part.blocks = blocks
            clearBlocks()
        }
        if hasTrunk {
            part.trunk = trunk
            clearTrunk()
        }
        move(\.sealedCredential, Data(), from: &self, to: &part)
        return (part, Subscriber())
    }
}

/// Who an invoice is for, as it stood on it. It belongs to the customer, whoever the contact was; of a provider, to its contact of then.
extension InvoiceIssued: PersonalRecord {
    public static var mark: UInt8 { 100 }

    public mutating func withdraw() -> (first: InvoiceIssued, second: InvoiceIssued) {
        var part = InvoiceIssued()
        if hasBuyer {
            for field in [
                \InvoiceIssued.buyer.name, \.buyer.company, \.buyer.street, \.buyer.postalCode, \.buyer.city,
                \.buyer.vatNumber, \.buyer.email, \.buyer.externalID,
            ] { move(field, "", from: &self, to: &part) }
        }
        return (part, InvoiceIssued())
    }
}
