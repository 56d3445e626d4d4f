import ControlPlane
import Foundation
import Model
import OpenSSL
import Primitives
import SwiftProtobuf
import Testing

@testable import ControlAPI

@Test func theLastTokenThatOpensThePlatformCannotBeRevoked() async throws {
    try await TestPlatform.with { client in
        let own = try await client.get("/v1/tokens/self").id
        let refused = try await client.delete("/v1/tokens/\(own)")
        #expect(refused.status == 409)
        #expect(refused["detail"]?.text?.contains("Issue another first") == true, "\(refused.text)")
        // One that expires does not count: it would lock everybody out later.
        let day: JSON = ["name": "for a day", "role": "platform_admin", "expires_at": "2999-01-01T00:00:00Z"]
        #expect(try await client.post("/v1/tokens", day).status == 201)
        #expect(try await client.delete("/v1/tokens/\(own)").status == 409)
        let second = try await client.token("second", role: "platform_admin")
        #expect(try await client.delete("/v1/tokens/\(own)").status == 204)
        #expect(try await client.get("/v1/tokens/self").status == 401)
        #expect(try await second.get("/v1/tokens/self").status == 200)
    }
}

@Test func aTokenSaysWhoIssuedItAndIsRefusedFromItsTimeOn() async throws {
    let first = try TestPlatform()
    let bearer = BearerToken(presented: "llt_of_yesterday")
    let old = UUIDv7(high: 1, low: 2)
    try await TestPlatform.with(first) { client in
        let asked = try await client.post(
            "/v1/tokens", ["name": "nightly", "role": "billing", "expires_at": "2999-01-01T00:00:00Z"])
        #expect(asked["token"]?["issued_by"] == "admin")
        #expect(asked["token"]?["expires_at"]?.text?.hasPrefix("2999-01-01T00:00:00") == true)
        #expect(asked["token"]?["issued_at"]?.text?.hasPrefix("20") == true)
        let late = try await client.post(
            "/v1/tokens", ["name": "late", "role": "billing", "expires_at": "2001-01-01T00:00:00Z"])
        #expect(late.status == 422)
        #expect(late.places == ["/expires_at"])
    }
    let token = Token.with {
        $0.id = Data(old.bytes)
        $0.name = "yesterday"
        $0.role = .platformAdmin
        $0.secretHash = Data(Hash.sha256(Array(bearer.text.utf8)))
        $0.expiresAt = 1_700_000_000_000_000
    }
    let later = try first.reopened(after: [(old, .tokenIssued(.with { $0.token = token }))])
    try await TestPlatform.with(later) { client in
        let answer = try await client.with(bearer.text).get("/v1/tokens/self")
        #expect(answer.status == 401)
        #expect(answer["detail"] == "The token has expired.")
        // It is still listed, for whoever wonders.
        #expect(try await client.get("/v1/tokens").text.contains("yesterday"))
    }
}

@Test func aSubscribersOwnTokenSetsWhatIsItsOwnAndNoMore() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let user = try await client.token("alice", role: "user", scope: ours.subscriber)
        let own = "/v1/subscribers/\(ours.subscriber)"
        let changed = try await user.patch(
            own, ["display_name": "Alice", "email": "alice@alpha.example", "password": "another horse", "dial_timeout_seconds": 30])
        #expect(changed.status == 200, "\(changed.text)")
        for change: JSON in [
            ["allowed_prefixes": ["+"]], ["username": "root", "password": "another horse"], ["aliases": ["1"]], ["status": "locked"],
            ["concurrent_calls_max": 0, "caller_id": "+4311001"], ["media_security": "sdes"],
        ] { #expect(try await user.patch(own, change).status == 403, "\(change)") }
        #expect(try await user.get("/v1/subscribers")["items"]?.items?.count == 1)
        #expect(try await user.get("/v1/tenants")["items"]?.items?.isEmpty == true)
        #expect(try await user.get("/v1/tenants/\(ours.tenant)").status == 404)
        #expect(try await user.get("/v1/customers/\(ours.customer)/balance").status == 403)
        #expect(try await user.get("/v1/cdrs").status == 200)
        #expect(try await user.delete(own + "/bindings").status == 204)
        // A user's scope is a subscriber, and nobody else's is.
        for (role, scope) in [("user", ours.tenant), ("read_only", ours.subscriber), ("tenant_admin", ours.subscriber)] {
            let answer = try await client.post("/v1/tokens", ["name": "odd", "role": .string(role), "scope_id": .string(scope)])
            #expect(answer.status == 422, "\(role)")
        }
    }
}

@Test func whoActsForSomebodyStandsInTheAuditBesideThem() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let asTenant = ["Act-As": "tenant/\(ours.tenant)"]
        let renamed = try await provider.patch(
            "/v1/subscribers/\(ours.subscriber)", ["display_name": "Alice"],
            asTenant.merging(["Ledgerline-On-Behalf-Of": "ticket 17"]) { $1 })
        #expect(renamed.status == 200, "\(renamed.text)")
        // Acting for a tenant is worth a tenant's token: the customer is out of sight, and tenants are not changed.
        #expect(try await provider.get("/v1/customers/\(ours.customer)", asTenant).status == 404)
        #expect(try await provider.patch("/v1/tenants/\(ours.tenant)", ["name": "x"], asTenant).status == 403)
        for party in ["tenant/\(theirs.tenant)", "customer/\(ours.tenant)", "tenant/\(ours.number)"] {
            #expect(try await provider.get("/v1/subscribers", ["Act-As": party]).status == 403, "\(party)")
        }
        #expect(try await provider.get("/v1/subscribers", ["Act-As": "everybody"]).places == ["Act-As"])
        let user = try await client.token("alice", role: "user", scope: ours.subscriber)
        #expect(try await user.get("/v1/subscribers", ["Act-As": "subscriber/\(ours.subscriber)"]).status == 403)
        let support = try await client.token("help", role: "support", scope: ours.provider)
        #expect(try await support.get("/v1/subscribers", asTenant).status == 200)
        #expect(
            try await support.patch("/v1/subscribers/\(ours.subscriber)", ["display_name": "x"], asTenant).status == 403)

        let entries = try await provider.get("/v1/audit?entity_id=\(ours.subscriber)&type=subscriber.changed")["items"]?.items ?? []
        #expect(entries.count == 1)
        #expect(entries.first?["actor"] == "provider")
        #expect(entries.first?["acting_for"] == .string("tenant/\(ours.tenant)"))
        #expect(entries.first?["on_behalf_of"] == "ticket 17")
        let stored = try await client.get("/v1/audit?entity_id=\(ours.subscriber)&type=subscriber.created")["items"]?.items ?? []
        #expect(stored.first?["acting_for"] == "")
    }
}

/// The API's views may be a moment old; what moves money or secrets is checked where it is decided.
@Test func theCoreRefusesWhatATokenMayNotAnyMore() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let issued = try await client.post(
            "/v1/tokens", ["name": "till", "role": "billing", "scope_id": .string(ours.provider)])
        let till = try #require(TokenID(issued["token"]?["id"]?.text ?? ""))
        let amount = Amount.with {
            $0.micros = 1_000_000
            $0.currency = "EUR"
        }
        let driver = client.platform.service.driver
        func topUp(_ customer: String, as authority: Authority?) async throws -> AdminRejection? {
            let command = AdminCommand.topUp(try #require(CustomerID(customer)), amount, reason: "test")
            do throws(AdminRejection) {
                _ = try await driver.submit(AdminRequest(command, actor: "till", requestID: "r", authority: authority))
                return nil
            } catch {
                return error
            }
        }
        #expect(try await topUp(ours.customer, as: Authority(token: till)) == nil)
        #expect(try await topUp(theirs.customer, as: Authority(token: till))?.status == 403)
        // Acting for a customer: a customer posts no money.
        #expect(
            try await topUp(ours.customer, as: Authority(token: till, actingFor: UUIDv7(ours.customer)))?.status == 403)
        #expect(try await client.delete("/v1/tokens/\(till)").status == 204)
        #expect(try await topUp(ours.customer, as: Authority(token: till))?.status == 403)
    }
}
