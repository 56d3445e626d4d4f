import ControlPlane
import Model
import Primitives
import Projections

enum Customers: ChangeableResource {
    static let kind = EntityKind.customer
    static let noun = "customer"
    static let segment = "customers"
    static let rights = ResourceRights(write: .writeParties)
    static let shape = Shape<Customer>.customer
    static let keys = [QueryParameter("external_id", .text, "Only those with this number in another system.")]

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Customer? {
        try views.customer(CustomerID(id))
    }

    static func lookUp(_ query: Query, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Customer]? {
        guard let number = query.text("external_id") else { return nil }
        return try found(number, in: views)
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Customer] {
        try views.customers(after: id.map(CustomerID.init), limit: limit)
    }

    static func id(of customer: Customer) -> UUIDv7? { UUIDv7(bytes: customer.id) }

    static func place(of customer: Customer, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(of: customer)
    }

    /// The provider's; of one that is still to be made, it is not known.
    static func currency(of customer: Customer, in views: borrowing ViewSnapshot) throws(ViewsError) -> Currency? {
        if let currency = Currency(customer.currency) { return currency }
        guard let id = ProviderID(customer.providerID) else { return nil }
        return try views.provider(id).flatMap { Currency($0.currency) }
    }

    static func references(of customer: Customer, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [
            Reference("provider_id", .provider, UUIDv7(bytes: customer.providerID)),
            Reference("contact_id", .contact, UUIDv7(bytes: customer.contactID)),
            Reference("service_plan_id", .servicePlan, UUIDv7(bytes: customer.servicePlanID)),
        ]
    }

    static func create(_ customer: Customer) -> AdminCommand { .createCustomer(customer) }

    static func change(_ customer: Customer, expectedVersion: UInt64?) -> AdminCommand {
        .changeCustomer(customer, expectedVersion: expectedVersion)
    }
}
