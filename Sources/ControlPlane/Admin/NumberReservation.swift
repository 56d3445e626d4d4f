package import Model
package import Primitives

/// For whom a number is kept, and until when.
package struct NumberReservation: Equatable, Sendable {
    /// nil: for nobody that is named yet; the provider alone can assign it.
    package var customer: CustomerID?
    /// Of the customer, if it is for one of its tenants.
    package var tenant: TenantID?
    /// nil: until somebody ends it.
    package var until: WallTime?

    package init(customer: CustomerID? = nil, tenant: TenantID? = nil, until: WallTime? = nil) {
        self.customer = customer
        self.tenant = tenant
        self.until = until
    }
}

/// What happens to a number that is released.
package enum NumberRelease: Equatable, Sendable {
    /// What the provider has set for all of its numbers.
    case asProviderSays
    /// Given to nobody for so many days; 0: at once to be had.
    case quarantined(days: UInt32)
}
