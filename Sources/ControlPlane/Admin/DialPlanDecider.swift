import Expressions
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Dial plans: every expression compiles and every replacement fits it, or the plan is refused.
enum DialPlanDecider {
    static let rulesMax = 100
    static let expressionBytesMax = 256

    static func create<State: ViewQueries & ~Copyable>(
        _ plan: DialPlan, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var plan = plan
        let id = try Checks.newID(plan.id, &decision)
        guard try state.dialPlan(DialPlanID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        plan.id = DialPlanID(id).data
        _ = try Ownership.provider(plan.providerID, in: state)
        try check(plan)
        decision.record(.dialPlanCreated(.with { $0.plan = plan }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ plan: DialPlan, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(plan.id)
        guard let before = try state.dialPlan(DialPlanID(id)) else {
            throw AdminRejection.notFound("dial plan", id.description)
        }
        try Checks.unchanged(plan.providerID, before.providerID, field: "provider_id")
        try check(plan)
        decision.record(.dialPlanChanged(.with { $0.plan = plan }), in: id)
        return id
    }

    private static func check(_ plan: DialPlan) throws {
        try Checks.name(plan.name)
        guard plan.rules.count <= rulesMax else { throw AdminRejection.invalid("rules", "at most \(rulesMax) rules") }
        for (index, rule) in plan.rules.enumerated() {
            let field = "rules[\(index)]"
            try Checks.shortText(rule.description_p, field: field + ".description")
            guard !rule.match.isEmpty else { throw AdminRejection.invalid(field + ".match", "must not be empty") }
            let match = try compiled(rule.match, field: field + ".match")
            let substitution =
                rule.substitution.isEmpty ? match : try compiled(rule.substitution, field: field + ".substitution")
            // Any digits do: the codes are not part of what an expression has to accept.
            let replacement = DialRuleReplacement(rule.replacement)
                .text(countryCode: "1", areaCode: "1", groups: substitution.groups)
            guard rule.replacement.utf8.count <= expressionBytesMax, substitution.accepts(replacement: replacement)
            else {
                throw AdminRejection.invalid(field + ".replacement", "names a group that the expression does not have")
            }
        }
    }

    static func compiled(_ pattern: String, field: String) throws -> RegularExpression {
        guard pattern.utf8.count <= expressionBytesMax else {
            throw AdminRejection.invalid(field, "at most \(expressionBytesMax) bytes")
        }
        do {
            return try RegularExpression(pattern)
        } catch {
            throw AdminRejection.invalid(field, error.message)
        }
    }
}
