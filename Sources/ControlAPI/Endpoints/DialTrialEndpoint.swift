import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// Trying a dial plan without a call.
enum DialTrialEndpoint {
    private struct Question: Blank {
        var dialled = ""
        var countryCode = ""
        var areaCode = ""
    }

    private static let shape = Shape<Question>(
        "DialTrial",
        [
            .text("dialled", \.dialled, isRequired: true, "As a phone would send it."),
            .text("country_code", \.countryCode, max: 3, "Of the caller; for _CC."),
            .text("area_code", \.areaCode, max: 6, "Of the caller; for _AC."),
        ])

    static let operations = [
        Operation(
            method: .post, path: "/v1/dial-plans/{dial_plan_id}/try", name: "tryDialPlan", tag: "dial-plans",
            summary: "What the plan makes of something dialled, rule by rule. Nothing is recorded.", access: .needs(.tryRoutes),
            body: .init(schema: Schema.reference("DialTrial")),
            success: .init(
                status: .ok, about: "The steps and the number.", schema: Schema.reference("DialTrialResult")),
            past: .always,
            handle: { try attempt($0) })
    ]

    static let schemas: [(String, JSON)] = [
        ("DialTrial", shape.newSchema),
        (
            "DialTrialResult",
            Schema.object(
                [
                    ("dialled", Schema.text(max: 128)), ("digits", Schema.text(max: 128)),
                    (
                        "steps",
                        Schema.list(
                            Schema.object(
                                [
                                    ("rule", Schema.sequence), ("description", Schema.text(max: 128)),
                                    ("matches", Schema.flag),
                                    ("result", Schema.orNull(Schema.text(max: 256))),
                                ], required: ["rule", "description", "matches", "result"]))
                    ),
                    ("e164", Schema.orNull(Schema.text(max: 16))),
                ], required: ["dialled", "digits", "steps", "e164"])
        ),
    ]

    private static func attempt(_ exchange: Exchange) throws -> Reply {
        let question = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let plan = try exchange.read { views in
            try DialPlans.visible(try exchange.id("dial_plan_id"), to: exchange.reach, in: views)
        }
        let trial = DialTrial(
            question.dialled, by: plan.rules, countryCode: question.countryCode, areaCode: question.areaCode)
        let steps = trial.steps.map { step in
            JSON.object([
                "rule": .integer(step.rule), "description": .string(step.description), "matches": .bool(step.isMatch),
                "result": step.result.map(JSON.string) ?? .null,
            ])
        }
        return .ok([
            "dialled": .string(trial.dialled), "digits": .string(trial.digits), "steps": .array(steps),
            "e164": trial.e164.map(JSON.string) ?? .null,
        ])
    }
}
