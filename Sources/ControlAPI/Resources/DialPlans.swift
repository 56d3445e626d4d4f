import ControlPlane
import Model
import Primitives
import Projections

enum DialPlans: ChangeableResource {
    static let kind = EntityKind.dialPlan
    static let noun = "dial plan"
    static let segment = "dial-plans"
    static let rights = ResourceRights(write: .writeNetwork)
    static let shape = Shape<DialPlan>.dialPlan

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> DialPlan? {
        try views.dialPlan(DialPlanID(id))
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [DialPlan] {
        try views.dialPlans(after: id.map(DialPlanID.init), limit: limit)
    }

    static func id(of plan: DialPlan) -> UUIDv7? { UUIDv7(bytes: plan.id) }

    static func place(of plan: DialPlan, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: plan.providerID)
    }

    static func references(of plan: DialPlan, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [Reference("provider_id", .provider, UUIDv7(bytes: plan.providerID))]
    }

    static func create(_ plan: DialPlan) -> AdminCommand { .createDialPlan(plan) }

    static func change(_ plan: DialPlan, expectedVersion: UInt64?) -> AdminCommand {
        .changeDialPlan(plan, expectedVersion: expectedVersion)
    }
}
