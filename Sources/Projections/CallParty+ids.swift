import Foundation
import Model
import Primitives

/// Whom a call concerns: providers, customers, tenants, subscribers and carriers of both sides, each once, in a
/// fixed order.
func parties(_ caller: CallParty, _ called: CallParty) -> [UUIDv7] {
    var ids: [UUIDv7] = []
    for party in [caller, called] {
        for field in [party.providerID, party.customerID, party.tenantID, party.subscriberID, party.carrierID] {
            if let id = UUIDv7(field), !ids.contains(id) { ids.append(id) }
        }
    }
    return ids
}
