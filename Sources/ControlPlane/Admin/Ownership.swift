import Foundation
import Model
import Primitives
import Projections

/// Whether an entity that is referred to belongs where the referring one may reach.
enum Ownership {
    /// A dial plan of the same provider.
    static func dialPlan<State: ViewQueries & ~Copyable>(
        _ id: Data, of provider: Data, field: String, in state: borrowing State
    ) throws {
        guard !id.isEmpty else { return }
        let plan = DialPlanID(try Checks.reference(id, field: field))
        guard let found = try state.dialPlan(plan), found.providerID == provider else {
            throw AdminRejection.unknownReference(field, plan.description)
        }
    }

    /// A security group of the same provider.
    static func securityGroup<State: ViewQueries & ~Copyable>(
        _ id: Data, of provider: Data, in state: borrowing State
    ) throws {
        guard !id.isEmpty else { return }
        let group = SecurityGroupID(try Checks.reference(id, field: "security_group_id"))
        guard let found = try state.securityGroup(group), found.providerID == provider else {
            throw AdminRejection.unknownReference("security_group_id", group.description)
        }
    }

    /// A carrier of the provider, of one above it, or of the platform.
    static func carrier<State: ViewQueries & ~Copyable>(
        _ id: Data, reachableFrom provider: Data, field: String, in state: borrowing State
    ) throws {
        guard !id.isEmpty else { return }
        let carrier = CarrierID(try Checks.reference(id, field: field))
        guard let found = try state.carrier(carrier) else {
            throw AdminRejection.unknownReference(field, carrier.description)
        }
        var owner = provider
        while !owner.isEmpty, owner != found.providerID {
            guard let next = ProviderID(owner), let above = try state.provider(next) else { break }
            owner = above.parentID
        }
        guard owner == found.providerID else { throw AdminRejection.unknownReference(field, carrier.description) }
    }

    static func provider<State: ViewQueries & ~Copyable>(
        _ id: Data, in state: borrowing State
    ) throws -> Provider {
        let provider = ProviderID(try Checks.reference(id, field: "provider_id"))
        guard let found = try state.provider(provider) else {
            throw AdminRejection.unknownReference("provider_id", provider.description)
        }
        return found
    }
}
