import Testing

@testable import ControlAPI

@Suite struct SubjectTests {
    @Test func aPersonIsErasedThroughTheAPIAndWhatIsLeftIsEmpty() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "one", digits: "4311001")
            let listed = try await client.get("/v1/subjects")
            #expect(listed.status == 200)
            let kinds = Set((listed["items"]?.items ?? []).compactMap { $0["kind"]?.text })
            #expect(kinds == ["contact", "customer", "subscriber"])

            let kept = try await client.get("/v1/subjects/\(estate.contact)")
            #expect(kept["state"]?.text == "kept" && kept["key"]?.text == "present")
            let erased = try await client.post("/v1/subjects/\(estate.contact)/erase", ["reason": "request 17"])
            #expect(erased.status == 200, "\(erased.text)")
            #expect(erased["state"]?.text == "erased" && erased["key"]?.text == "destroyed")
            #expect(erased["reason"]?.text == "request 17")
            let contact = try await client.get("/v1/contacts/\(estate.contact)")
            #expect(contact["name"]?.text == "")
            #expect(try await client.patch("/v1/contacts/\(estate.contact)", ["name": "Berta"]).status == 409)

            let again = try await client.post("/v1/subjects/\(estate.contact)/erase", ["reason": "once more"])
            #expect(again.status == 200 && again["erased_at"] == erased["erased_at"] && again["reason"]?.text == "request 17")

            _ = try await client.post("/v1/subjects/\(estate.subscriber)/erase", ["reason": "request 17"])
            #expect(try await client.get("/v1/subscribers/\(estate.subscriber)").status == 404)
            #expect(try await client.get("/v1/subjects/\(estate.subscriber)")["state"]?.text == "erased")
        }
    }

    @Test func aHoldIsRefusedWithItsReasonUntilItIsLifted() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "one", digits: "4311001")
            let path = "/v1/subjects/\(estate.customer)"
            let held = try await client.post(path + "/hold", ["reason": "case 17"])
            #expect(held["state"]?.text == "held" && held["reason"]?.text == "case 17")
            let refused = try await client.post(path + "/erase", ["reason": "request 18"])
            #expect(refused.status == 409 && refused.text.contains("case 17"))
            #expect(try await client.get("/v1/customers/\(estate.customer)")["name"]?.text == "customer of one")
            #expect(try await client.post(path + "/release", ["reason": "closed"])["state"]?.text == "kept")
            #expect(try await client.post(path + "/erase", ["reason": "request 18"])["state"]?.text == "erased")
        }
    }

    @Test func aProviderErasesItsOwnAndKnowsOfNobodyElse() async throws {
        try await TestPlatform.with { client in
            let mine = try await Estate(client, name: "one", digits: "4311001")
            let theirs = try await Estate(client, name: "two", digits: "4311002")
            let admin = try await client.token("one's", role: "provider_admin", scope: mine.provider)
            let seen = try await admin.get("/v1/subjects")
            let ids = Set((seen["items"]?.items ?? []).compactMap { $0["id"]?.text })
            #expect(ids == [mine.contact, mine.customer, mine.subscriber])
            #expect(try await admin.get("/v1/subjects/\(theirs.contact)").status == 404)
            #expect(try await admin.post("/v1/subjects/\(theirs.contact)/erase", ["reason": "x"]).status == 404)
            #expect(try await admin.post("/v1/subjects/\(mine.subscriber)/erase", ["reason": "x"]).status == 200)
            let reader = try await client.token("reader", role: "read_only", scope: mine.provider)
            #expect(try await reader.post("/v1/subjects/\(mine.contact)/erase", ["reason": "x"]).status == 403)
        }
    }
}
