import ControlPlane
import Foundation
import Ledger
import Testing

@testable import ControlAPI

// Money beside calls, over the API.

private func money(_ amount: String, _ currency: String = "EUR") -> JSON { ["amount": .string(amount), "currency": .string(currency)] }

extension Client {
    fileprivate func post(_ path: String, _ body: JSON, key: String) async throws -> Answer {
        try await post(path, body, ["Idempotency-Key": key])
    }
}

@Test func aStatementSaysWhereEveryMovementCameFromAndWhatWasThereBeforeAndAfter() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4312001")
        let path = "/v1/customers/\(estate.customer)"
        #expect(try await client.post(path + "/top-ups", ["amount": money("50"), "reason": "transfer 17"], key: "a").status == 201)
        #expect(try await client.post(path + "/adjustments", ["amount": money("-2.50"), "reason": "set-up fee"], key: "b").status == 201)
        let now = "2999-01-01T00:00:00Z"
        let statement = try await client.get(path + "/statement?from=2020-01-01T00:00:00Z&to=\(now)")
        #expect(statement.status == 200, "\(statement.text)")
        #expect(statement["opening"]?["amount"]?.text == "0.00")
        #expect(statement["closing"]?["amount"]?.text == "47.50")
        #expect(statement["credits"]?["amount"]?.text == "50.00")
        #expect(statement["debits"]?["amount"]?.text == "2.50")
        let movements = try #require(statement["movements"]?.items)
        #expect(movements.map { $0["source"]?.text } == ["transfer 17", "set-up fee"])
        #expect(movements.map { $0["kind"]?.text } == ["top_up", "adjustment"])
        #expect(movements.map { $0["balance"]?["amount"]?.text } == ["50.00", "47.50"])
        // As of the first movement, the second has not happened.
        let first = try #require(movements[0]["sequence"]?.integer(as: UInt64.self))
        let past = try await client.get(path + "/statement?from=2020-01-01T00:00:00Z&to=\(now)&as_of=\(first)")
        #expect(past["closing"]?["amount"]?.text == "50.00", "\(past.text)")
        let table = try await client.get(path + "/statement?from=2020-01-01T00:00:00Z&to=\(now)&format=csv")
        let lines = table.text.split(separator: "\r\n")
        #expect(lines.count == 5 && lines[1].contains(",opening,") && lines[4].hasSuffix(",47.50,EUR,,,"), "\(table.text)")
        let page = try await client.get(path + "/statement?from=2020-01-01T00:00:00Z&format=html")
        #expect(page.text.contains("<td>set-up fee</td>") && page.text.contains("customer of kages"))
        #expect(try await client.get(path + "/statement").status == 400)
        #expect(try await client.get(path + "/statement?from=2021-01-01T00:00:00Z&to=2020-01-01T00:00:00Z").status == 400)
    }
}

@Test func everyAccountOfTheBooksHasAStatementForThoseWhoSeeIt() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4312009")
        let other = try await Estate(client, name: "omega", digits: "4312010")
        #expect(try await client.post("/v1/customers/\(estate.customer)/top-ups", ["amount": money("50"), "reason": "transfer 17"], key: "a").status == 201)
        let period = "statement?from=2020-01-01T00:00:00Z&to=2999-01-01T00:00:00Z"
        func path(_ kind: String, _ owner: String) -> String { "/v1/accounts/\(kind).\(owner).EUR/\(period)" }

        // The other side of the same money.
        let cash = try await client.get(path("cash", estate.provider))
        #expect(cash.status == 200, "\(cash.text)")
        #expect(cash["account_id"]?.text == "cash.\(estate.provider).EUR" && cash["customer_id"] == nil)
        #expect(cash["closing"]?["amount"]?.text == "-50.00" && cash["debits"]?["amount"]?.text == "50.00")
        #expect(cash["movements"]?.items?.map { $0["source"]?.text } == ["transfer 17"])
        let page = try await client.get(path("cash", estate.provider) + "&format=html")
        #expect(page.text.contains("kages"), "\(page.text)")
        let own = try await client.get(path("customer", estate.customer))
        let known = try await client.get("/v1/customers/\(estate.customer)/\(period)")
        #expect(own["movements"] == known["movements"] && own["closing"] == known["closing"] && own["movements"]?.items?.count == 1)
        // What a provider owes the one above it: nothing yet, which is no error.
        let payable = try await client.get(path("provider_payable", estate.provider))
        #expect(payable.status == 200 && payable["closing"]?["amount"]?.text == "0.00")

        let provider = try await client.token("provider", role: "provider_admin", scope: estate.provider)
        let customer = try await client.token("customer", role: "customer_admin", scope: estate.customer)
        #expect(try await provider.get(path("cash", estate.provider)).status == 200)
        #expect(try await provider.get(path("cash", other.provider)).status == 404)
        #expect(try await customer.get(path("customer", estate.customer)).status == 200)
        #expect(try await customer.get(path("cash", estate.provider)).status == 404)
        #expect(try await client.get("/v1/accounts/cash/\(period)").status == 404)
        #expect(try await client.get("/v1/accounts/cash.\(estate.provider).EUR/statement").status == 400)
    }
}

@Test func aVoucherIsShownOnceAndRedeemedOnce() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4312002")
        let other = try await Estate(client, name: "omega", digits: "4312003")
        let made = try await client.post(
            "/v1/providers/\(estate.provider)/voucher-batches", ["name": "Spring", "count": 3, "amount": money("10")], key: "make")
        #expect(made.status == 201, "\(made.text)")
        let codes = try #require(made["codes"]?.items).compactMap(\.text)
        #expect(codes.count == 3 && Set(codes).count == 3)
        let again = try await client.post(
            "/v1/providers/\(estate.provider)/voucher-batches", ["name": "Spring", "count": 3, "amount": money("10")], key: "make")
        #expect(again["codes"] == .null && again["batch"]?["id"] == made["batch"]?["id"])
        let path = "/v1/customers/\(estate.customer)/vouchers"
        let typed = codes[0].lowercased().replacing("-", with: " ")
        let redeemed = try await client.post(path, ["code": .string(typed)], key: "r1")
        #expect(redeemed.status == 201 && redeemed["balance"]?["balance"]?["amount"]?.text == "10.00", "\(redeemed.text)")
        #expect(try await client.post(path, ["code": .string(typed)], key: "r1")["journal_id"] == redeemed["journal_id"])
        let second = try await client.post(path, ["code": .string(codes[0])], key: "r2")
        #expect(second.status == 409 && second.text.contains("was redeemed on"), "\(second.text)")
        // Another provider's customer has never heard of it.
        #expect(try await client.post("/v1/customers/\(other.customer)/vouchers", ["code": .string(codes[1])], key: "o").status == 422)
        let batch = try await client.get("/v1/voucher-batches/\(made["batch"]?["id"]?.text ?? "")")
        #expect(batch["redeemed"] == .integer(1) && batch["count"] == .integer(3))
        // The log has none of the codes.
        let log = client.platform.service.log
        for sequence in 1...log.head {
            let bytes = try #require(try log.bytes(at: sequence))
            #expect(String(decoding: bytes, as: UTF8.self).contains(codes[1].replacing("-", with: "")) == false)
        }
        for guess in 1...5 { #expect(try await client.post(path, ["code": "AAAA-BBBB-CCCC-DDDD"], key: "g\(guess)").status == 422) }
        let locked = try await client.post(path, ["code": .string(codes[1])], key: "late")
        #expect(locked.status == 409 && locked.text.contains("wrong codes in an hour"), "\(locked.text)")
    }
}

@Test func anAdjustmentBeyondTheLimitNeedsAnotherPerson() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4312004")
        let set = try await client.patch("/v1/providers/\(estate.provider)/billing", ["approval_above": money("100")])
        #expect(set.status == 200, "\(set.text)")
        let anna = try await client.token("anna", role: "billing", scope: estate.provider)
        let bert = try await client.token("bert", role: "billing", scope: estate.provider)
        let path = "/v1/customers/\(estate.customer)/adjustments"
        let small = try await anna.post(path, ["amount": money("100"), "reason": "goodwill"], key: "1")
        #expect(small.status == 201 && small["request_id"] == .null)
        let large = try await anna.post(path, ["amount": money("-100.01"), "reason": "hardware"], key: "2")
        #expect(large.status == 201 && large["journal_id"] == .null, "\(large.text)")
        #expect(large["balance"]?["balance"]?["amount"]?.text == "100.00")
        let request = "/v1/adjustments/\(large["request_id"]?.text ?? "")"
        #expect(try await bert.get("/v1/adjustments?status=pending")["items"]?.items?.count == 1)
        let own = try await anna.post(request + "/approve", nil)
        #expect(own.status == 403 && own.text.contains("second person"), "\(own.text)")
        let approved = try await bert.post(request + "/approve", nil)
        #expect(approved.status == 200 && approved["status"]?.text == "approved" && approved["journal_id"] != .null, "\(approved.text)")
        #expect(try await client.get("/v1/customers/\(estate.customer)/balance")["balance"]?["amount"]?.text == "-0.01")
        #expect(try await bert.post(request + "/approve", nil).status == 409)
        let third = try await anna.post(path, ["amount": money("500"), "reason": "again"], key: "3")
        let refused = try await bert.post("/v1/adjustments/\(third["request_id"]?.text ?? "")/refuse", ["reason": "no order"])
        #expect(refused["status"]?.text == "refused" && refused["decision_reason"]?.text == "no order", "\(refused.text)")
        #expect(try await client.get("/v1/trial-balance")["is_zero"] == .bool(true))
    }
}

@Test func whoBillsSaysSoInWordsThatCanBeChecked() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "kages", digits: "4312005")
        let path = "/v1/providers/\(estate.provider)/billing"
        let answer = try await client.patch(
            path, ["seller": ["name": "Kages GmbH", "country": "DE", "vat_number": "DE123456788", "iban": "DE89370400440532013000"], "invoice_day": 1])
        #expect(answer.status == 200 && answer["seller"]?["name"]?.text == "Kages GmbH", "\(answer.text)")
        // What is not named stays.
        #expect(try await client.patch(path, ["seller": ["city": "Berlin"]])["seller"]?["iban"]?.text == "DE89370400440532013000")
        for (field, value) in [("iban", "DE89370400440532013001"), ("vat_number", "DE12"), ("country", "Germany")] {
            #expect(try await client.patch(path, ["seller": [field: .string(value)]] as JSON).status == 422, "\(field)")
        }
        #expect(try await client.patch(path, ["alert_webhook": "http://example.com/hook"]).status == 422)
        #expect(try await client.patch(path, ["alert_webhook": "https://example.com/hook"]).status == 200)
        let key = try await client.get(path + "/webhook-key")["key"]?.text
        #expect(key?.hasPrefix("llw_") == true)
    }
}
