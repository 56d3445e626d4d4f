package import Foundation
package import Model
package import Primitives
package import Projections

extension ViewQueries where Self: ~Copyable {
    /// nil: there is no such entity.
    package func place(of kind: EntityKind, _ id: UUIDv7) throws(ViewsError) -> Place? {
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
        case .securityGroup:
            try securityGroup(SecurityGroupID(id)).map { group throws(ViewsError) in try place(provider: group.providerID) }
        case .cdrExport:
            try cdrExport(CdrExportID(id)).map { export throws(ViewsError) in try place(of: export) }
        case .domain:
            try domain(DomainID(id)).map { domain throws(ViewsError) in try place(provider: domain.providerID) }
        case .user:
            try user(UserID(id)).map { user throws(ViewsError) in try place(of: user) }
        case .UNRECOGNIZED: nil
        }
    }

    package func place(of provider: Provider) throws(ViewsError) -> Place {
        var place = try place(provider: provider.parentID)
        if let id = ProviderID(provider.id) { place.providers.insert(id, at: 0) }
        return place
    }

    /// Of what belongs to a provider; an empty id is the platform.
    package func place(provider id: Data) throws(ViewsError) -> Place {
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
    package func place(of export: CdrExport) throws(ViewsError) -> Place {
        if let id = CustomerID(export.customerID), let customer = try customer(id) { return try place(of: customer) }
        return try place(provider: export.providerID)
    }

    package func place(of customer: Customer) throws(ViewsError) -> Place {
        var place = try place(provider: customer.providerID)
        place.customer = CustomerID(customer.id)
        return place
    }

    package func place(of tenant: Tenant) throws(ViewsError) -> Place {
        var place = Place()
        if let id = CustomerID(tenant.customerID), let customer = try customer(id) {
            place = try self.place(of: customer)
        }
        place.tenant = TenantID(tenant.id)
        return place
    }

    /// Where the node stands that the user is confined to.
    package func place(of user: User) throws(ViewsError) -> Place {
        guard let reach = try reach(scope: UUIDv7(bytes: user.scopeID)), let place = try place(of: reach) else { return Place() }
        return place
    }

    package func place(of subscriber: Subscriber) throws(ViewsError) -> Place {
        guard let id = TenantID(subscriber.tenantID), let tenant = try tenant(id) else { return Place() }
        var place = try place(of: tenant)
        place.subscriber = SubscriberID(subscriber.id)
        return place
    }

    /// A number is its provider's, and is seen by the customer and the tenant that have it or for whom it is reserved.
    package func place(of number: Number) throws(ViewsError) -> Place {
        if let id = SubscriberID(number.subscriberID), let subscriber = try subscriber(id) { return try place(of: subscriber) }
        if let id = TenantID(number.tenantID), let tenant = try tenant(id) { return try place(of: tenant) }
        if let id = CustomerID(number.customerID), let customer = try customer(id) { return try place(of: customer) }
        return try place(provider: number.providerID)
    }
}

extension ViewQueries where Self: ~Copyable {
    /// Where a node stands; nil: it is gone. Nothing stands above the platform.
    package func place(of reach: Reach) throws(ViewsError) -> Place? {
        switch reach {
        case .platform: Place()
        case .provider(let id): try place(of: .provider, id.value)
        case .customer(let id): try place(of: .customer, id.value)
        case .tenant(let id): try place(of: .tenant, id.value)
        case .subscriber(let id): try place(of: .subscriber, id.value)
        }
    }

    /// The node that a scope names; nil: it is gone, or is not a node.
    package func reach(scope id: UUIDv7?) throws(ViewsError) -> Reach? {
        guard let id else { return .platform }
        if try provider(ProviderID(id)) != nil { return .provider(ProviderID(id)) }
        if try customer(CustomerID(id)) != nil { return .customer(CustomerID(id)) }
        if try tenant(TenantID(id)) != nil { return .tenant(TenantID(id)) }
        if try subscriber(SubscriberID(id)) != nil { return .subscriber(SubscriberID(id)) }
        return nil
    }
}
