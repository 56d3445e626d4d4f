import HTTPTypes
import Testing

@testable import ControlAPI

@Test func aWholeProviderIsProvisionedReadChangedAndRemoved() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let resources = [
            ("providers", estate.provider), ("contacts", estate.contact), ("rate-decks", estate.deck),
            ("dial-plans", estate.dialPlan), ("carriers", estate.carrier), ("service-plans", estate.plan),
            ("customers", estate.customer), ("tenants", estate.tenant), ("subscribers", estate.subscriber),
            ("numbers", estate.number),
        ]
        for (segment, id) in resources {
            let read = try await client.get("/v1/\(segment)/\(id)")
            #expect(read.status == 200, "\(segment): \(read.text)")
            #expect(read.id == id)
            // The deck has a version published.
            #expect(read.headers[.eTag] == (segment == "rate-decks" ? "\"2\"" : "\"1\""))
            let list = try await client.get("/v1/\(segment)")
            #expect(list["items"]?.items?.count == 1, "\(segment): \(list.text)")
            #expect(list["next"] == .null)
            let field = segment == "subscribers" ? "display_name" : segment == "numbers" ? "source" : "name"
            let changed = try await client.patch("/v1/\(segment)/\(id)", .object([JSON.Member(field, "changed")]))
            #expect(changed.status == 200, "\(segment): \(changed.text)")
            #expect(changed[field] == "changed")
            #expect(changed["version"] == (segment == "rate-decks" ? 3 : 2))
        }
        for (segment, id) in resources.reversed() {
            let removed = try await client.delete("/v1/\(segment)/\(id)")
            #expect(removed.status == 204, "\(segment): \(removed.text)")
            #expect(try await client.get("/v1/\(segment)/\(id)").status == 404)
            // Its history stays.
            #expect(try await client.get("/v1/entities/\(id)/history").status == 200)
        }
    }
}

@Test func aPasswordIsAcceptedAndNeverShown() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let read = try await client.get("/v1/subscribers/\(estate.subscriber)")
        let history = try await client.get("/v1/entities/\(estate.subscriber)/history")
        for text in [read.text, history.text] {
            #expect(!text.contains("password"))
            #expect(!text.contains("credential"))
            #expect(!text.contains("correct horse"))
        }
        let renamed = try await client.patch("/v1/subscribers/\(estate.subscriber)", ["username": "alicia"])
        #expect(renamed.status == 422)
        #expect(renamed.places == ["/password"])
        let both = try await client.patch(
            "/v1/subscribers/\(estate.subscriber)", ["username": "alicia", "password": "another horse"])
        #expect(both.status == 200)
    }
}

@Test func everythingWrongWithABodyIsNamedAtOnce() async throws {
    try await TestPlatform.with { client in
        let answer = try await client.post(
            "/v1/carriers",
            [
                "nam": "x", "provider_id": "not a uuid",
                "gateways": [["name": "g", "host": 5, "port": 70_000, "apply_to": "moon"], "x"],
            ])
        #expect(answer.status == 422)
        #expect(answer.problem == "invalid-fields")
        #expect(
            Set(answer.places) == [
                "/nam", "/name", "/provider_id", "/gateways/0/host", "/gateways/0/port", "/gateways/0/apply_to",
                "/gateways/1",
            ])
        #expect(answer.headers[.contentType] == "application/problem+json")
    }
}

@Test func whatTheControlPlaneRefusesNamesTheFieldToo() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let taken = try await client.post(
            "/v1/tenants", ["customer_id": .string(estate.customer), "name": "x", "domain": "office.alpha.example"])
        #expect(taken.status == 409)
        #expect(taken.places == ["/domain"])
        let currency = try await client.patch(
            "/v1/numbers/\(estate.number)", ["price": ["amount": "1", "currency": "USD"]])
        #expect(currency.status == 422)
        #expect(currency.places == ["/price/currency"])
        let negative = try await client.patch(
            "/v1/numbers/\(estate.number)", ["price": ["amount": "-1", "currency": "EUR"]])
        #expect(negative.status == 422)
        #expect(negative.places == ["/price"])
        let fixed = try await client.patch("/v1/numbers/\(estate.number)", ["e164": "+4311999"])
        #expect(fixed.status == 422)
        #expect(fixed.places == ["/e164"])
        let used = try await client.delete("/v1/contacts/\(estate.contact)")
        #expect(used.status == 409)
        let unknown = try await client.post(
            "/v1/customers",
            [
                "provider_id": .string(estate.provider), "service_plan_id": "01900000-0000-7000-8000-000000000000",
                "name": "x",
            ])
        #expect(unknown.status == 422)
        #expect(unknown.places == ["/service_plan_id"])
    }
}

@Test func moneyIsExactText() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let changed = try await client.patch(
            "/v1/numbers/\(estate.number)", ["price": ["amount": "0.0042", "currency": "EUR"]])
        #expect(changed["price"] == ["amount": "0.0042", "currency": "EUR"])
        for wrong: JSON in [
            "1.0", 1, ["amount": 1, "currency": "EUR"], ["amount": "1.0000001", "currency": "EUR"], ["amount": "1"],
        ] {
            #expect(try await client.patch("/v1/numbers/\(estate.number)", ["price": wrong]).status == 422)
        }
    }
}

@Test func nullSetsAFieldBackAndRequiredFieldsRefuseIt() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let cleared = try await client.patch("/v1/customers/\(estate.customer)", ["contact_id": .null])
        #expect(cleared["contact_id"] == .null)
        let refused = try await client.patch("/v1/customers/\(estate.customer)", ["service_plan_id": .null])
        #expect(refused.places == ["/service_plan_id"])
    }
}

@Test func gatewaysAreAddressedWithinTheirCarrier() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let path = "/v1/carriers/\(estate.carrier)/gateways"
        let added = try await client.post(path, ["name": "two", "host": "192.0.2.77"])
        #expect(added.status == 201, "\(added.text)")
        #expect(added["port"] == 5060)
        #expect(added.headers[.location] == "\(path)/\(added.id)")
        let changed = try await client.patch("\(path)/\(added.id)", ["disabled": true], ["If-Match": "\"2\""])
        #expect(changed["disabled"] == true)
        #expect(changed.headers[.eTag] == "\"3\"")
        #expect(try await client.patch("\(path)/\(added.id)", ["disabled": false], ["If-Match": "\"2\""]).status == 412)
        #expect(try await client.delete("\(path)/\(estate.gateway)").status == 204)
        #expect(try await client.get("\(path)/\(estate.gateway)").status == 404)
        #expect(try await client.get("\(path)/\(added.id)").status == 200)
        #expect(try await client.get(path)["items"]?.items?.count == 1)
    }
}

@Test func numbersAreAssignedAndReleased() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let other = try await Estate(client, name: "beta", digits: "4311002")
        let path = "/v1/numbers/\(estate.number)"
        let foreign = try await client.post(path + "/assign", ["subscriber_id": .string(other.subscriber)])
        #expect(foreign.status == 422)
        #expect(foreign.places == ["/subscriber_id"])
        let assigned = try await client.post(path + "/assign", ["subscriber_id": .string(estate.subscriber)])
        #expect(assigned["subscriber_id"] == .string(estate.subscriber))
        #expect(try await client.post(path + "/assign", ["subscriber_id": .string(estate.subscriber)]).status == 409)
        let list = try await client.get("/v1/numbers?subscriber_id=\(estate.subscriber)")
        #expect(list["items"]?[0]?["e164"] == "+4311001")
        let released = try await client.post(path + "/release")
        #expect(released["subscriber_id"] == .null)
        #expect(try await client.post(path + "/release").status == 422)
    }
}

@Test func deckVersionsArePublishedWholeAndListedByPrefix() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let path = "/v1/rate-decks/\(estate.deck)/versions"
        let row: (String) -> JSON = { prefix in
            [
                "prefix": .string(prefix), "per_minute": "0.0042", "first_increment_seconds": 1,
                "next_increment_seconds": 1,
            ]
        }
        let second = try await client.post(
            path, ["entries": [row("43"), row("1"), row("")], "effective_at": "2026-01-02T03:04:05Z"])
        #expect(second.status == 201, "\(second.text)")
        #expect(second["version"] == 2)
        #expect(second["effective_at"] == "2026-01-02T03:04:05.000000Z")
        #expect(second["content_hash"]?.text?.count == 64)
        #expect(second["entries"] == nil)
        let twice = try await client.post(path, ["entries": [row("43"), row("43")]])
        #expect(twice.status == 422)
        #expect(twice.places == ["/entries/1/prefix"])
        let page = try await client.get(path + "/2/entries?limit=1")
        #expect(page["items"]?[0]?["prefix"] == "")
        let next = try #require(page["next"]?.text)
        let rest = try await client.get(path + "/2/entries?after=\(next)")
        #expect(rest["items"]?.items?.compactMap { $0["prefix"]?.text } == ["1", "43"])
        #expect(try await client.get(path)["items"]?.items?.count == 2)
        #expect(try await client.get(path + "/3").status == 404)
    }
}

@Test func aDialPlanIsTriedRuleByRule() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let path = "/v1/dial-plans/\(estate.dialPlan)/try"
        let tried = try await client.post(path, ["dialled": "01-234 567", "country_code": "43"])
        #expect(tried.status == 200, "\(tried.text)")
        #expect(tried["e164"] == "+431234567")
        #expect(tried["steps"]?[0]?["matches"] == true)
        #expect(tried["steps"]?[0]?["result"] == "+431234567")
        let unmatched = try await client.post(path, ["dialled": "9"])
        #expect(unmatched["e164"] == .null)
        #expect(unmatched["steps"]?[0]?["matches"] == false)
        let malformed = try await client.patch(
            "/v1/dial-plans/\(estate.dialPlan)", ["rules": [["match": "([", "replacement": ""]]])
        #expect(malformed.status == 422)
        #expect(malformed.places == ["/rules/0/match"])
    }
}

@Test func onlyCurrenciesThatPeoplePayWithAreTaken() async throws {
    try await TestPlatform.with { client in
        for code in ["DEM", "BGN", "XAU", "XXX", "ABC"] {
            for (path, body) in [
                ("/v1/providers", ["name": "A", "namespace": "a.example", "currency": .string(code)] as JSON),
                ("/v1/rate-decks", ["name": "A", "currency": .string(code)]), ("/v1/service-plans", ["name": "A", "currency": .string(code)]),
            ] {
                let answer = try await client.post(path, body)
                #expect(answer.status == 422 && answer.places == ["/currency"], "\(path): \(answer.text)")
                #expect(answer.text.contains("\(code) is not a currency in use by ISO 4217"), "\(path): \(answer.text)")
            }
        }
        #expect(try await client.post("/v1/providers", ["name": "A", "namespace": "a.example", "currency": "eur"]).text.contains("three capital letters"))
        for code in ["KWD", "JPY", "XOF", "XCG"] {
            #expect(try await client.post("/v1/rate-decks", ["name": .string(code), "currency": .string(code)]).status == 201)
        }
        let taken = try await client.made("/v1/rate-decks", ["name": "Retail", "currency": "EUR"])
        #expect(try await client.patch("/v1/rate-decks/\(taken)", ["name": ""]).places == ["/name"])
        let changed = try await client.patch("/v1/rate-decks/\(taken)", ["name": "Wholesale", "is_offered": true])
        #expect(changed["name"] == "Wholesale" && changed["is_offered"] == true && changed["currency"] == "EUR")
        let back = try await client.patch("/v1/rate-decks/\(taken)", ["is_offered": false])
        #expect(back["is_offered"] == false)
    }
}
