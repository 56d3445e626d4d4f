import Model
import Primitives
import Projections
import SwiftProtobuf

/// Service plans: what a provider sells. Deck, dial plan and carrier must be within its reach.
enum ServicePlanDecider {
    static func create<State: ViewQueries & ~Copyable>(
        _ plan: ServicePlan, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var plan = plan
        let id = try Checks.newID(plan.id, &decision)
        guard try state.servicePlan(ServicePlanID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        plan.id = ServicePlanID(id).data
        try check(plan, in: state)
        decision.record(.servicePlanCreated(.with { $0.plan = plan }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ plan: ServicePlan, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(plan.id)
        guard let before = try state.servicePlan(ServicePlanID(id)) else {
            throw AdminRejection.notFound("service plan", id.description)
        }
        try Checks.unchanged(plan.providerID, before.providerID, field: "provider_id")
        try check(plan, in: state)
        decision.record(.servicePlanChanged(.with { $0.plan = plan }), in: id)
        return id
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ plan: ServicePlan, in state: borrowing State
    ) throws {
        try Checks.name(plan.name)
        try Checks.recognised(plan.paymentMode.isRecognised, field: "payment_mode")
        guard plan.creditLimitMicros >= 0 else {
            throw AdminRejection.invalid("credit_limit_micros", "must not be negative")
        }
        let provider = try Ownership.provider(plan.providerID, in: state)
        if !plan.rateDeckID.isEmpty {
            let deckID = RateDeckID(try Checks.reference(plan.rateDeckID, field: "rate_deck_id"))
            guard let deck = try state.rateDeck(deckID), deck.providerID == plan.providerID else {
                throw AdminRejection.unknownReference("rate_deck_id", deckID.description)
            }
            guard deck.currency == provider.currency else {
                throw AdminRejection.invalid(
                    "rate_deck_id", "the deck is in \(deck.currency), the provider in \(provider.currency)")
            }
        }
        try Ownership.dialPlan(plan.dialPlanID, of: plan.providerID, field: "dial_plan_id", in: state)
        try Ownership.carrier(plan.carrierID, reachableFrom: plan.providerID, field: "carrier_id", in: state)
    }
}
