import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// Dial plans that are ready-made, by country.
enum DialPresetEndpoints {
    private struct Wish: Blank {
        var providerID = Data()
        var name = ""
        var outsideLine = ""
    }

    private static let shape = Shape<Wish>(
        "DialPlanFromPreset",
        [
            .reference("provider_id", \.providerID, isRequired: true, "The provider that it will belong to."),
            .text("name", \.name, "Of the plan; the country's if it is not given."),
            .text("outside_line", \.outsideLine, max: 3, "Digits before every number to the outside, such as 9."),
        ])

    private static let outsideLine = QueryParameter("outside_line", .text, "Show the rules with these digits before them.")

    static let operations = [
        Operation(
            method: .get, path: "/v1/dial-plan-presets", name: "listDialPlanPresets", tag: "dial-plans",
            summary: "Lists the ready-made dial plans, by country, with their rules.", access: .needs(.readDirectory),
            query: [outsideLine],
            success: .init(status: .ok, about: "All of them.", schema: Schema.reference("DialPlanPresetPage")),
            past: .never, handle: { try list($0) }),
        Operation(
            method: .post, path: "/v1/dial-plan-presets/{country}/use", name: "createDialPlanFromPreset", tag: "dial-plans",
            summary: "Makes a dial plan of a ready-made one. It can be changed like any other.",
            access: .needs(.writeNetwork), body: .init(schema: Schema.reference("DialPlanFromPreset")),
            success: .init(
                status: .created, about: "It is made.", schema: Schema.reference("DialPlan"), hasVersion: true),
            handle: { try await use($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("DialPlanFromPreset", shape.newSchema),
        (
            "DialPlanPreset",
            Schema.object(
                [
                    ("country", Schema.text(max: 2)), ("name", Schema.text(max: 128)), ("country_code", Schema.text(max: 3)),
                    ("trunk_prefix", Schema.text(max: 8)), ("international_prefix", Schema.text(max: 8)),
                    ("rules", Schema.list(Schema.reference("DialRule"))),
                ], required: ["country", "name", "country_code", "trunk_prefix", "international_prefix", "rules"])
        ), ("DialPlanPresetPage", Schema.page(of: Schema.reference("DialPlanPreset"))),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let before = try digits(exchange.query.text("outside_line") ?? "", .parameter("outside_line"))
        return .page(
            DialPlanPreset.all.map { preset in
                [
                    "country": .string(preset.country), "name": .string(preset.name),
                    "country_code": .string(preset.countryCode),
                    "trunk_prefix": .string(preset.trunkPrefix.filter(\.isNumber)),
                    "international_prefix": .string(preset.internationalPrefix),
                    "rules": .array(preset.rules(outsideLine: before).map { Shape<DialRule>.dialRule.json($0) }),
                ]
            }, next: nil)
    }

    private static func use(_ exchange: Exchange) async throws -> Reply {
        guard let preset = DialPlanPreset.preset(of: exchange.path["country"] ?? "") else {
            throw Problem(.notFound, "There is no ready-made dial plan of this name; GET /v1/dial-plan-presets lists them.")
        }
        let wish = try exchange.decode { body, faults in shape.new(body, FieldContext(), &faults) }
        let before = try digits(wish.outsideLine, .pointer("/outside_line"))
        var plan = DialPlan()
        plan.providerID = wish.providerID
        plan.name = wish.name.isEmpty ? preset.name : wish.name
        plan.rules = preset.rules(outsideLine: before)
        let caller = try exchange.token
        try exchange.read { views in
            try DialPlans.check(DialPlans.references(of: plan, in: views), caller, in: views)
            guard caller.reach.holds(try DialPlans.place(of: plan, in: views)) else {
                throw Problem(.forbidden, "A dial plan can be made below the token's scope alone.")
            }
        }
        return try DialPlans.made(try await exchange.submit(.createDialPlan(plan)), exchange)
    }

    private static func digits(_ text: String, _ place: FieldFault.Place) throws -> String {
        guard text.utf8.count <= 3, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Problem(
                .invalidFields, "One value cannot be accepted.",
                faults: [FieldFault(place, "must be at most 3 digits, such as 9")])
        }
        return text
    }
}
