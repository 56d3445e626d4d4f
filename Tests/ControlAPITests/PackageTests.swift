import Foundation
import Testing

@testable import ControlAPI

@Test func aCustomerBuysAPackageOfItsPlanOnceForAKeyAndCancelsIt() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let plan: JSON = [
            "packages": [
                [
                    "number": 1, "name": "Weekend", "price": "2.50", "days": 2, "renewing": true,
                    "allowances": [["number": 1, "name": "an hour", "seconds": 3600, "period": "once", "prefixes": ["+43"], "legs": ["pstn", "mobile"]]],
                ]
            ],
            "allowances": [["number": 1, "name": "a euro", "amount": "1.00", "period": "month"]],
            "subscriber_month": ["amount": "9.90", "currency": "EUR"], "proration": "daily",
        ]
        let changed = try await client.patch("/v1/service-plans/\(estate.plan)", plan)
        #expect(changed.status == 200, "\(changed.text)")
        #expect(changed["packages"]?[0]?["allowances"]?[0]?["legs"]?[1]?.text == "mobile")
        #expect(changed["proration"]?.text == "daily")
        let customer = try await client.token("customer", role: "customer_admin", scope: estate.customer)
        let path = "/v1/customers/\(estate.customer)/packages"
        // What a customer has to know is in its plan.
        #expect(try await customer.get("/v1/service-plans/\(estate.plan)")["packages"]?[0]?["name"]?.text == "Weekend")
        let payment: JSON = ["amount": ["amount": "10.00", "currency": "EUR"]]
        let paid = try await client.post("/v1/customers/\(estate.customer)/top-ups", payment, ["Idempotency-Key": "cash"])
        #expect(paid.status == 201, "\(paid.text)")
        let headers = ["Idempotency-Key": "weekend"]
        let bought = try await customer.post(path, ["package": 1], headers)
        #expect(bought.status == 201, "\(bought.text)")
        #expect(bought["price"]?["amount"]?.text == "2.50")
        #expect(bought["is_renewed"]?.flag == true)
        let again = try await customer.post(path, ["package": 1], headers)
        #expect(again["id"] == bought["id"])
        #expect(try await customer.post(path, ["package": 2], ["Idempotency-Key": "other"]).status == 422)
        #expect(try await customer.get(path)["items"]?.items?.count == 1)
        #expect(try await customer.get("/v1/customers/\(estate.customer)/balance")["balance"]?["amount"]?.text == "7.50")
        let left = try await customer.get("/v1/customers/\(estate.customer)/allowances")
        #expect(left["items"]?.items?.map { $0["name"]?.text } == ["a euro", "an hour"], "\(left.text)")
        #expect(left["items"]?[1]?["seconds"]?.integer(as: Int.self) == 3_600)
        let id = try #require(bought["id"]?.text)
        let cancelled = try await customer.delete("\(path)/\(id)")
        #expect(cancelled["is_renewed"]?.flag == false, "\(cancelled.text)")
        #expect(try await customer.get("/v1/customers/\(estate.customer)/fees")["items"]?.items?.isEmpty == true)
        let bad = try await client.patch(
            "/v1/service-plans/\(estate.plan)", ["allowances": [["number": 1, "name": "both", "seconds": 60, "amount": "1.00"]]])
        #expect(bad.status == 422)
        #expect(bad.text.contains("either seconds of talk or an amount of money"), "\(bad.text)")
    }
}
