import Testing

@testable import ControlAPI

@Test func aCarriersRulesAndItsGatewaysLimitsAreReadBackAndItsPasswordIsNot() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let rules: JSON = [["description": "Austria", "callee_prefix": "+43", "stopper": true]]
        let gateway: JSON = [
            "name": "west", "host": "192.0.2.40", "priority": 1, "weight": 2, "calls_max": 30, "calls_per_second_max": 5, "auth_username": "trunk",
            "auth_password": "secret of the trunk",
        ]
        let made = try await client.post(
            "/v1/carriers", ["provider_id": .string(estate.provider), "name": "West", "gateways": [gateway], "outbound_rules": rules])
        #expect(made.status == 201, "\(made.text)")
        let id = try #require(made["id"]?.text)
        let read = try await client.get("/v1/carriers/\(id)")
        #expect(read["outbound_rules"]?[0]?["callee_prefix"] == "+43" && read["outbound_rules"]?[0]?["stopper"] == true)
        #expect(read["gateways"]?[0]?["calls_max"] == 30 && read["gateways"]?[0]?["auth_username"] == "trunk")
        #expect(!read.text.contains("secret of the trunk") && !made.text.contains("secret of the trunk"))
        // A change of something else leaves the password as it is.
        let gatewayID = try #require(read["gateways"]?[0]?["id"]?.text)
        #expect(try await client.patch("/v1/carriers/\(id)/gateways/\(gatewayID)", ["weight": 3]).status == 200)
        let refused = try await client.patch("/v1/carriers/\(id)", ["inbound_rules": [["field": "caller", "pattern": "(", "reject_code": 403]]])
        #expect(refused.status == 422 && refused.text.contains("pattern"), "\(refused.text)")
        let group = try await client.post("/v1/carriers", ["provider_id": .string(estate.provider), "name": "All", "member_ids": [.string(id)], "choice": "least_cost"])
        #expect(group.status == 201, "\(group.text)")
        #expect(group["member_ids"] == [.string(id)])
        #expect(try await client.delete("/v1/carriers/\(id)").status == 409)
    }
}
