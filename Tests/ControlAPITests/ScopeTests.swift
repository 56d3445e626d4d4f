import Testing

@testable import ControlAPI

/// Who may do what to what: every kind of entity, every verb, every role, in and out of its scope.
@Test func rolesAndScopesDecideWhatIsSeenAndDone() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let below = try await Estate(client, name: "beneath", digits: "4311002", parent: ours.provider)
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let all = [
            "providers", "contacts", "rate-decks", "dial-plans", "carriers", "service-plans", "customers", "tenants",
            "subscribers", "numbers",
        ]
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: ours.tenant)
        let askers: [(name: String, client: Client, writes: [String])] = [
            ("platform", client, all),
            ("reader", try await client.token("reader", role: "read_only"), []),
            ("provider", provider, all),
            ("provider reader", try await client.token("provider reader", role: "read_only", scope: ours.provider), []),
            ("customer", customer, ["tenants", "subscribers"]),
            ("customer reader", try await client.token("customer reader", role: "read_only", scope: ours.customer), []),
            ("tenant", tenant, ["subscribers"]),
            ("tenant reader", try await client.token("tenant reader", role: "read_only", scope: ours.tenant), []),
        ]
        // Of the rows, who sees (s) and who changes (c) the entity; - does not even see it. Columns as in askers.
        let table = """
            providers      ours   c s s s - - - -
            contacts       ours   c s c s s s - -
            rate-decks     ours   c s c s s s - -
            dial-plans     ours   c s c s s s s s
            carriers       ours   c s c s - - - -
            service-plans  ours   c s c s s s - -
            customers      ours   c s c s s s - -
            tenants        ours   c s c s c s s s
            subscribers    ours   c s c s c s c s
            numbers        ours   c s c s - - - -
            providers      below  c s c s - - - -
            contacts       below  c s c s - - - -
            rate-decks     below  c s c s - - - -
            dial-plans     below  c s c s - - - -
            carriers       below  c s c s - - - -
            service-plans  below  c s c s - - - -
            customers      below  c s c s - - - -
            tenants        below  c s c s - - - -
            subscribers    below  c s c s - - - -
            numbers        below  c s c s - - - -
            providers      theirs c s - - - - - -
            contacts       theirs c s - - - - - -
            rate-decks     theirs c s - - - - - -
            dial-plans     theirs c s - - - - - -
            carriers       theirs c s - - - - - -
            service-plans  theirs c s - - - - - -
            customers      theirs c s - - - - - -
            tenants        theirs c s - - - - - -
            subscribers    theirs c s - - - - - -
            numbers        theirs c s - - - - - -
            """
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ").map(String.init)
            let (segment, whose) = (cells[0], cells[1])
            let estate = whose == "ours" ? ours : whose == "below" ? below : theirs
            let id = estate.id(segment)
            for (asker, right) in zip(askers, cells.dropFirst(2)) {
                let what = Comment(rawValue: "\(asker.name): \(segment) \(whose)")
                let item = "/v1/\(segment)/\(id)"
                #expect(try await asker.client.get(item).status == (right == "-" ? 404 : 200), what)
                let list = try await asker.client.get("/v1/\(segment)?limit=500")
                let isListed = list["items"]?.items?.contains { $0["id"]?.text == id } ?? false
                #expect(isListed == (right != "-"), what)
                // A version that cannot be: whoever may do it is told so, and nothing happens.
                let stale = ["If-Match": "\"99\""]
                // The role is looked at first: who changes no entity of a kind learns nothing by trying.
                let refused = right == "-" && asker.writes.contains(segment) ? 404 : 403
                #expect(try await asker.client.delete(item, stale).status == (right == "c" ? 412 : refused), what)
                #expect(try await asker.client.patch(item, [:], stale).status == (right == "c" ? 412 : refused), what)
            }
        }
    }
}

@Test func nothingIsMadeOutsideTheScope() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let customer = try await client.token("customer", role: "customer_admin", scope: ours.customer)
        let tenant = try await client.token("tenant", role: "tenant_admin", scope: ours.tenant)
        let reader = try await client.token("reader", role: "read_only", scope: ours.provider)

        let attempts: [(path: String, body: JSON, fault: String)] = [
            ("/v1/contacts", ["provider_id": .string(theirs.provider), "name": "x"], "/provider_id"),
            (
                "/v1/customers",
                ["provider_id": .string(ours.provider), "service_plan_id": .string(theirs.plan), "name": "x"],
                "/service_plan_id"
            ),
            (
                "/v1/tenants", ["customer_id": .string(theirs.customer), "name": "x", "domain": "x.example"],
                "/customer_id"
            ),
            (
                "/v1/subscribers", ["tenant_id": .string(theirs.tenant), "username": "x", "password": "password1"],
                "/tenant_id"
            ),
            ("/v1/numbers", ["provider_id": .string(theirs.provider), "e164": "+4311009"], "/provider_id"),
        ]
        for attempt in attempts {
            let answer = try await provider.post(attempt.path, attempt.body)
            #expect(answer.status == 422, "\(attempt.path): \(answer.text)")
            #expect(answer.places == [attempt.fault])
            #expect(try await reader.post(attempt.path, attempt.body).status == 403)
        }
        // The platform's own and the top of the tree are not a provider's to add to.
        #expect(try await provider.post("/v1/carriers", ["name": "x"]).status == 403)
        #expect(
            try await provider.post("/v1/providers", ["name": "x", "namespace": "x.example", "currency": "EUR"]).status
                == 403)
        let child: JSON = [
            "name": "x", "namespace": "x.example", "currency": "EUR", "parent_id": .string(ours.provider),
        ]
        #expect(try await provider.post("/v1/providers", child).status == 201)

        #expect(
            try await customer.post(
                "/v1/tenants",
                ["customer_id": .string(ours.customer), "name": "second", "domain": "second.alpha.example"]
            ).status == 201)
        #expect(
            try await customer.post("/v1/contacts", ["provider_id": .string(ours.provider), "name": "x"]).status == 403)
        #expect(try await customer.patch("/v1/tenants/\(ours.tenant)", ["status": "locked"]).status == 403)
        #expect(
            try await customer.patch("/v1/tenants/\(ours.tenant)", ["carrier_id": .string(ours.carrier)]).status == 422)
        #expect(
            try await tenant.post(
                "/v1/subscribers", ["tenant_id": .string(ours.tenant), "username": "carol", "password": "password1"]
            ).status == 201)
        #expect(try await tenant.patch("/v1/tenants/\(ours.tenant)", ["name": "x"]).status == 403)
        // A caller id is a number that the asker can see.
        let shown = try await tenant.patch("/v1/subscribers/\(ours.subscriber)", ["caller_id": "+4311001"])
        #expect(shown.places == ["/caller_id"])
        _ = try await client.post("/v1/numbers/\(ours.number)/assign", ["subscriber_id": .string(ours.subscriber)])
        #expect(try await tenant.patch("/v1/subscribers/\(ours.subscriber)", ["caller_id": "+4311001"]).status == 200)
        #expect(try await tenant.get("/v1/numbers/\(ours.number)").status == 200)
        #expect(try await tenant.get("/v1/numbers")["items"]?.items?.count == 1)
        #expect(try await customer.get("/v1/numbers")["items"]?.items?.count == 1)
        #expect(try await tenant.post("/v1/numbers/\(ours.number)/release").status == 409)
    }
}

@Test func listsAreNarrowedByANodeWithinTheScope() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let below = try await Estate(client, name: "beneath", digits: "4311002", parent: ours.provider)
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        for asker in [client, provider] {
            for (path, id) in [
                ("subscribers?tenant_id=\(below.tenant)", below.subscriber),
                ("subscribers?customer_id=\(below.customer)", below.subscriber),
                ("subscribers?provider_id=\(below.provider)", below.subscriber),
                ("tenants?customer_id=\(ours.customer)", ours.tenant),
                ("providers?parent_id=\(ours.provider)", below.provider),
                ("numbers?provider_id=\(below.provider)", below.number),
                ("tenants?domain=office.alpha.example", ours.tenant),
                ("providers?namespace=beneath.example", below.provider), ("numbers?e164=+4311002", below.number),
            ] {
                let list = try await asker.get("/v1/" + path)
                #expect(list["items"]?.items?.compactMap { $0["id"]?.text } == [id], "\(path): \(list.text)")
            }
        }
        #expect(try await provider.get("/v1/tenants?customer_id=\(theirs.customer)").places == ["customer_id"])
        #expect(try await provider.get("/v1/tenants?domain=office.omega.example")["items"] == [])
        #expect(
            try await provider.get("/v1/tenants?customer_id=\(ours.customer)&provider_id=\(ours.provider)").status
                == 400)
    }
}

@Test func pagesOfASubtreeGoOnWhereTheyEndedAtEveryLevel() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let below = try await Estate(client, name: "beneath", digits: "4311002", parent: ours.provider)
        var expected: Set<String> = [ours.subscriber, below.subscriber]
        for (index, customer) in [ours.customer, ours.customer, below.customer].enumerated() {
            let tenant = try await client.made(
                "/v1/tenants", ["customer_id": .string(customer), "name": "x", "domain": .string("t\(index).\(index < 2 ? "alpha" : "beneath").example")])
            for user in ["a", "b"] {
                expected.insert(
                    try await client.made(
                        "/v1/subscribers",
                        ["tenant_id": .string(tenant), "username": .string(user), "password": "password1"]))
            }
        }
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        for limit in [1, 2, 3, 7, 8, 9] {
            var seen: [String] = []
            var after = ""
            repeat {
                let page = try await provider.get(
                    "/v1/subscribers?limit=\(limit)" + (after.isEmpty ? "" : "&after=\(after)"))
                try #require(page.status == 200, "\(page.text)")
                let items = (page["items"]?.items ?? []).compactMap { $0["id"]?.text }
                #expect(items.count <= limit)
                seen += items
                after = page["next"]?.text ?? ""
            } while !after.isEmpty && seen.count < 100
            #expect(seen.count == 8, "\(limit)")
            #expect(Set(seen) == expected, "\(limit)")
        }
        // A cursor of somebody else's list leads nowhere new.
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let path = [theirs.provider, theirs.customer, theirs.tenant, theirs.subscriber].joined().replacing(
            "-", with: "")
        #expect(try await provider.get("/v1/subscribers?after=\(path)")["items"] == [])
    }
}

@Test func tokensAreIssuedDownwardsAndRevoked() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let reader = try await client.token("reader", role: "read_only", scope: ours.provider)

        #expect(try await provider.post("/v1/tokens", ["name": "up", "role": "platform_admin"]).status == 403)
        #expect(try await provider.post("/v1/tokens", ["name": "wide", "role": "read_only"]).places == ["/scope_id"])
        #expect(
            try await provider.post(
                "/v1/tokens", ["name": "aside", "role": "customer_admin", "scope_id": .string(theirs.customer)]
            ).status == 422)
        #expect(
            try await provider.post(
                "/v1/tokens", ["name": "odd", "role": "customer_admin", "scope_id": .string(ours.tenant)]
            ).status == 422)
        #expect(
            try await reader.post("/v1/tokens", ["name": "x", "role": "read_only", "scope_id": .string(ours.provider)])
                .status == 403)

        let issued = try await provider.post(
            "/v1/tokens", ["name": "down", "role": "customer_admin", "scope_id": .string(ours.customer)],
            ["Idempotency-Key": "t1"])
        #expect(issued.status == 201)
        let again = try await provider.post(
            "/v1/tokens", ["name": "down", "role": "customer_admin", "scope_id": .string(ours.customer)],
            ["Idempotency-Key": "t1"])
        #expect(again["token"] == issued["token"])
        #expect(again["secret"] == .null)
        let id = try #require(issued["token"]?["id"]?.text)
        let down = provider.with(try #require(issued["secret"]?.text))
        #expect(try await down.get("/v1/tokens/self")["name"] == "down")
        #expect(try await down.get("/v1/tokens")["items"]?.items?.count == 1)
        #expect(try await provider.get("/v1/tokens")["items"]?.items?.count == 3)
        #expect(try await down.get("/v1/tokens/\(id)").status == 200)
        #expect(!(try await provider.get("/v1/tokens").text.contains("secret")))
        #expect(try await provider.delete("/v1/tokens/\(id)").status == 204)
        #expect(try await down.get("/v1/tokens/self").status == 401)
        // A token whose scope is gone is worth nothing.
        let lost = try await client.token("lost", role: "tenant_admin", scope: theirs.tenant)
        _ = try await client.delete("/v1/subscribers/\(theirs.subscriber)")
        #expect(try await client.delete("/v1/tenants/\(theirs.tenant)").status == 204)
        #expect(try await lost.get("/v1/tokens/self").status == 401)
    }
}

@Test func whatIsThePlatformsIsForItsTokensAlone() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        let reader = try await client.token("reader", role: "read_only")
        for path in ["/v1/workers", "/v1/trial-balance"] {
            #expect(try await client.get(path).status == 200)
            #expect(try await reader.get(path).status == 200)
            #expect(try await provider.get(path).status == 403)
        }
        let worker: JSON = [
            "name": "s1", "kind": "signal", "curve_public_key": "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
        ]
        #expect(try await reader.post("/v1/workers", worker).status == 403)
        #expect(try await provider.post("/v1/workers", worker).status == 403)
        let enrolled = try await client.post("/v1/workers", worker)
        #expect(enrolled.status == 201, "\(enrolled.text)")
        #expect(enrolled["worker"]?["state"] == "absent")
        #expect(enrolled["control"]?["desk"]?.text?.hasPrefix("tcp://127.0.0.1:") == true)
        #expect(enrolled["control"]?["curve_public_key"]?.text?.count == 40)
        #expect(try await client.post("/v1/workers", worker).status == 409)
        #expect(try await client.get("/v1/workers/s1")["kind"] == "signal")
        #expect(try await client.post("/v1/workers/s1/drain").status == 422)
        #expect(try await client.delete("/v1/workers/s1").status == 204)
        #expect(try await client.get("/v1/workers/s1").status == 404)
        #expect(
            try await client.post("/v1/workers", ["name": "S 1", "kind": "moon", "curve_public_key": "x"]).places.count
                == 2)
    }
}

extension Estate {
    func id(_ segment: String) -> String {
        switch segment {
        case "providers": provider
        case "contacts": contact
        case "rate-decks": deck
        case "dial-plans": dialPlan
        case "carriers": carrier
        case "service-plans": plan
        case "customers": customer
        case "tenants": tenant
        case "subscribers": subscriber
        case "numbers": number
        default: ""
        }
    }
}
