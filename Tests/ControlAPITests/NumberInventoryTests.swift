import Foundation
import Primitives
import Testing

@testable import ControlAPI

@Test func aRangeIsAddedReservedAssignedByItsCustomerAndReleased() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let range: JSON = [
            "provider_id": .string(ours.provider), "first": "+431990100", "last": "+431990149", "source": "transit",
            "price": ["amount": "2.00", "currency": "EUR"], "voice": true,
        ]
        let added = try await provider.post("/v1/number-ranges", range)
        #expect(added.status == 201, "\(added.text)")
        #expect(added["count"]?.integer(as: Int.self) == 50)
        let again = try await provider.post("/v1/number-ranges", range)
        #expect(again.status == 409)
        #expect(again.text.contains("+431990100 is taken"), "\(again.text)")
        let list = try await provider.get("/v1/numbers?provider_id=\(ours.provider)&limit=500")
        #expect(list["items"]?.items?.count == 51)

        let until = WallTime.now + .seconds(3_600)
        let reserved = try await provider.post(
            "/v1/number-ranges/reserve",
            [
                "provider_id": .string(ours.provider), "first": "+431990100", "count": 10, "customer_id": .string(ours.customer),
                "until": .string(until.rfc3339),
            ])
        #expect(reserved.status == 200, "\(reserved.text)")
        let outside = try await provider.post(
            "/v1/number-ranges/reserve",
            ["provider_id": .string(ours.provider), "first": "+431990145", "count": 10, "customer_id": .string(ours.customer)])
        #expect(outside.status == 422)
        #expect(outside.text.contains("+431990150 is outside of the provider's numbers"), "\(outside.text)")

        // The customer sees its ten, and may give one of them to a line, and take it back.
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        let seen = try await customer.get("/v1/numbers?limit=500")
        #expect(seen["items"]?.items?.count == 10, "\(seen.text)")
        let id = try #require(seen["items"]?[0]?["id"]?.text)
        #expect(seen["items"]?[0]?["state"]?.text == "reserved")
        #expect(seen["items"]?[0]?["until"]?.text == until.rfc3339)
        let assignment: JSON = ["subscriber_id": .string(ours.subscriber)]
        let assigned = try await customer.post("/v1/numbers/\(id)/assign", assignment)
        #expect(assigned.status == 200, "\(assigned.text)")
        #expect(assigned["state"]?.text == "assigned")
        #expect(assigned["customer_id"]?.text == ours.customer)
        #expect(assigned["country"]?.text == "AT")
        #expect(try await customer.post("/v1/numbers/\(id)/assign", assignment).status == 409)
        #expect(try await provider.post("/v1/numbers/\(id)/assign", assignment).status == 409)
        #expect(try await customer.post("/v1/numbers/\(id)/reserve", [:]).status == 403)
        #expect(try await customer.post("/v1/numbers/\(id)/release?quarantine_days=0").status == 409)
        let released = try await customer.post("/v1/numbers/\(id)/release")
        #expect(released["state"]?.text == "reserved", "\(released.text)")

        // A number that its provider gave to the line itself is not the customer's to move.
        let own = try await provider.post("/v1/numbers/\(ours.number)/assign", assignment)
        #expect(own.status == 200, "\(own.text)")
        #expect(try await customer.get("/v1/numbers/\(ours.number)").status == 200)
        #expect(try await customer.post("/v1/numbers/\(ours.number)/release").status == 409)
        // Nobody else sees any of it.
        let stranger = try await client.token("stranger", role: "customer_admin", scope: theirs.customer)
        #expect(try await stranger.get("/v1/numbers/\(id)").status == 404)
        #expect(try await stranger.post("/v1/numbers/\(id)/assign", assignment).status == 404)
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: ours.tenant)
        #expect(try await tenant.get("/v1/numbers/\(id)").status == 404)
        #expect(try await tenant.get("/v1/numbers")["items"]?.items?.count == 1)

        // For its tenant: the tenant's administrator assigns.
        #expect(try await provider.post("/v1/numbers/\(id)/free").status == 200)
        #expect(try await provider.post("/v1/numbers/\(id)/reserve", ["tenant_id": .string(ours.tenant)]).status == 200)
        #expect(try await tenant.post("/v1/numbers/\(id)/assign", assignment).status == 200)
        let quarantined = try await provider.post("/v1/numbers/\(id)/release?quarantine_days=30")
        #expect(quarantined["state"]?.text == "quarantined", "\(quarantined.text)")
        let refused = try await provider.post("/v1/numbers/\(id)/assign", assignment)
        #expect(refused.status == 409)
        #expect(refused.text.contains("quarantined until"))
        #expect(try await provider.post("/v1/numbers/\(ours.number)/reserve", ["customer_id": .string(theirs.customer)]).status == 422)

        let history = try await provider.get("/v1/numbers/\(id)/history")
        let states = history["spans"]?.items?.compactMap { $0["state"]?.text }
        #expect(
            states == ["available", "reserved", "assigned", "reserved", "available", "reserved", "assigned", "quarantined"],
            "\(history.text)")
        #expect(history["spans"]?[2]?["subscriber_id"]?.text == ours.subscriber)
        #expect(history["spans"]?[2]?["actor"]?.text == "customer")
        #expect(history["spans"]?[7]?["to"] == .null)
    }
}

@Test func aRangeThatIsWrittenWronglySaysWhere() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let provider = JSON.string(ours.provider)
        for (body, place) in [
            (["provider_id": provider, "first": "+431990100"], "/last"),
            (["provider_id": provider, "first": "+431990100", "last": "+431990101", "count": 2], "/last"),
            (["provider_id": provider, "first": "+431990100", "last": "+431990001"], "/last"),
            (["provider_id": provider, "first": "431990100", "count": 2], "/first"),
            (["provider_id": provider, "first": "+431990100", "count": 100_000], "/count"),
            (["first": "+431990100", "count": 2], "/provider_id"),
        ] as [(JSON, String)] {
            let answer = try await client.post("/v1/number-ranges", body)
            #expect(answer.status == 422 || answer.status == 403, "\(answer.text)")
            if answer.status == 422 { #expect(answer.places == [place], "\(answer.text)") }
        }
    }
}

@Test func plansAreMadeOfPresets() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let presets = try await provider.get("/v1/dial-plan-presets")
        let countries = presets["items"]?.items?.compactMap { $0["country"]?.text } ?? []
        #expect(countries.count >= 12 && countries.contains("BR") && countries.contains("US"), "\(presets.text)")
        let plan = try await provider.post(
            "/v1/dial-plan-presets/US/use", ["provider_id": .string(ours.provider), "name": "With a nine", "outside_line": "9"])
        #expect(plan.status == 201, "\(plan.text)")
        let trial = try await provider.post(
            "/v1/dial-plans/\(plan.id)/try", ["dialled": "92488700", "country_code": "1", "area_code": "209"])
        #expect(trial["e164"]?.text == "+12092488700", "\(trial.text)")
        #expect(trial["steps"]?.items?.count == 3)
        let body: JSON = ["provider_id": .string(ours.provider)]
        #expect(try await provider.post("/v1/dial-plan-presets/XX/use", body).status == 404)
        let malformed = try await provider.post(
            "/v1/dial-plan-presets/US/use", ["provider_id": .string(ours.provider), "outside_line": ".*"])
        #expect(malformed.places == ["/outside_line"])
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        #expect(try await customer.get("/v1/dial-plan-presets").status == 200)
        #expect(try await customer.post("/v1/dial-plan-presets/US/use", body).status == 403)
    }
}

@Test func aSecurityGroupIsMadeTriedAndNamed() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let made = try await provider.post(
            "/v1/security-groups",
            [
                "provider_id": .string(ours.provider), "name": "Office", "countries": ["US", "AT"],
                "blocked_numbers": ["+1310"], "time_zone": "Europe/Vienna",
                "windows": [["weekdays": ["monday", "friday"], "from": "08:00", "to": "24:00"]],
                "line_spend_per_day": ["amount": "5.00", "currency": "EUR"],
            ])
        #expect(made.status == 201, "\(made.text)")
        #expect(made["windows"]?[0]?["to"]?.text == "24:00")
        #expect(made["windows"]?[0]?["weekdays"] == ["monday", "friday"])
        let path = "/v1/security-groups/\(made.id)/try"
        // 2026-11-20 is a Friday: 09:00 in Vienna.
        func ask(_ number: String, _ at: String = "2026-11-20T08:00:00Z") async throws -> Answer {
            try await provider.post(
                path, ["number": .string(number), "subscriber_id": .string(ours.subscriber), "at": .string(at)])
        }
        let yes = try await ask("+12092488700")
        #expect(yes["is_allowed"]?.flag == true, "\(yes.text)")
        #expect(yes["country"]?.text == "US")
        #expect(try await ask("+18765550123")["refusal"]?.text == "not_permitted")
        #expect(try await ask("+13105550123")["refusal"]?.text == "number_blocked")
        #expect(try await ask("+12092488700", "2026-11-21T08:00:00Z")["refusal"]?.text == "outside_hours")
        #expect(try await provider.post(path, ["number": "911"]).places == ["/number"])

        let bad = try await provider.post(
            "/v1/security-groups",
            [
                "provider_id": .string(ours.provider), "name": "Bad",
                "windows": [["weekdays": ["someday"], "from": "8", "to": "25:00"]],
                "line_spend_per_day": ["amount": "5.00", "currency": "USD"],
            ])
        #expect(
            bad.places == [
                "/windows/0/weekdays/0", "/windows/0/from", "/windows/0/to", "/line_spend_per_day/currency",
            ], "\(bad.text)")

        // A tenant's administrator sees and names the group that it lives under, and no other.
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: ours.tenant)
        #expect(try await tenant.get("/v1/security-groups/\(made.id)").status == 404)
        let patch: JSON = ["security_group_id": .string(made.id)]
        #expect(try await tenant.patch("/v1/subscribers/\(ours.subscriber)", patch).status == 422)
        #expect(try await provider.patch("/v1/service-plans/\(ours.plan)", patch).status == 200)
        #expect(try await tenant.get("/v1/security-groups/\(made.id)").status == 200)
        #expect(try await tenant.patch("/v1/subscribers/\(ours.subscriber)", patch).status == 200)
        #expect(try await tenant.patch("/v1/security-groups/\(made.id)", ["premium": true]).status == 403)
        #expect(try await provider.delete("/v1/security-groups/\(made.id)").status == 409)

        let permission = try await tenant.get("/v1/subscribers/\(ours.subscriber)/permission?number=%2B13105550123")
        #expect(permission["may_call"]?.flag == false, "\(permission.text)")
        #expect(permission["security_group_id"]?.text == made.id)
        #expect(permission["steps"]?[0]?["rule"]?.text == "blocked_numbers")
    }
}
