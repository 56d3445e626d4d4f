import Model
import Primitives
import Projections
import Rating
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
        try Checks.unchanged(plan.currency, before.currency, field: "currency")
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
        try PlanChecks.fees(plan)
        try PlanChecks.allowances(plan.allowances, field: "allowances")
        try PlanChecks.packages(plan.packages)
        guard !plan.providerID.isEmpty else { return try PlanChecks.ofPlatform(plan) }
        let provider = try Ownership.provider(plan.providerID, in: state)
        guard plan.currency.isEmpty || plan.currency == provider.currency else {
            throw AdminRejection.invalid("currency", "the provider's currency is \(provider.currency)")
        }
        for (field, id) in [
            ("rate_deck_id", plan.rateDeckID), ("inbound_rate_deck_id", plan.inboundRateDeckID), ("on_net_rate_deck_id", plan.onNetRateDeckID),
        ] where !id.isEmpty {
            let deckID = RateDeckID(try Checks.reference(id, field: field))
            guard let deck = try state.rateDeck(deckID), deck.providerID == plan.providerID else {
                throw AdminRejection.unknownReference(field, deckID.description)
            }
            guard deck.currency == provider.currency else {
                throw AdminRejection.invalid(field, "the deck is in \(deck.currency), the provider in \(provider.currency)")
            }
        }
        guard plan.serviceRates.count <= 100 else { throw AdminRejection.limitReached(field: "service_rates", limit: 100) }
        for (index, rate) in plan.serviceRates.enumerated() {
            let field = "service_rates[\(index)]"
            try Checks.recognised(rate.leg.isRecognised, field: field + ".leg")
            if let fault = rate.price.fault() { throw AdminRejection.invalid("\(field).\(fault.field)", fault.reason) }
            guard rate.price.prefix.isEmpty, rate.price.pattern.isEmpty else { throw AdminRejection.invalid(field, "is for all numbers: a rate deck has prefixes") }
            guard rate.decimals <= 6 else { throw AdminRejection.invalid(field + ".decimals", "at most 6: money is counted in millionths") }
            guard rate.validTo == 0 || rate.validFrom < rate.validTo else { throw AdminRejection.invalid(field + ".valid_to", "must be later than valid_from") }
            let other = plan.serviceRates[..<index].first { $0.leg == rate.leg && $0.overlaps(rate) }
            guard other == nil else { throw AdminRejection.invalid(field, "overlaps another rate for \(rate.leg.literal)") }
        }
        try Ownership.dialPlan(plan.dialPlanID, of: plan.providerID, field: "dial_plan_id", in: state)
        try Ownership.securityGroup(plan.securityGroupID, of: plan.providerID, in: state)
        try Ownership.carrier(plan.carrierID, reachableFrom: plan.providerID, field: "carrier_id", in: state)
    }
}

extension ServicePlan {
    /// Whether it makes a difference what kind of number is called: it costs some microseconds to know.
    var asksForLegs: Bool {
        serviceRates.contains { $0.leg.fallback != nil } || (allowances + packages.flatMap(\.allowances)).contains { !$0.legs.isEmpty }
    }
}

extension ServiceRate {
    func isValid(at time: WallTime) -> Bool {
        (validFrom == 0 || validFrom <= time.microseconds) && (validTo == 0 || time.microseconds < validTo)
    }

    fileprivate func overlaps(_ other: ServiceRate) -> Bool {
        (validTo == 0 || other.validFrom < validTo) && (other.validTo == 0 || validFrom < other.validTo)
    }
}
