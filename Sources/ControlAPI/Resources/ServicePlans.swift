import ControlPlane
import Foundation
import Model
import Primitives
import Projections

enum ServicePlans: ChangeableResource {
    static let kind = EntityKind.servicePlan
    static let noun = "service plan"
    static let segment = "service-plans"
    static let rights = ResourceRights(read: .readPrices, write: .writePrices)
    static let shape = Shape<ServicePlan>.servicePlan

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> ServicePlan? {
        try views.servicePlan(ServicePlanID(id))
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [ServicePlan]
    {
        try views.servicePlans(after: id.map(ServicePlanID.init), limit: limit)
    }

    static func id(of plan: ServicePlan) -> UUIDv7? { UUIDv7(bytes: plan.id) }

    static func place(of plan: ServicePlan, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: plan.providerID)
    }

    static func currency(of plan: ServicePlan, in views: borrowing ViewSnapshot) throws(ViewsError) -> Currency? {
        try plan.providerID.isEmpty ? Currency(plan.currency) : views.currency(provider: plan.providerID)
    }

    static func references(of plan: ServicePlan, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [
            Reference("provider_id", .provider, UUIDv7(bytes: plan.providerID)),
            Reference("rate_deck_id", .rateDeck, UUIDv7(bytes: plan.rateDeckID)),
            Reference("dial_plan_id", .dialPlan, UUIDv7(bytes: plan.dialPlanID)),
            Reference("security_group_id", .securityGroup, UUIDv7(bytes: plan.securityGroupID)),
            Reference("carrier_id", .carrier, UUIDv7(bytes: plan.carrierID)),
            Reference("inbound_rate_deck_id", .rateDeck, UUIDv7(bytes: plan.inboundRateDeckID)),
            Reference("on_net_rate_deck_id", .rateDeck, UUIDv7(bytes: plan.onNetRateDeckID)),
        ]
    }

    static func create(_ plan: ServicePlan) -> AdminCommand { .createServicePlan(plan) }

    static func change(_ plan: ServicePlan, expectedVersion: UInt64?) -> AdminCommand {
        .changeServicePlan(plan, expectedVersion: expectedVersion)
    }
}

extension ViewQueries where Self: ~Copyable {
    func currency(provider id: Data) throws(ViewsError) -> Currency? {
        guard let id = ProviderID(id), let provider = try provider(id) else { return nil }
        return Currency(provider.currency)
    }
}
