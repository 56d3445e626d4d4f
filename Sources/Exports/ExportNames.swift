package import Foundation
package import Model
internal import Primitives
package import Projections

/// What a layout says of parties beyond their ids. Learned from the views before the records are formatted.
package struct ExportNames: Sendable {
    package var providers: [Data: Provider] = [:]
    package var customers: [Data: Customer] = [:]
    package var tenants: [Data: Tenant] = [:]
    package var subscribers: [Data: Subscriber] = [:]
    package var carriers: [Data: Carrier] = [:]
    package var decks: [Data: RateDeck] = [:]
    /// Numbers of ours, by E.164.
    package var numbers: [String: Number] = [:]
    private var asked: Set<Data> = []
    private var askedNumbers: Set<String> = []

    package init() {}

    package mutating func learn(_ cdr: Cdr, in views: borrowing ViewSnapshot) throws(ViewsError) {
        try learn(cdr.caller, in: views)
        try learn(cdr.called, in: views)
        for charge in cdr.charges {
            if charge.payee.kind == .carrierPayable { try learn(carrier: charge.payee.ownerID, in: views) }
            if let id = RateDeckID(charge.deckID), asked.insert(charge.deckID).inserted {
                decks[charge.deckID] = try views.rateDeck(id)
            }
        }
    }

    private mutating func learn(_ party: CallParty, in views: borrowing ViewSnapshot) throws(ViewsError) {
        if let id = ProviderID(party.providerID), asked.insert(party.providerID).inserted {
            providers[party.providerID] = try views.provider(id)
        }
        if let id = CustomerID(party.customerID), asked.insert(party.customerID).inserted {
            customers[party.customerID] = try views.customer(id)
        }
        if let id = TenantID(party.tenantID), asked.insert(party.tenantID).inserted {
            tenants[party.tenantID] = try views.tenant(id)
        }
        if let id = SubscriberID(party.subscriberID), asked.insert(party.subscriberID).inserted {
            subscribers[party.subscriberID] = try views.subscriber(id)
        }
        try learn(carrier: party.carrierID, in: views)
        if party.number.hasPrefix("+"), !party.subscriberID.isEmpty, askedNumbers.insert(party.number).inserted {
            numbers[party.number] = try views.number(e164: party.number)
        }
    }

    private mutating func learn(carrier id: Data, in views: borrowing ViewSnapshot) throws(ViewsError) {
        if let carrier = CarrierID(id), asked.insert(id).inserted { carriers[id] = try views.carrier(carrier) }
    }
}
