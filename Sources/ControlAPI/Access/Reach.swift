import Model
import Primitives

/// The part of the tree that a token sees and acts in: what hangs below one node of it.
enum Reach: Hashable, Sendable {
    case platform
    case provider(ProviderID)
    case customer(CustomerID)
    case tenant(TenantID)

    func holds(_ place: Place) -> Bool {
        switch self {
        case .platform: true
        case .provider(let id): place.providers.contains(id)
        case .customer(let id): place.customer == id
        case .tenant(let id): place.tenant == id
        }
    }
}

/// Where in the tree an entity stands.
struct Place: Equatable, Sendable {
    /// Its provider first, then those above it; empty: it belongs to the platform itself.
    var providers: [ProviderID] = []
    var customer: CustomerID?
    var tenant: TenantID?
}
