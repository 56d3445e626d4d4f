import Model
import Testing

@testable import ControlAPI

@Test func aProviderNeverStandsBelowItself() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let below = try await Estate(client, name: "beneath", digits: "4311002", parent: ours.provider)
        for (child, parent) in [(ours.provider, below.provider), (ours.provider, ours.provider), (below.provider, "")] {
            let body: JSON = ["parent_id": parent.isEmpty ? .null : .string(parent)]
            let answer = try await client.patch("/v1/providers/\(child)", body)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(answer.places == ["/parent_id"])
        }
        #expect(try await client.get("/v1/providers/\(below.provider)")["parent_id"] == .string(ours.provider))
        // As deep as anybody sells, and no deeper.
        var parent = below.provider
        var made = 2
        while made < 100 {
            let answer = try await client.post(
                "/v1/providers",
                [
                    "name": "p", "namespace": .string("p\(made).example"), "currency": "EUR", "parent_id": .string(parent),
                ])
            guard answer.status == 201 else {
                #expect(answer.status == 409)
                #expect(answer.places == ["/parent_id"])
                break
            }
            parent = answer.id
            made += 1
        }
        #expect(made == 30)
        // Who is at the top sees all of it, who is at the bottom itself alone.
        let top = try await client.token("top", role: "provider_admin", scope: ours.provider)
        let bottom = try await client.token("bottom", role: "provider_admin", scope: parent)
        #expect(try await top.get("/v1/providers?limit=100")["items"]?.items?.count == 30)
        #expect(try await bottom.get("/v1/providers?limit=100")["items"]?.items?.count == 1)
    }
}

@Test func aLockedProviderStopsWhatIsAnyNumberOfLevelsBelow() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let below = try await Estate(client, name: "beneath", digits: "4311002", parent: ours.provider)
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: below.tenant)
        let permission = "/v1/subscribers/\(below.subscriber)/permission"
        #expect(try await tenant.get(permission)["may_register"] == true)
        #expect(try await client.patch("/v1/providers/\(ours.provider)", ["status": "locked"]).status == 200)
        let locked = try await tenant.get(permission + "?number=%2B431234567")
        #expect(locked["may_register"] == true && locked["may_call_emergency"] == true && locked["may_call"] == false, "\(locked.text)")
        let refused = try await tenant.patch("/v1/subscribers/\(below.subscriber)", ["display_name": "x"])
        #expect(refused.status == 403)
        // Whoever acts for a party is stopped as the party is; whoever is above it is not.
        #expect(
            try await client.patch(
                "/v1/subscribers/\(below.subscriber)", ["display_name": "x"], ["Act-As": "tenant/\(below.tenant)"]
            ).status == 403)
        #expect(try await client.patch("/v1/subscribers/\(below.subscriber)", ["display_name": "x"]).status == 200)
        #expect(try await client.get("/v1/providers/\(below.provider)")["status"] == "active")
        #expect(try await client.patch("/v1/providers/\(ours.provider)", ["status": "active"]).status == 200)
        #expect(try await tenant.get(permission)["may_register"] == true)
    }
}
