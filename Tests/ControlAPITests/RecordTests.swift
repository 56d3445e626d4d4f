import HTTPTypes
import Ledger
import OpenSSL
import Synchronization
import Testing

@testable import ControlAPI

/// One call from alpha's subscriber to omega's. Each side sees the call, and of the other side a number.
@Test func recordsShowEachSideWhatIsItsOwn() async throws {
    try await withPastCalls { client, ours, theirs, calls in
        let platform = try await client.get("/v1/cdrs/1")
        #expect(platform.status == 200, "\(platform.text)")
        #expect(platform["charges"]?.items?.count == 2)
        #expect(platform["duration_ms"] == 30_000)
        #expect(platform["answered_at"]?.text?.hasSuffix("Z") == true)

        let provider = try await client.token("alpha", role: "provider_admin", scope: ours.provider)
        let seen = try await provider.get("/v1/cdrs/1")
        #expect(seen["charges"]?.items?.compactMap { $0["edge"]?.text } == ["retail"])
        #expect(seen["called"]?["number"] == "+4311003")
        #expect(seen["called"]?["subscriber_id"] == .null)
        #expect(seen["attempts"]?[0]?["target"] == "")
        #expect(seen["worker"] == "s1")

        let customer = try await client.token("omega customer", role: "customer_admin", scope: theirs.customer)
        let other = try await customer.get("/v1/cdrs/1")
        #expect(other["charges"] == [])
        #expect(other["journal_id"] == .null)
        #expect(other["caller"]?["customer_id"] == .null)
        #expect(other["called"]?["subscriber_id"] == .string(theirs.subscriber))
        #expect(other["attempts"]?[0]?["target"] == "sip:bob@192.0.2.99")
        #expect(other["worker"] == "")

        let bystander = try await Estate(client, name: "gamma", digits: "4311007")
        let nobody = try await client.token("gamma", role: "provider_admin", scope: bystander.provider)
        #expect(try await nobody.get("/v1/cdrs/1").status == 404)
        #expect(try await nobody.get("/v1/cdrs")["items"] == [])
        #expect(try await nobody.get("/v1/entities/\(calls.call)/history").status == 404)
        #expect(try await provider.get("/v1/entities/\(calls.call)/history").status == 200)
        #expect(try await client.get("/v1/cdrs/2").status == 404)
    }
}

/// Who is called learns from the API no more of a caller who hides the number than its phone was told; whoever carries the call knows it.
@Test(arguments: [true, false]) func aNumberThatIsNotShownIsNotInTheCalledCustomersRecords(isAnonymous: Bool) async throws {
    try await withPastCalls(areAnonymous: isAnonymous) { client, ours, theirs, calls in
        let paths = ["/v1/cdrs/1", "/v1/calls/\(calls.running)"]
        func numbers(_ asker: Client) async throws -> Set<String> {
            var found: Set<String> = []
            for path in paths {
                let answer = try await asker.get(path)
                #expect(answer["is_anonymous"] == .bool(isAnonymous))
                found.insert(answer["caller"]?["number"]?.text ?? "")
            }
            let history = try await asker.get("/v1/entities/\(calls.call)/history")
            found.formUnion((history["items"]?.items ?? []).compactMap { $0["data"]?["caller"]?["number"]?.text })
            found.insert(try await asker.get("/v1/cdrs/1/explanation")["caller"]?.text ?? "")
            return found
        }
        for (name, role, scope) in [("c", "customer_admin", theirs.customer), ("t", "tenant_admin", theirs.tenant), ("s", "user", theirs.subscriber)] {
            let called = try await client.token(name, role: role, scope: scope)
            #expect(try await numbers(called) == [isAnonymous ? "anonymous" : "1000"], "\(role)")
        }
        #expect(try await numbers(client) == ["1000"])
        for (name, role, scope) in [("o", "customer_admin", ours.customer), ("p", "provider_admin", ours.provider), ("q", "provider_admin", theirs.provider)] {
            let asker = try await client.token(name, role: role, scope: scope)
            #expect(try await numbers(asker) == ["1000"], "\(name)")
        }
    }
}

@Test func recordsAreFoundByPartyTimeAndKind() async throws {
    try await withPastCalls { client, ours, theirs, calls in
        let found = [
            "", "?provider_id=\(ours.provider)", "?customer_id=\(theirs.customer)", "?tenant_id=\(ours.tenant)",
            "?subscriber_id=\(theirs.subscriber)", "?call_id=\(calls.call)", "?direction=outbound",
            "?cause=caller_hung_up",
            "?from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z", "?after=0",
        ]
        let missed = [
            "?direction=inbound", "?cause=busy", "?from=2030-01-01T00:00:00Z", "?to=2020-01-01T00:00:00Z", "?after=1",
            "?call_id=\(ours.customer)", "?carrier_id=\(ours.carrier)",
        ]
        for query in found { #expect(try await client.get("/v1/cdrs" + query)["items"]?.items?.count == 1, "\(query)") }
        for query in missed {
            #expect(try await client.get("/v1/cdrs" + query)["items"]?.items?.count == 0, "\(query)")
        }
        #expect(try await client.get("/v1/customers/\(ours.customer)/cdrs")["items"]?.items?.count == 1)
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: ours.tenant)
        #expect(try await tenant.get("/v1/cdrs")["items"]?.items?.count == 1)
        #expect(try await tenant.get("/v1/cdrs?customer_id=\(theirs.customer)").status == 400)
        #expect(try await tenant.get("/v1/customers/\(ours.customer)/cdrs").status == 404)
    }
}

@Test func aProofIsVerifiableWithoutUsAndGivenToWhoSeesTheWholeRecord() async throws {
    try await withPastCalls { client, ours, _, _ in
        let answer = try await client.get("/v1/cdrs/1/proof")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
        let head = try await client.get("/v1/log/head")
        let text = try #require(head["verifier_key"]?.text)
        let parsed = try #require(VerifyingKey.parse(noteKey: text))
        let (event, checkpoint) = try InclusionProof(text: answer.text).verified(with: parsed.key)
        #expect(event.type == "cdr.recorded")
        #expect(checkpoint.origin == "test.example/log")
        let signed = try await client.get("/v1/log/checkpoint")
        // That the proof was shown is an event after it.
        #expect(try Checkpoint(note: signed.text, key: parsed.key).size == checkpoint.size + 1)
        let provider = try await client.token("alpha", role: "provider_admin", scope: ours.provider)
        #expect(try await provider.get("/v1/cdrs/1/proof").status == 403)
    }
}

@Test func aDisputePackIsGivenToWhoSeesTheWholeRecord() async throws {
    try await withPastCalls { client, ours, _, _ in
        let answer = try await client.get("/v1/cdrs/1/dispute")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer["format"] == "ledgerline.dispute/1")
        #expect(answer["explanation"]?["record"] == .number("1"))
        #expect((answer["events"]?.items?.count ?? 0) >= 3)
        let provider = try await client.token("alpha", role: "provider_admin", scope: ours.provider)
        #expect(try await provider.get("/v1/cdrs/1/dispute").status == 403)
        #expect(try await client.get("/v1/cdrs/99/dispute").status == 404)
    }
}

/// Alpha's provider earns 0.022, and omega's pays the carrier 0.005; the platform sees both, and each of them its own.
@Test func marginsAreShownToWhoSeesBothSidesOfThem() async throws {
    try await withPastCalls { client, ours, theirs, _ in
        let all = try await client.get("/v1/cdrs/1")["margins"]?.items ?? []
        #expect(all.compactMap { $0["provider_id"]?.text } == [ours.provider, theirs.provider])
        #expect(all.compactMap { $0["margin"]?["amount"]?.text } == ["0.022", "-0.005"])
        let provider = try await client.token("alpha", role: "provider_admin", scope: ours.provider)
        let own = try await provider.get("/v1/cdrs/1")["margins"]
        #expect(own?.items?.count == 1 && own?[0]?["earned"] == ["amount": "0.022", "currency": "EUR"])
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        #expect(try await customer.get("/v1/cdrs/1")["margins"] == [])
    }
}

@Test func statisticsCountTheCallsOfTheTokensOwnSubtree() async throws {
    try await withPastCalls { client, ours, theirs, _ in
        let all = try await client.get("/v1/statistics?by=provider,direction&from=2026-01-01T00:00:00Z")
        #expect(all.status == 200, "\(all.text)")
        #expect(all["counts"] == "calls" && all["groups"]?.items?.count == 1)
        let group = try #require(all["groups"]?[0])
        #expect(group["values"] == [.string(ours.provider), "outbound"] && group["names"] == ["alpha", .null])
        #expect(group["calls"] == 1 && group["asr"] == "100.00" && group["acd_seconds"] == "30.000")
        #expect(group["pdd_milliseconds"]?["mean"] == 2_000)
        let called = try await client.token("omega", role: "provider_admin", scope: theirs.provider)
        #expect(try await called.get("/v1/statistics")["groups"] == [])
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        #expect(try await customer.get("/v1/statistics?by=hour")["groups"]?.items?.count == 1)
        #expect(try await customer.get("/v1/statistics?by=carrier").status == 400)
        #expect(try await customer.get("/v1/statistics?provider_id=\(theirs.provider)").status == 400)
        #expect(try await client.get("/v1/statistics?by=colour").status == 400)
        #expect(try await client.get("/v1/statistics?by=hour,day,cause,status").status == 400)
    }
}

@Test func chargesArePutRightOnceAndTheCorrectionsStandBesideTheRecord() async throws {
    try await withPastCalls { client, ours, theirs, _ in
        let from: JSON = "2026-09-01T00:00:00Z", to: JSON = "2026-10-01T00:00:00Z"
        let body: JSON = ["deck_id": .string(ours.deck), "version": 1, "from": from, "to": to, "reason": "billed by the wrong deck"]
        #expect(try await client.post("/v1/rerates", body).places == ["Idempotency-Key"])
        let before = try await client.get("/v1/cdrs/1")
        #expect(before["corrections"] == [])
        let first = try await client.post("/v1/rerates", body, ["Idempotency-Key": "r1"])
        #expect(first.status == 200, "\(first.text)")
        #expect(first["corrections"] == 1 && first["records"] == 1 && first["next"] == .null)
        #expect(first["difference"] == ["amount": "0.098", "currency": "EUR"])
        let id = try #require(first["rerate_id"]?.text)

        // The same key gives the same answer; another finds nothing to do.
        let again = try await client.post("/v1/rerates", body, ["Idempotency-Key": "r1"])
        #expect(again.json == first.json && again.headers[.idempotencyReplayed] == "true")
        let more = try await client.post("/v1/rerates", body, ["Idempotency-Key": "r2"])
        #expect(more["corrections"] == 0 && more["rerate_id"] == .null && more["difference"]?["amount"] == "0.00")

        let record = try await client.get("/v1/cdrs/1")
        #expect(record["charges"] == before["charges"])
        let correction = try #require(record["corrections"]?[0])
        #expect(correction["number"] == 1 && correction["edge"] == "retail" && correction["ordinal"] == 1)
        #expect(correction["before"]?["amount"] == "0.022" && correction["difference"]?["amount"] == "0.098")
        #expect(correction["charge"]?["amount"]?["amount"] == "0.12" && correction["charge"]?["deck_id"] == .string(ours.deck))
        #expect(correction["reason"] == "billed by the wrong deck" && correction["rerate_id"] == .string(id))
        #expect(try await client.get("/v1/customers/\(ours.customer)/balance")["balance"]?["amount"] == "-0.12")
        #expect(try await client.get("/v1/trial-balance")["is_zero"] == true)
        let postings = try await client.get("/v1/accounts/customer.\(ours.customer).EUR/postings")
        #expect(postings["items"]?.items?.compactMap { $0["kind"]?.text } == ["call", "rerating"])

        // Who sees the charge sees its corrections.
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        #expect(try await customer.get("/v1/cdrs/1")["corrections"]?.items?.count == 1)
        let called = try await client.token("called", role: "customer_admin", scope: theirs.customer)
        #expect(try await called.get("/v1/cdrs/1")["corrections"] == [])

        // Only who is above the deck may use it, and only on its own customers.
        #expect(try await customer.post("/v1/rerates", body, ["Idempotency-Key": "c"]).status == 403)
        let omega = try await client.token("omega", role: "provider_admin", scope: theirs.provider)
        #expect(try await omega.post("/v1/rerates", body, ["Idempotency-Key": "o"]).places == ["/deck_id"])
        func faults(_ name: String, _ value: JSON) async throws -> [String] {
            var members = body.members ?? []
            members.removeAll { $0.name == name }
            members.append(JSON.Member(name, value))
            return try await client.post("/v1/rerates", .object(members), ["Idempotency-Key": "f-\(name)"]).places
        }
        #expect(try await faults("version", 7) == ["/version"])
        #expect(try await faults("to", from) == ["/to"])
        #expect(try await faults("customer_id", .string(theirs.customer)) == ["/customer_id"])
        #expect(try await faults("after", "nonsense") == ["/after"])
        #expect(try await faults("rerate_id", .string(ours.customer)) == ["/rerate_id"])
        // Going on with a re-rating under other terms is none.
        var members = body.members ?? []
        members.removeAll { $0.name == "to" }
        members += [JSON.Member("to", "2026-11-01T00:00:00Z"), JSON.Member("rerate_id", .string(id))]
        #expect(try await client.post("/v1/rerates", .object(members), ["Idempotency-Key": "x"]).places == ["/rerate_id"])
    }
}

@Test func runningCallsAreShownToTheirSidesAndHungUp() async throws {
    try await withPastCalls { client, ours, _, calls in
        let list = try await client.get("/v1/calls")
        #expect(list["items"]?.items?.count == 1, "\(list.text)")
        #expect(list["items"]?[0]?["worker"] == "s1")
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: ours.tenant)
        let reader = try await client.token("reader", role: "read_only", scope: ours.tenant)
        let own = try await tenant.get("/v1/calls/\(calls.running)")
        #expect(own["caller"]?["subscriber_id"] == .string(ours.subscriber))
        #expect(own["called"]?["subscriber_id"] == .null)
        #expect(own["worker"] == "")
        let bystander = try await Estate(client, name: "gamma", digits: "4311007")
        let nobody = try await client.token("gamma", role: "tenant_admin", scope: bystander.tenant)
        #expect(try await nobody.get("/v1/calls")["items"] == [])
        #expect(try await nobody.post("/v1/calls/\(calls.running)/hang-up").status == 404)
        #expect(try await reader.post("/v1/calls/\(calls.running)/hang-up").status == 403)
        #expect(try await tenant.post("/v1/calls/\(calls.running)/hang-up").status == 202)
        #expect(try await client.get("/v1/calls/\(calls.call)").status == 404)
    }
}

@Test func theBooksAreShownToTheirOwnersAndSumToZero() async throws {
    try await withPastCalls { client, ours, theirs, _ in
        let trial = try await client.get("/v1/trial-balance")
        #expect(trial["is_zero"] == true)
        #expect(trial["lines"]?[0]?["sum"] == "0.00")
        #expect(trial["lines"]?[0]?["accounts"] == 4)

        func kinds(_ asker: Client) async throws -> [String] {
            (try await asker.get("/v1/accounts")["items"]?.items ?? []).compactMap { $0["kind"]?.text }.sorted()
        }
        #expect(try await kinds(client) == ["carrier_cost", "carrier_payable", "customer", "provider_revenue"])
        let alpha = try await client.token("alpha", role: "provider_admin", scope: ours.provider)
        #expect(try await kinds(alpha) == ["customer", "provider_revenue"])
        let omega = try await client.token("omega", role: "read_only", scope: theirs.provider)
        #expect(try await kinds(omega) == ["carrier_cost", "carrier_payable"])
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        #expect(try await kinds(customer) == ["customer"])
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: ours.tenant)
        #expect(try await kinds(tenant) == [])

        let account = "/v1/accounts/customer.\(ours.customer).EUR"
        #expect(try await customer.get(account)["balance"] == ["amount": "-0.022", "currency": "EUR"])
        let postings = try await customer.get(account + "/postings")
        #expect(postings["items"]?[0]?["amount"] == ["amount": "-0.022", "currency": "EUR"])
        #expect(postings["items"]?[0]?["kind"] == "call")
        #expect(try await tenant.get(account).status == 404)
        #expect(try await client.get("/v1/accounts/nonsense").status == 404)
    }
}

@Test func moneyMovesOncePerIdempotencyKey() async throws {
    try await TestPlatform.with { client in
        let estate = try await Estate(client, name: "alpha", digits: "4311001")
        let path = "/v1/customers/\(estate.customer)"
        let payment: JSON = ["amount": ["amount": "10", "currency": "EUR"], "reason": "cash"]
        let without = try await client.post(path + "/top-ups", payment)
        #expect(without.status == 400)
        #expect(without.places == ["Idempotency-Key"])
        for _ in 1...3 {
            let booked = try await client.post(path + "/top-ups", payment, ["Idempotency-Key": "p1"])
            #expect(booked.status == 201, "\(booked.text)")
            #expect(booked["balance"]?["balance"] == ["amount": "10.00", "currency": "EUR"])
        }
        let key = ["Idempotency-Key": "p2"]
        #expect(
            try await client.post(path + "/top-ups", ["amount": ["amount": "-1", "currency": "EUR"]], key).places == [
                "/amount/amount"
            ])
        #expect(
            try await client.post(path + "/top-ups", ["amount": ["amount": "1", "currency": "USD"]], key).places == [
                "/amount/currency"
            ])
        #expect(try await client.post(path + "/top-ups", ["reason": "x"], key).places == ["/amount"])
        let adjusted = try await client.post(
            path + "/adjustments", ["amount": ["amount": "-2.5", "currency": "EUR"], "reason": "goodwill"],
            ["Idempotency-Key": "a1"])
        #expect(adjusted["balance"]?["available"] == ["amount": "7.50", "currency": "EUR"])
        let customer = try await client.token("customer", role: "customer_admin", scope: estate.customer)
        #expect(try await customer.get(path + "/balance")["balance"]?["amount"] == "7.50")
        #expect(try await customer.post(path + "/top-ups", payment, ["Idempotency-Key": "p3"]).status == 403)
        #expect(try await client.get("/v1/trial-balance")["is_zero"] == true)
    }
}

func withPastCalls(
    areAnonymous: Bool = false, _ body: @Sendable (Client, Estate, Estate, PastCalls) async throws -> Void
) async throws {
    let first = try TestPlatform()
    let found = Mutex<(Estate, Estate)?>(nil)
    try await TestPlatform.with(first) { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        found.withLock { $0 = (ours, theirs) }
    }
    let estates = found.withLock { $0 }
    let (ours, theirs) = try #require(estates)
    let calls = PastCalls(from: ours, to: theirs, isAnonymous: areAnonymous)
    try await TestPlatform.with(try first.reopened(after: calls.events)) { client in
        try await body(client, ours, theirs, calls)
    }
}
