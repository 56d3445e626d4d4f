import Foundation
import Model
import Primitives
import Projections

extension ViewQueries where Self: ~Copyable {
    /// nil: there is no such entity.
    func place(of kind: EntityKind, _ id: UUIDv7) throws(ViewsError) -> Place? {
        switch kind {
        case .provider: try provider(ProviderID(id)).map { provider throws(ViewsError) in try place(of: provider) }
        case .contact:
            try contact(ContactID(id)).map { contact throws(ViewsError) in try place(provider: contact.providerID) }
        case .rateDeck:
            try rateDeck(RateDeckID(id)).map { deck throws(ViewsError) in try place(provider: deck.providerID) }
        case .servicePlan:
            try servicePlan(ServicePlanID(id)).map { plan throws(ViewsError) in try place(provider: plan.providerID) }
        case .customer: try customer(CustomerID(id)).map { customer throws(ViewsError) in try place(of: customer) }
        case .dialPlan:
            try dialPlan(DialPlanID(id)).map { plan throws(ViewsError) in try place(provider: plan.providerID) }
        case .tenant: try tenant(TenantID(id)).map { tenant throws(ViewsError) in try place(of: tenant) }
        case .carrier:
            try carrier(CarrierID(id)).map { carrier throws(ViewsError) in try place(provider: carrier.providerID) }
        case .number: try number(NumberID(id)).map { number throws(ViewsError) in try place(of: number) }
        case .subscriber:
            try subscriber(SubscriberID(id)).map { subscriber throws(ViewsError) in try place(of: subscriber) }
        case .cdrExport:
            try cdrExport(CdrExportID(id)).map { export throws(ViewsError) in try place(of: export) }
        case .UNRECOGNIZED: nil
        }
    }

    func place(of provider: Provider) throws(ViewsError) -> Place {
        var place = try place(provider: provider.parentID)
        if let id = ProviderID(provider.id) { place.providers.insert(id, at: 0) }
        return place
    }

    /// Of what belongs to a provider; an empty id is the platform.
    func place(provider id: Data) throws(ViewsError) -> Place {
        var place = Place()
        var next = ProviderID(id)
        // The tree has no loops; the bound keeps a broken one from being walked for ever.
        while let id = next, place.providers.count < 64 {
            place.providers.append(id)
            next = try provider(id).flatMap { ProviderID($0.parentID) }
        }
        return place
    }

    /// A customer sees the exports of its own records, and nobody else below the provider does.
    func place(of export: CdrExport) throws(ViewsError) -> Place {
        if let id = CustomerID(export.customerID), let customer = try customer(id) { return try place(of: customer) }
        return try place(provider: export.providerID)
    }

    func place(of customer: Customer) throws(ViewsError) -> Place {
        var place = try place(provider: customer.providerID)
        place.customer = CustomerID(customer.id)
        return place
    }

    func place(of tenant: Tenant) throws(ViewsError) -> Place {
        var place = Place()
        if let id = CustomerID(tenant.customerID), let customer = try customer(id) {
            place = try self.place(of: customer)
        }
        place.tenant = TenantID(tenant.id)
        return place
    }

    func place(of subscriber: Subscriber) throws(ViewsError) -> Place {
        guard let id = TenantID(subscriber.tenantID), let tenant = try tenant(id) else { return Place() }
        return try place(of: tenant)
    }

    /// A number is its provider's, and is seen by the customer and the tenant whose subscriber has it.
    func place(of number: Number) throws(ViewsError) -> Place {
        guard let id = SubscriberID(number.subscriberID), let subscriber = try subscriber(id) else {
            return try place(provider: number.providerID)
        }
        return try place(of: subscriber)
    }
}

extension ViewQueries where Self: ~Copyable {
    /// The node that a scope names; nil: it is gone, or is not a node.
    func reach(scope id: UUIDv7?) throws(ViewsError) -> Reach? {
        guard let id else { return .platform }
        if try provider(ProviderID(id)) != nil { return .provider(ProviderID(id)) }
        if try customer(CustomerID(id)) != nil { return .customer(CustomerID(id)) }
        if try tenant(TenantID(id)) != nil { return .tenant(TenantID(id)) }
        return nil
    }

    /// Entities of the provider that a customer or tenant below it may see because it lives by them: its contact, its
    /// plan, the deck that it is charged by, its dial plans.
    func related(_ kind: EntityKind, to reach: Reach) throws(ViewsError) -> [UUIDv7] {
        switch reach {
        case .platform, .provider: return []
        case .customer(let id):
            guard let customer = try customer(id) else { return [] }
            let plan = try plan(of: customer)
            switch kind {
            case .contact: return ids([customer.contactID])
            case .servicePlan: return ids([customer.servicePlanID])
            case .rateDeck: return ids([plan?.rateDeckID ?? Data()])
            case .dialPlan:
                let tenants = try tenants(of: id, limit: 1_000)
                return ids([plan?.dialPlanID ?? Data()] + tenants.map(\.dialPlanID))
            case .provider, .customer, .tenant, .carrier, .number, .subscriber, .cdrExport, .UNRECOGNIZED: return []
            }
        case .tenant(let id):
            guard kind == .dialPlan, let tenant = try tenant(id) else { return [] }
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
