import ControlPlane
import Foundation
import HTTPTypes
import Model
import PhoneNumbers
import Primitives
import Projections

/// What a security group would say of a call; nothing is recorded.
enum SecurityTrialEndpoint {
    private struct Question: Blank {
        var number = ""
        var subscriberID = Data()
        var at: Int64 = 0
    }

    private static let shape = Shape<Question>(
        "SecurityTrial",
        [
            .text("number", \.number, isRequired: true, max: 16, "E.164 with +, as the dial plan makes it."),
            .reference(
                "subscriber_id", \.subscriberID, "Who calls: its own prefixes and what it has spent are looked at, too."),
            .time("at", \.at, "When; now if it is not given."),
        ])

    static let operations = [
        Operation(
            method: .post, path: "/v1/security-groups/{security_group_id}/try", name: "trySecurityGroup",
            tag: "security-groups",
            summary: "What the group would say of a call to a number, rule by rule. Nothing is recorded.",
            access: .needs(.tryRoutes), body: .init(schema: Schema.reference("SecurityTrial")),
            success: .init(status: .ok, about: "The answer.", schema: Schema.reference("SecurityTrialResult")),
            past: .always, handle: { try attempt($0) })
    ]

    static let schemas: [(String, JSON)] = [
        ("SecurityTrial", shape.newSchema),
        (
            "SecurityTrialResult",
            Schema.object(
                [
                    ("number", Schema.text(max: 16)), ("country", Schema.orNull(Schema.text(max: 2))),
                    ("kind", Schema.text(max: 32)), ("is_allowed", Schema.flag),
                    ("refusal", Schema.choice(Refusal.literals)), ("steps", Schema.list(step)),
                ], required: ["number", "country", "kind", "is_allowed", "refusal", "steps"])
        ),
    ]

    static let step = Schema.object(
        [
            ("rule", Schema.choice(CallGate.Rule.allCases.map(\.rawValue))), ("is_allowed", Schema.flag),
            ("detail", Schema.text(max: 512)),
        ], required: ["rule", "is_allowed", "detail"])

    static func json(_ gate: CallGate) -> JSON {
        .array(
            gate.steps.map { step in
                [
                    "rule": .string(step.rule.rawValue), "is_allowed": .bool(step.isAllowed),
                    "detail": .string(step.detail),
                ]
            })
    }

    private static func attempt(_ exchange: Exchange) throws -> Reply {
        let question = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        guard let number = PhoneNumber(question.number) else {
            throw Problem.invalid("number", "must be an E.164 number with +, such as +12092488700")
        }
        let time = question.at == 0 ? exchange.time : WallTime(microseconds: question.at)
        let facts = PhoneNumbers.facts(of: number.description)
        return try exchange.read { views in
            let reach = try exchange.reach
            let group = try SecurityGroups.visible(try exchange.id("security_group_id"), to: reach, in: views)
            var caller: CallGate.Caller?
            if let id = SubscriberID(question.subscriberID) {
                guard try views.sees(reach, .subscriber, id.value), let subscriber = try views.subscriber(id),
                    let customer = try views.place(of: subscriber).customer
                else { throw Problem.invalid("subscriber_id", "names nothing that is there for you") }
                caller = CallGate.Caller(line: id, customer: customer, allowedPrefixes: subscriber.allowedPrefixes)
            }
            let gate = try CallGate(number.description, facts: facts, group: group, caller: caller, in: views, at: time)
            return .ok([
                "number": .string(number.description), "country": facts?.region.map { .string($0.code) } ?? .null,
                "kind": .string((facts?.kind ?? .unknown).literal), "is_allowed": .bool(gate.isOpen),
                "refusal": .string((gate.refusal?.refusal ?? .none).literal), "steps": json(gate),
            ])
        }
    }
}

extension NumberFacts.Kind {
    /// What the API calls it.
    var literal: String {
        switch self {
        case .fixedLine: "fixed_line"
        case .mobile: "mobile"
        case .fixedLineOrMobile: "fixed_line_or_mobile"
        case .tollFree: "toll_free"
        case .premiumRate: "premium_rate"
        case .sharedCost: "shared_cost"
        case .voip: "voip"
        case .personal: "personal"
        case .pager: "pager"
        case .uan: "universal_access"
        case .voicemail: "voicemail"
        case .unknown: "unknown"
        }
    }
}
