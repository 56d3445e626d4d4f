import ControlPlane
import Model
import Primitives
import Projections

enum Tenants: ChangeableResource {
    static let kind = EntityKind.tenant
    static let noun = "tenant"
    static let segment = "tenants"
    static let rights = ResourceRights(write: .writeTenants)
    static let shape = Shape<Tenant>.tenant
    static let keys = [
        QueryParameter("domain", .text, "Only the one with this SIP domain."),
        QueryParameter("external_id", .text, "Only those with this number in another system."),
    ]

    static func levels(below node: EntityKind) -> [EntityKind]? {
        switch node {
        case .provider: [.customer, .tenant]
        case .customer: [.tenant]
        case .contact, .rateDeck, .servicePlan, .dialPlan, .tenant, .carrier, .number, .subscriber, .securityGroup, .cdrExport, .domain, .user, .UNRECOGNIZED: nil
        }
    }

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> Tenant? {
        try views.tenant(TenantID(id))
    }

    static func lookUp(_ query: Query, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Tenant]? {
        if let number = query.text("external_id") { return try found(number, in: views) }
        guard let domain = query.text("domain") else { return nil }
        return try views.tenant(domain: domain.lowercased()).map { [$0] } ?? []
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Tenant] {
        try views.tenants(after: id.map(TenantID.init), limit: limit)
    }

    static func id(of tenant: Tenant) -> UUIDv7? { UUIDv7(bytes: tenant.id) }

    static func place(of tenant: Tenant, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(of: tenant)
    }

    static func references(of tenant: Tenant, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [
            Reference("customer_id", .customer, UUIDv7(bytes: tenant.customerID)),
            Reference("dial_plan_id", .dialPlan, UUIDv7(bytes: tenant.dialPlanID)),
            Reference("security_group_id", .securityGroup, UUIDv7(bytes: tenant.securityGroupID)),
            Reference("carrier_id", .carrier, UUIDv7(bytes: tenant.carrierID)),
        ]
    }

    /// A tenant that its provider has locked is not unlocked by its customer.
    static func guarded(_ before: Tenant, _ after: Tenant, from caller: Caller) -> String? {
        before.status != after.status && !caller.holds(.writeParties) ? "status" : nil
    }

    static func create(_ tenant: Tenant) -> AdminCommand { .createTenant(tenant) }

    static func change(_ tenant: Tenant, expectedVersion: UInt64?) -> AdminCommand {
        .changeTenant(tenant, expectedVersion: expectedVersion)
    }
}
