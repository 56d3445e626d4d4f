import ControlPlane
import Foundation
import HTTPTypes
import Primitives
import Projections
import Testing

@testable import ControlAPI

/// Questions about the past. What was true when a sequence was the log's last is asked again after everything changed.
@Suite struct AsOfTests {
    @Test func everyViewAnswersAsItDidThen() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            try await permit(estate, ["+43"], client)
            try await topUp(estate, "10", client)
            let then = try await head(client)
            // The trial balance says where the log stands, and reading a history moves it: it comes first.
            let paths = [
                "/v1/trial-balance", "/v1/customers/\(estate.customer)", "/v1/customers/\(estate.customer)/balance", "/v1/tenants",
                "/v1/subscribers", "/v1/subscribers/\(estate.subscriber)", "/v1/accounts", "/v1/numbers",
                "/v1/subscribers/\(estate.subscriber)/permission?number=%2B43664123",
                "/v1/rate-decks/\(estate.deck)/price?number=43664123", "/v1/rate-decks/\(estate.deck)/versions",
                "/v1/rate-decks/\(estate.deck)/versions/1/entries", "/v1/entities/\(estate.customer)/history",
                "/v1/entities/\(estate.subscriber)/history", "/v1/cdrs", "/v1/tokens",
            ]
            var answers: [String: Answer] = [:]
            for path in paths {
                let answer = try await client.get(path)
                try #require(answer.status == 200, "\(path): \(answer.text)")
                answers[path] = answer
            }
            let routed = try await route(estate, client, "")
            #expect(routed["refusal"] == "none")
            #expect(routed["targets"]?[0]?["gateway_id"] == .string(estate.gateway))
            #expect(routed["prices"]?[0]?["edge"] == "retail")

            try await changeEverything(estate, client)

            for path in paths {
                let answer = try await client.get(path + (path.contains("?") ? "&" : "?") + "as_of=\(then)")
                #expect(answer.status == 200, "\(path): \(answer.text)")
                #expect(answer.text == answers[path]?.text, "\(path)")
                #expect(answer.headers[.asOf] == String(then))
                let now = try await client.get(path)
                // There were no calls, and a published version is never changed.
                if path != "/v1/cdrs", !path.hasSuffix("/entries") { #expect(now.text != answers[path]?.text, "\(path) has not changed") }
                #expect(now.headers[.asOf] == nil)
            }
            #expect(try await route(estate, client, "?as_of=\(then)").text == routed.text)
            let refused = try await route(estate, client, "")
            #expect(refused["refusal"] == "locked" && refused["sip_status"] == 403)
        }
    }

    @Test func aTimeMeansTheLastSequenceUntilThen() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "alpha", digits: "4311001")
            let path = "/v1/entities/\(estate.customer)/history"
            let made = try await client.get(path)["items"]?[0]
            let time = try #require(made?["time"]?.text)
            let answer = try await client.get("/v1/customers/\(estate.customer)?as_of=\(time)")
            #expect(answer.status == 200)
            #expect(answer.headers[.asOf].flatMap { UInt64($0) } ?? 0 > 0)
            let before = try await client.get("/v1/customers/\(estate.customer)?as_of=2001-01-01T00:00:00Z")
            #expect(before.status == 404)
            #expect(before.headers[.asOf] == "0")
        }
    }

    @Test func whatCannotBeAskedIsRefused() async throws {
        try await TestPlatform.with { client in
            let head = try await head(client)
            for (asked, reason) in [
                ("2999-01-01T00:00:00Z", "has not come yet"), ("\(head + 1)", "the last is \(head)"),
                ("yesterday", "must be a time"), ("-1", "must be a time"),
            ] {
                let answer = try await client.get("/v1/customers?as_of=\(asked)")
                #expect(answer.status == 400, "\(asked)")
                #expect(answer.places == ["as_of"], "\(answer.text)")
                #expect(answer.text.contains(reason), "\(answer.text)")
            }
            #expect(try await client.get("/v1/customers?as_of=\(head)").status == 200)
            // Neither the log's head nor what workers say of themselves was different then.
            for path in ["/v1/log/head", "/v1/counters", "/v1/workers"] {
                #expect(try await client.get(path + "?as_of=1").status == 400, "\(path)")
            }
        }
    }

    @Test func whatATokenSeesOfThePastIsWhatHungBelowItsNodeThen() async throws {
        try await TestPlatform.with { client in
            let ours = try await Estate(client, name: "alpha", digits: "4311001")
            let theirs = try await Estate(client, name: "omega", digits: "4311002")
            let then = try await head(client)
            let token = try await client.token("alpha", role: "provider_admin", scope: ours.provider)
            #expect(try await token.get("/v1/customers/\(ours.customer)?as_of=\(then)").status == 200)
            #expect(try await token.get("/v1/customers/\(theirs.customer)?as_of=\(then)").status == 404)
            #expect(try await token.get("/v1/customers?as_of=\(then)")["items"]?.items?.count == 1)
            #expect(try await client.with("nonsense").get("/v1/customers?as_of=\(then)").status == 401)
            let customer = try await client.token("anna", role: "customer_admin", scope: ours.customer)
            try await permit(ours, ["+43"], client)
            try await topUp(ours, "5", client)
            let routed = try await route(ours, customer, "")
            #expect(routed["refusal"] == "none", "\(routed.text)")
            #expect(routed["targets"]?[0]?["gateway_id"] == .null)
            #expect(routed["prices"]?.items?.count == 1)
        }
    }

    // MARK: -

    private func head(_ client: Client) async throws -> UInt64 {
        try client.platform.service.views.read { views in views.applied }
    }

    private func permit(_ estate: Estate, _ prefixes: [String], _ client: Client) async throws {
        let answer = try await client.patch(
            "/v1/subscribers/\(estate.subscriber)", ["allowed_prefixes": .array(prefixes.map(JSON.string))])
        try #require(answer.status == 200, "\(answer.text)")
    }

    private func topUp(_ estate: Estate, _ amount: String, _ client: Client) async throws {
        let answer = try await client.post(
            "/v1/customers/\(estate.customer)/top-ups", ["amount": ["amount": .string(amount), "currency": "EUR"]],
            ["Idempotency-Key": UUID().uuidString])
        try #require(answer.status == 201, "\(answer.text)")
    }

    private func route(_ estate: Estate, _ client: Client, _ query: String) async throws -> Answer {
        let answer = try await client.post("/v1/subscribers/\(estate.subscriber)/route" + query, ["dialled": "0664123456"])
        try #require(answer.status == 200, "\(answer.text)")
        return answer
    }

    private func changeEverything(_ estate: Estate, _ client: Client) async throws {
        try await topUp(estate, "7", client)
        try await permit(estate, ["+44"], client)
        let customer = try await client.patch(
            "/v1/customers/\(estate.customer)", ["name": "another name", "status": "locked"])
        try #require(customer.status == 200, "\(customer.text)")
        _ = try await client.made(
            "/v1/tenants",
            [
                "customer_id": .string(estate.customer), "name": "second", "domain": "second.alpha.example",
                "country_code": "44",
            ])
        _ = try await client.made(
            "/v1/subscribers", ["tenant_id": .string(estate.tenant), "username": "bob", "password": "correct horse"])
        _ = try await client.made(
            "/v1/numbers",
            [
                "provider_id": .string(estate.provider), "e164": "+4311999",
                "price": ["amount": "2", "currency": "EUR"], "voice": true,
            ])
        let published = try await client.post(
            "/v1/rate-decks/\(estate.deck)/versions",
            [
                "entries": [
                    [
                        "prefix": "43", "destination": "Austria", "per_minute": "0.5", "first_increment_seconds": 1,
                        "next_increment_seconds": 1,
                    ]
                ]
            ])
        try #require(published.status == 201, "\(published.text)")
        _ = try await client.token("later", role: "platform_admin")
    }
}
