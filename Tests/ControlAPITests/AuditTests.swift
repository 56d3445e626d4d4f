import ControlPlane
import Foundation
import HTTPTypes
import HummingbirdTesting
import Ledger
import Primitives
import Testing

@testable import ControlAPI

@Suite struct AuditTests {
    private func entries(_ client: Client, _ query: String) async throws -> [JSON] {
        let answer = try await client.get("/v1/audit?" + query)
        try #require(answer.status == 200, "\(answer.text)")
        return answer["items"]?.items ?? []
    }

    private func change(_ entry: JSON?, _ field: String) -> JSON? {
        entry?["changes"]?.items?.first { $0["field"]?.text == field }
    }

    @Test func aChangeSaysWhoForWhomByWhichRequestAndWhatItWasBefore() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "one", digits: "4311001")
            let anna = try await client.token("anna", role: "provider_admin", scope: estate.provider)
            let answer = try await anna.patch(
                "/v1/customers/\(estate.customer)", ["name": "New name"],
                ["X-Request-Id": "ticket-17", "Ledgerline-On-Behalf-Of": "Berta"])
            #expect(answer.status == 200, "\(answer.text)")
            let all = try await entries(client, "entity_id=\(estate.customer)")
            #expect(all.compactMap { $0["type"]?.text } == ["customer.created", "customer.changed"])
            let last = all.last
            #expect(last?["actor"] == "anna" && last?["on_behalf_of"] == "Berta" && last?["request_id"] == "ticket-17")
            #expect(last?["entity_kind"] == "customer" && last?["entity_id"] == .string(estate.customer) && last?["version"] == 2)
            #expect(last?["changes"] == [["field": "name", "before": "customer of one", "after": "New name"]])
            #expect(change(all.first, "name") == ["field": "name", "before": .null, "after": "customer of one"])
        }
    }

    @Test func aSecretIsSaidToHaveChangedAndNotShown() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "one", digits: "4311001")
            let path = "/v1/subscribers/\(estate.subscriber)"
            #expect(try await client.patch(path, ["password": "a better horse"]).status == 200)
            #expect(try await client.delete(path).status == 204)
            let all = try await client.get("/v1/audit?entity_id=\(estate.subscriber)")
            #expect(!all.text.contains("horse") && !all.text.contains("credential"))
            let items = all["items"]?.items ?? []
            #expect(items.count == 3)
            #expect(items[1]["changes"] == [["field": "password", "before": "(secret)", "after": "(another secret)"]])
            // A removal says what was there.
            #expect(items[2]["type"] == "entity.removed" && items[2]["entity_kind"] == "subscriber")
            #expect(change(items[2], "username") == ["field": "username", "before": "alice", "after": .null])
            let issued = try await entries(client, "type=token.issued")
            #expect(issued.allSatisfy { change($0, "secret_hash") == nil })
        }
    }

    @Test func entriesAreFoundByActorTypeTimeAndText() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "one", digits: "4311001")
            let anna = try await client.token("anna", role: "provider_admin", scope: estate.provider)
            _ = try await anna.patch("/v1/contacts/\(estate.contact)", ["city": "Villach"])
            #expect(try await entries(client, "actor=anna").compactMap { $0["type"]?.text } == ["contact.changed"])
            #expect(try await entries(client, "type=contact").count == 2)
            #expect(try await entries(client, "contains=villACH").count == 1)
            #expect(try await entries(client, "contains=Salzburg").isEmpty)
            #expect(try await entries(client, "type=contact&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z").count == 2)
            #expect(try await entries(client, "type=contact&from=2100-01-01T00:00:00Z").isEmpty)
            #expect(try await entries(client, "type=contact&to=2020-01-01T00:00:00Z").isEmpty)
            // What was searched for may name a person: it is not recorded.
            let read = try await entries(client, "type=records.read")
            #expect(read.contains { change($0, "filter")?["after"] == "contains=(withheld)" })
            #expect(!read.contains { change($0, "filter")?["after"]?.text?.contains("villACH") == true })
        }
    }

    @Test func pagesComeToAnEndThoughEachIsAnEventItself() async throws {
        try await TestPlatform.with { client in
            _ = try await Estate(client, name: "one", digits: "4311001")
            let before = client.platform.service.log.head
            var (after, pages, sequences) = ("", 0, [UInt64]())
            repeat {
                let answer = try await client.get("/v1/audit?limit=1" + (after.isEmpty ? "" : "&after=\(after)"))
                sequences += (answer["items"]?.items ?? []).compactMap { $0["sequence"]?.integer() }
                after = answer["next"]?.text ?? ""
                pages += 1
                try #require(pages < 200)
            } while !after.isEmpty
            #expect(sequences == sequences.sorted() && Set(sequences).count == sequences.count)
            #expect(sequences.last == before)
            #expect(client.platform.service.log.head == before + UInt64(pages))
            #expect(try await client.get("/v1/audit?after=1").status == 400)
            #expect(try await client.get("/v1/audit?after=1.999999").status == 400)
        }
    }

    @Test func readingRecordsOfCallsIsAnEvent() async throws {
        try await withPastCalls { client, ours, _, calls in
            let anna = try await client.token("anna", role: "provider_admin", scope: ours.provider)
            let head = client.platform.service.log.head
            #expect(try await anna.get("/v1/customers/\(ours.customer)/cdrs?direction=outbound").status == 200)
            #expect(try await anna.get("/v1/cdrs/1").status == 200)
            #expect(try await anna.get("/v1/calls").status == 200)
            #expect(try await anna.get("/v1/entities/\(calls.call)/history").status == 200)
            #expect(try await anna.get("/v1/cdrs/2").status == 404)
            #expect(try await anna.get("/v1/customers/\(ours.customer)").status == 200)
            #expect(client.platform.service.log.head == head + 4)
            let read = try await entries(client, "type=records.read&actor=anna")
            #expect(read.compactMap { change($0, "what")?["after"]?.text } == ["cdrs", "cdr", "live_calls", "history"])
            #expect(change(read.first, "filter")?["after"] == "direction=outbound")
            #expect(change(read.first, "count")?["after"] == 1)
            #expect(read.first?["entity_id"] == .string(ours.customer))
            #expect(read[1]["entity_id"] == .string(calls.call.description) && read[1]["entity_kind"] == "call")
            // A call's audit has both what happened to it and who looked.
            let types = try await entries(client, "entity_id=\(calls.call)").compactMap { $0["type"]?.text }
            #expect(types.starts(with: ["call.started", "call.ended", "cdr.recorded"]))
            #expect(types.filter { $0 == "records.read" }.count == 2)
        }
    }

    @Test func whatCannotBeRecordedIsNotShown() async throws {
        try await withPastCalls { client, _, _, _ in
            var platform = Platform(client.platform.service)
            platform.submit = { _ async throws(AdminRejection) in throw .unavailable(reason: "the disk is full") }
            try await APIServer(platform).application(host: "127.0.0.1", port: 0).test(.router) { http in
                let other = Client(client: http, platform: client.platform, token: client.platform.admin)
                for path in ["/v1/cdrs", "/v1/cdrs/1", "/v1/calls", "/v1/audit", "/v1/cdrs/1/dispute"] {
                    let answer = try await other.get(path)
                    #expect(answer.status == 503, "\(path)")
                    #expect(answer["items"] == nil && answer["call_id"] == nil)
                }
                #expect(try await other.get("/v1/customers").status == 200)
            }
        }
    }

    @Test func aProviderSeesWhatHappenedInItsSubtreeAlone() async throws {
        try await TestPlatform.with { client in
            let mine = try await Estate(client, name: "one", digits: "4311001")
            let theirs = try await Estate(client, name: "two", digits: "4311002")
            let anna = try await client.token("anna", role: "provider_admin", scope: mine.provider)
            _ = try await client.get("/v1/customers/\(mine.customer)/cdrs")
            _ = try await client.get("/v1/customers/\(theirs.customer)/cdrs")
            _ = try await client.post("/v1/subjects/\(mine.subscriber)/erase", ["reason": "request 17"])
            let answer = try await anna.get("/v1/audit?limit=500")
            for id in [theirs.provider, theirs.contact, theirs.customer, theirs.tenant, theirs.subscriber, theirs.deck, theirs.number] {
                #expect(!answer.text.contains(id))
            }
            let items = answer["items"]?.items ?? []
            for id in [mine.provider, mine.contact, mine.customer, mine.tenant, mine.subscriber, mine.deck, mine.number] {
                #expect(items.contains { $0["entity_id"] == .string(id) }, "\(id)")
            }
            // It knows that the platform looked at its records, and that its person was erased.
            #expect(items.contains { $0["type"] == "records.read" && $0["entity_id"] == .string(mine.customer) })
            #expect(items.contains { $0["type"] == "subject.erased" })
            #expect(try await anna.get("/v1/audit?entity_id=\(theirs.customer)")["items"] == [])
            let reader = try await client.token("reader", role: "read_only", scope: mine.provider)
            #expect(try await reader.get("/v1/audit").status == 403)
        }
    }

    @Test func anErasedPersonIsGoneFromTheAuditToo() async throws {
        try await TestPlatform.with { client in
            let estate = try await Estate(client, name: "one", digits: "4311001")
            _ = try await client.patch("/v1/contacts/\(estate.contact)", ["name": "Wunderlich", "country": "AT"])
            #expect(try await entries(client, "contains=Wunderlich").count == 1)
            _ = try await client.post("/v1/subjects/\(estate.contact)/erase", ["reason": "request 17"])
            let all = try await client.get("/v1/audit?entity_id=\(estate.contact)")
            #expect(!all.text.contains("Wunderlich") && !all.text.contains("Anna"))
            let items = all["items"]?.items ?? []
            #expect(items.count == 3)
            #expect(items[1]["erased"] == true && items[1]["changes"] == [["field": "country", "before": "", "after": "AT"]])
            #expect(items[2]["type"] == "subject.erased" && change(items[2], "reason")?["after"] == "request 17")
        }
    }

    @Test func overARealConnectionTheAddressOfThePeerIsKept() async throws {
        let platform = try TestPlatform()
        let server = APIServer(Platform(platform.service))
        try await server.application(host: "127.0.0.1", port: 0).test(.live) { http in
            let client = Client(client: http, platform: platform, token: platform.admin)
            let estate = try await Estate(client, name: "one", digits: "4311001")
            let all = try await entries(client, "entity_id=\(estate.provider)")
            #expect(all.first?["address"] == "127.0.0.1")
            #expect(try await entries(client, "contains=127.0.0.1").count > 5)
            // Below the platform, the address of the platform's own people is not shown.
            let anna = try await client.token("anna", role: "provider_admin", scope: estate.provider)
            _ = try await anna.patch("/v1/contacts/\(estate.contact)", ["city": "Graz"])
            let seen = try await entries(anna, "entity_id=\(estate.contact)")
            #expect(seen.compactMap { $0["address"]?.text } == ["", "127.0.0.1"])
            let refused = try await client.get("/v1/audit", ["Ledgerline-On-Behalf-Of": String(repeating: "x", count: 129)])
            #expect(refused.status == 400)
        }
    }
}
