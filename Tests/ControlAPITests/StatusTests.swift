import Foundation
import Model
import Testing

@testable import ControlAPI

/// The table of docs/status.md as it is printed there: status, activity, whether it happens.
private func table() throws -> [(status: String, activity: PartyActivity, happens: Bool)] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/status.md")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    func cells(_ line: Substring) -> [String] {
        line.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
    }
    let head = try #require(lines.first { $0.hasPrefix("| status |") })
    let activities = try cells(head).dropFirst().map { name in try #require(PartyActivity(rawValue: name), "\(name)") }
    return lines.filter { line in Status.literals.contains(cells(line).first ?? "") && cells(line).count == activities.count + 1 }
        .flatMap { line in
            let row = cells(line)
            return zip(activities, row.dropFirst()).map { (row[0], $0, $1 == "yes") }
        }
}

@Test func thePageOfStatusesSaysWhatTheTableSays() throws {
    let rows = try table()
    #expect(rows.count == 4 * PartyActivity.allCases.count)
    for row in rows {
        let status = try #require(Status(literal: row.status))
        #expect(status.allows(row.activity) == row.happens, "\(row)")
    }
}

/// Every level × every status × everything that it may stop.
@Test(arguments: ["providers", "customers", "tenants", "subscribers"])
func aStatusStopsWhatThePageSaysAndAllBelow(segment: String) async throws {
    let rows = try table()
    try await TestPlatform.with { client in
        for (index, status) in ["pending", "active", "locked", "terminated"].enumerated() {
            let ours = try await Estate(client, name: "n" + status, digits: "431100\(index)")
            let caller = try await client.made(
                "/v1/subscribers", ["tenant_id": .string(ours.tenant), "username": "bob", "password": "password1"])
            // What is pending has not been active before, so it is made so.
            if status != "active", status != "pending" {
                let changed = try await client.patch("/v1/\(segment)/\(ours.id(segment))", ["status": .string(status)])
                try #require(changed.status == 200, "\(changed.text)")
            }
            let (party, subscriber) =
                status == "pending" ? try await pending(segment, ours, client) : (ours.id(segment), ours.subscriber)
            let roles = ["providers": "provider_admin", "customers": "customer_admin", "tenants": "tenant_admin", "subscribers": "user"]
            let token = try await client.token("own \(status)", role: try #require(roles[segment]), scope: party)
            func happens(_ activity: PartyActivity) -> Bool { rows.contains { $0.status == status && $0.activity == activity && $0.happens } }
            let permission = try await client.get("/v1/subscribers/\(subscriber)/permission")
            #expect(permission["may_register"]?.flag == happens(.register), "\(segment) \(status)")
            #expect(permission["may_call_emergency"]?.flag == happens(.emergency), "\(segment) \(status)")
            let help = try await client.post("/v1/subscribers/\(subscriber)/route", ["dialled": "112"])
            #expect((help["refusal"] != "locked") == happens(.emergency), "\(segment) \(status): \(help.text)")
            let out = try await client.post("/v1/subscribers/\(subscriber)/route", ["dialled": "bob"])
            #expect((out["refusal"] != "locked") == happens(.callOut), "\(segment) \(status): \(out.text)")
            if segment == "subscribers" {
                let callee = status == "pending" ? "pia" : "alice"
                let inward = try await client.post("/v1/subscribers/\(caller)/route", ["dialled": .string(callee)])
                #expect((inward["refusal"] != "locked") == happens(.callIn), "\(segment) \(status): \(inward.text)")
            }
            #expect((try await token.get("/v1/subscribers").status == 200) == happens(.read), "\(segment) \(status)")
            let write = try await token.patch("/v1/subscribers/\(subscriber)", ["display_name": "Alice"])
            #expect((write.status == 200) == happens(.write), "\(segment) \(status): \(write.text)")
            if status == "locked" {
                #expect(write["detail"]?.text?.contains("locked") == true, "\(write.text)")
                // Nobody below unlocks it; above, what was below is as it was.
                #expect(try await client.patch("/v1/\(segment)/\(ours.id(segment))", ["status": "pending"]).places == ["/status"])
                #expect(try await client.patch("/v1/\(segment)/\(ours.id(segment))", ["status": "active"]).status == 200)
                #expect(try await client.post("/v1/subscribers/\(ours.subscriber)/route", ["dialled": "bob"])["refusal"] != "locked")
            }
            if status == "terminated" {
                for next in ["active", "pending", "locked"] {
                    #expect(try await client.patch("/v1/\(segment)/\(ours.id(segment))", ["status": .string(next)]).status == 422)
                }
            }
        }
    }
}

/// A subscriber below a party of the kind that was made pending.
private func pending(_ segment: String, _ ours: Estate, _ client: Client) async throws -> (party: String, subscriber: String) {
    var provider = ours.provider
    var plan = ours.plan
    if segment == "providers" {
        provider = try await client.made(
            "/v1/providers", ["name": "p", "namespace": "pending.example", "currency": "EUR", "status": "pending"])
        plan = try await client.made("/v1/service-plans", ["provider_id": .string(provider), "name": "p"])
    }
    let state = { (kind: String) -> JSON in segment == kind ? "pending" : "active" }
    let customer = try await client.made(
        "/v1/customers",
        ["provider_id": .string(provider), "service_plan_id": .string(plan), "name": "c", "status": state("customers")])
    let domain = segment == "subscribers" ? ours.tenant : ""
    let tenant =
        domain.isEmpty
        ? try await client.made(
            "/v1/tenants",
            ["customer_id": .string(customer), "name": "t", "domain": .string("p.\(segment == "providers" ? "pending" : "npending").example"), "status": state("tenants")]) : domain
    let subscriber = try await client.made(
        "/v1/subscribers",
        ["tenant_id": .string(tenant), "username": "pia", "password": "password1", "status": state("subscribers")])
    switch segment {
    case "providers": return (provider, subscriber)
    case "customers": return (customer, subscriber)
    case "tenants": return (tenant, subscriber)
    default: return (subscriber, subscriber)
    }
}

@Test func whatIsTerminatedGivesItsNumbersBack() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        #expect(
            try await client.post("/v1/numbers/\(ours.number)/assign", ["subscriber_id": .string(ours.subscriber)]).status == 200)
        #expect(try await client.patch("/v1/customers/\(ours.customer)", ["status": "terminated"]).status == 200)
        #expect(try await client.get("/v1/numbers/\(ours.number)")["subscriber_id"] == .null)
        let history = try await client.get("/v1/entities/\(ours.number)/history")["items"]?.items ?? []
        #expect(history.last?["type"] == "number.changed")
        let under: JSON = ["customer_id": .string(ours.customer), "name": "x", "domain": "x.alpha.example"]
        #expect(try await client.post("/v1/tenants", under).places == ["/customer_id"])
        #expect(
            try await client.post(
                "/v1/customers",
                ["provider_id": .string(ours.provider), "service_plan_id": .string(ours.plan), "name": "x", "status": "terminated"]
            ).places == ["/status"])
    }
}

@Test func externalNumbersAreUniqueBelowAProviderAndFound() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        for (segment, id, other) in [
            ("customers", ours.customer, theirs.customer), ("tenants", ours.tenant, theirs.tenant),
            ("subscribers", ours.subscriber, theirs.subscriber),
        ] {
            #expect(try await client.patch("/v1/\(segment)/\(id)", ["external_id": "K-4711"]).status == 200, "\(segment)")
            // Another provider counts for itself.
            #expect(try await client.patch("/v1/\(segment)/\(other)", ["external_id": "K-4711"]).status == 200, "\(segment)")
            let found = try await client.get("/v1/\(segment)?external_id=K-4711")["items"]?.items ?? []
            #expect(Set(found.compactMap { $0["id"]?.text }) == [id, other])
            #expect(try await client.get("/v1/\(segment)?external_id=K-471")["items"] == [])
            // Changed to itself it is no conflict; given up it is free.
            #expect(try await client.patch("/v1/\(segment)/\(id)", ["external_id": "K-4711"]).status == 200)
        }
        let second = try await client.made(
            "/v1/customers",
            ["provider_id": .string(ours.provider), "service_plan_id": .string(ours.plan), "name": "second"])
        let refused = try await client.patch("/v1/customers/\(second)", ["external_id": "K-4711"])
        #expect(refused.status == 409)
        #expect(refused.places == ["/external_id"])
        #expect(try await client.patch("/v1/customers/\(ours.customer)", ["external_id": ""]).status == 200)
        #expect(try await client.patch("/v1/customers/\(second)", ["external_id": "K-4711"]).status == 200)
        let provider = try await client.token("provider", role: "provider_admin", scope: ours.provider)
        #expect(try await provider.get("/v1/customers?external_id=K-4711")["items"]?.items?.count == 1)
        // An erased customer is found by nothing.
        #expect(try await client.post("/v1/subjects/\(second)/erase", ["reason": "asked for"]).status == 200)
        #expect(try await provider.get("/v1/customers?external_id=K-4711")["items"] == [])
    }
}

@Test func whatAContractSaysIsChecked() async throws {
    try await TestPlatform.with { client in
        let ours = try await Estate(client, name: "alpha", digits: "4311001")
        let customer = "/v1/customers/\(ours.customer)"
        let good: JSON = [
            "time_zone": "Europe/Vienna", "language": "de-AT", "vat_rate": "20", "email": "books@acme.example",
        ]
        let answer = try await client.patch(customer, good)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer["vat_rate"] == "20.00")
        #expect(try await client.patch(customer, ["vat_rate": "8.1"])["vat_rate"] == "8.10")
        for (field, value) in [
            ("time_zone", "Europe/Wien"), ("time_zone", "+01:00"), ("language", "german"), ("language", "de_AT"),
            ("vat_rate", "100.01"), ("vat_rate", "8.125"), ("vat_rate", "-1"), ("email", "nobody"),
        ] {
            let refused = try await client.patch(customer, .object([field: .string(value)]))
            #expect(refused.places == ["/" + field], "\(field) \(value): \(refused.text)")
        }
        for (country, number, isGood) in [
            ("AT", "ATU12345675", true), ("AT", "AT12345678", false), ("DE", "DE123456788", true), ("DE", "ATU12345675", false),
            ("GR", "EL123456783", true), ("GR", "GR123456789", false), ("NL", "NL123456782B01", true), ("FR", "FRXX123456789", true),
            ("IE", "IE1234567FA", true), ("ES", "ESX1234567L", true), ("ES", "ES12345678", false), ("CH", "CHE123456789", true),
            ("", "PL1234567802", true), ("", "PL123", false), ("AT", "ATU 1234 5678", false),
            ("AT", "ATU12345678", false), ("DE", "DE123456789", false),
        ] {
            let body: JSON = ["country": .string(country), "vat_number": .string(number)]
            let set = try await client.patch("/v1/contacts/\(ours.contact)", body)
            #expect((set.status == 200) == isGood, "\(country) \(number): \(set.text)")
            if !isGood { #expect(set.places == ["/vat_number"]) }
        }
        // Who a provider, a carrier and a customer are: contacts of the same provider.
        let theirs = try await Estate(client, name: "omega", digits: "4311003")
        for path in ["/v1/providers/\(ours.provider)", "/v1/carriers/\(ours.carrier)", customer] {
            #expect(try await client.patch(path, ["contact_id": .string(ours.contact)]).status == 200, "\(path)")
            #expect(try await client.patch(path, ["contact_id": .string(theirs.contact)]).places == ["/contact_id"], "\(path)")
        }
        #expect(try await client.delete("/v1/contacts/\(ours.contact)").status == 409)
    }
}
