import ControlPlane
import Foundation
import Model
import Testing

@testable import ControlAPI

private func money(_ amount: String, _ currency: String = "EUR") -> JSON { ["amount": .string(amount), "currency": .string(currency)] }

/// What a provider owes the one above it, over the API.
@Test func whatAProviderPaysIsBookedByThoseAboveItAlone() async throws {
    try await TestPlatform.with { client in
        let parent = try await Estate(client, name: "kages", digits: "4312031")
        let below = try await Estate(client, name: "below", digits: "4312032", parent: parent.provider)
        let other = try await Estate(client, name: "omega", digits: "4312033")
        let payments = "/v1/providers/\(below.provider)/payments"
        let body: JSON = ["amount": money("119"), "reason": "transfer 17"]
        func pay(_ client: Client, _ path: String = payments, _ body: JSON = body, key: String = UUID().uuidString) async throws -> Answer {
            try await client.post(path, body, ["Idempotency-Key": key])
        }
        let billing = try await client.token("billing", role: "billing", scope: parent.provider)
        let booked = try await pay(billing, key: "one")
        #expect(booked.status == 201, "\(booked.text)")
        let account = "provider_payable.\(below.provider).EUR"
        #expect(booked["account_id"]?.text == account && booked["owes"]?["amount"]?.text == "-119.00")
        #expect(booked["journal_id"]?.text != nil && booked["request_id"] == .null)
        let again = try await pay(billing, key: "one")
        #expect(again["journal_id"] == booked["journal_id"] && again["owes"] == booked["owes"])
        let period = "statement?from=2020-01-01T00:00:00Z&to=2999-01-01T00:00:00Z"
        let statement = try await billing.get("/v1/accounts/\(account)/\(period)")
        #expect(statement["movements"]?.items?.map { $0["kind"]?.text } == ["payment"], "\(statement.text)")
        #expect(statement["movements"]?.items?.first?["source"]?.text == "transfer 17")

        // Who owes sees it, and books nothing; nor does anybody beside it.
        let own = try await client.token("own", role: "provider_admin", scope: below.provider)
        let beside = try await client.token("beside", role: "provider_admin", scope: other.provider)
        #expect(try await own.get("/v1/accounts/\(account)/\(period)").status == 200)
        #expect(try await pay(own).status == 403)
        #expect(try await own.post("/v1/providers/\(below.provider)/adjustments", body, ["Idempotency-Key": "x"]).status == 403)
        #expect(try await pay(beside).status == 404)
        #expect(try await beside.get("/v1/accounts/\(account)").status == 404)
        // The other side stands in the books of the one above, and is its alone.
        let receivable = "/v1/accounts/provider_receivable.\(below.provider).EUR"
        #expect(try await billing.get(receivable)["balance"]?["amount"]?.text == "119.00")
        #expect(try await own.get(receivable).status == 404)
        // Nor does a parent credit itself with the platform.
        #expect(try await pay(billing, "/v1/providers/\(parent.provider)/payments").status == 403)
        #expect(try await pay(client, "/v1/providers/\(parent.provider)/payments").status == 201)

        // Bad input.
        #expect(try await pay(billing, payments, ["amount": money("0")]).status == 422)
        #expect(try await pay(billing, payments, ["amount": money("-1")]).status == 422)
        #expect(try await pay(billing, payments, ["amount": money("1", "CHF")]).text.contains("in EUR"))
        #expect(try await pay(billing, payments, [:]).status == 422)
        #expect(try await billing.post(payments, body).status == 400)
        let trial = try await client.get("/v1/trial-balance")
        #expect(trial["is_zero"] == .bool(true), "\(trial.text)")
    }
}

@Test func aCorrectionOfAProvidersDebtBeyondTheLimitWaitsForASecondPerson() async throws {
    try await TestPlatform.with { client in
        let parent = try await Estate(client, name: "kages", digits: "4312041")
        let below = try await Estate(client, name: "below", digits: "4312042", parent: parent.provider)
        #expect(try await client.patch("/v1/providers/\(parent.provider)/billing", ["approval_above": money("10")]).status == 200)
        let first = try await client.token("first", role: "billing", scope: parent.provider)
        let second = try await client.token("second", role: "billing", scope: parent.provider)
        let own = try await client.token("own", role: "provider_admin", scope: below.provider)
        let path = "/v1/providers/\(below.provider)/adjustments"
        let small = try await first.post(path, ["amount": money("-9"), "reason": "set-up"], ["Idempotency-Key": "a"])
        #expect(small["owes"]?["amount"]?.text == "9.00", "\(small.text)")
        let large = try await first.post(path, ["amount": money("11"), "reason": "goodwill"], ["Idempotency-Key": "b"])
        let request = try #require(large["request_id"]?.text, "\(large.text)")
        #expect(large["journal_id"] == .null && large["owes"]?["amount"]?.text == "9.00")
        let shown = try await second.get("/v1/adjustments/\(request)")
        #expect(shown["provider_id"]?.text == below.provider && shown["customer_id"] == .null, "\(shown.text)")
        #expect(try await own.get("/v1/adjustments/\(request)").status == 404)
        #expect(try await own.post("/v1/adjustments/\(request)/approve", [:]).status == 404)
        #expect(try await first.post("/v1/adjustments/\(request)/approve", [:]).status == 403)
        #expect(try await second.post("/v1/adjustments/\(request)/approve", [:]).status == 200)
        let account = try await own.get("/v1/accounts/provider_payable.\(below.provider).EUR")
        #expect(account["balance"]?["amount"]?.text == "-2.00", "\(account.text)")
    }
}
