import ControlPlane
import Foundation
import Model
import Primitives
import Projections

extension ViewQueries where Self: ~Copyable {
    /// Entities of the provider that a customer or tenant below it may see because it lives by them: its contact, its
    /// plan, the deck that it is charged by, its dial plans and security groups.
    func related(_ kind: EntityKind, to reach: Reach) throws(ViewsError) -> [UUIDv7] {
        switch reach {
        case .platform, .provider: return []
        case .customer(let id):
            guard let customer = try customer(id) else { return [] }
            let plan = try plan(of: customer)
            switch kind {
            case .contact: return ids([customer.contactID])
            case .servicePlan: return ids([customer.servicePlanID])
            case .rateDeck: return ids([plan?.rateDeckID ?? Data(), plan?.inboundRateDeckID ?? Data(), plan?.onNetRateDeckID ?? Data()])
            case .dialPlan:
                let tenants = try tenants(of: id, limit: 1_000)
                return ids([plan?.dialPlanID ?? Data()] + tenants.map(\.dialPlanID))
            case .securityGroup:
                let tenants = try tenants(of: id, limit: 1_000)
                return ids([plan?.securityGroupID ?? Data()] + tenants.map(\.securityGroupID))
            case .provider, .customer, .tenant, .carrier, .number, .subscriber, .cdrExport, .domain, .user, .UNRECOGNIZED: return []
            }
        case .subscriber: return []
        case .tenant(let id):
            guard let tenant = try tenant(id) else { return [] }
            if kind == .securityGroup {
                if !tenant.securityGroupID.isEmpty { return ids([tenant.securityGroupID]) }
                guard let customerID = CustomerID(tenant.customerID), let customer = try customer(customerID) else {
                    return []
                }
                return ids([try plan(of: customer)?.securityGroupID ?? Data()])
            }
            guard kind == .dialPlan else { return [] }
            if !tenant.dialPlanID.isEmpty { return ids([tenant.dialPlanID]) }
            guard let customerID = CustomerID(tenant.customerID), let customer = try customer(customerID) else {
                return []
            }
            return ids([try plan(of: customer)?.dialPlanID ?? Data()])
        }
    }

    private func plan(of customer: Customer) throws(ViewsError) -> ServicePlan? {
        guard let id = ServicePlanID(customer.servicePlanID) else { return nil }
        return try servicePlan(id)
    }

    private func ids(_ fields: [Data]) -> [UUIDv7] { Set(fields.compactMap { UUIDv7(bytes: $0) }).sorted() }

    /// Whether a token of this reach may know that the entity is there.
    func sees(_ reach: Reach, _ kind: EntityKind, _ id: UUIDv7) throws(ViewsError) -> Bool {
        guard let place = try place(of: kind, id) else { return false }
        if reach.holds(place) { return true }
        return try related(kind, to: reach).contains(id)
    }
}
