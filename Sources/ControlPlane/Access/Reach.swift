package import Model

/// The part of the tree that a token sees and acts in: what hangs below one node of it.
package enum Reach: Hashable, Sendable {
    case platform
    case provider(ProviderID)
    case customer(CustomerID)
    case tenant(TenantID)
    case subscriber(SubscriberID)

    package var level: Level {
        switch self {
        case .platform: .platform
        case .provider: .provider
        case .customer: .customer
        case .tenant: .tenant
        case .subscriber: .subscriber
        }
    }

    package func holds(_ place: Place) -> Bool {
        switch self {
        case .platform: true
        case .provider(let id): place.providers.contains(id)
        case .customer(let id): place.customer == id
        case .tenant(let id): place.tenant == id
        case .subscriber(let id): place.subscriber == id
        }
    }
}

/// Where in the tree an entity stands.
package struct Place: Equatable, Sendable {
    /// Its provider first, then those above it; empty: it belongs to the platform itself.
    package var providers: [ProviderID] = []
    package var customer: CustomerID?
    package var tenant: TenantID?
    package var subscriber: SubscriberID?

    package init() {}
}
