import Testing

@testable import ControlAPI

/// A provider with one of everything, provisioned through the API.
struct Estate: Sendable {
    let provider: String
    let contact: String
    let deck: String
    let dialPlan: String
    let carrier: String
    let gateway: String
    let plan: String
    let customer: String
    let tenant: String
    let subscriber: String
    let number: String

    init(_ client: Client, name: String, digits: String, parent: String? = nil) async throws {
        provider = try await client.made(
            "/v1/providers",
            [
                "name": .string(name), "namespace": .string("\(name).example"), "currency": "EUR",
                "parent_id": parent.map(JSON.string) ?? .null,
            ])
        contact = try await client.made("/v1/contacts", ["provider_id": .string(provider), "name": "Anna"])
        deck = try await client.made(
            "/v1/rate-decks", ["provider_id": .string(provider), "name": "retail", "currency": "EUR", "decimals": 4])
        let published = try await client.post(
            "/v1/rate-decks/\(deck)/versions",
            [
                "entries": [
                    [
                        "prefix": "", "destination": "World", "per_minute": "0.12", "first_increment_seconds": 60,
                        "next_increment_seconds": 1,
                    ]
                ]
            ])
        try #require(published.status == 201, "\(published.text)")
        dialPlan = try await client.made(
            "/v1/dial-plans",
            [
                "provider_id": .string(provider), "name": "national",
                "rules": [["description": "national", "match": "^0([1-9][0-9]+)$", "replacement": "+_CC\\1"]],
            ])
        let carrierAnswer = try await client.post(
            "/v1/carriers",
            [
                "provider_id": .string(provider), "name": "transit",
                "gateways": [["name": "one", "host": .string("192.0.2.\(digits.suffix(1))"), "port": 5060]],
            ])
        try #require(carrierAnswer.status == 201, "\(carrierAnswer.text)")
        carrier = carrierAnswer.id
        gateway = try #require(carrierAnswer["gateways"]?[0]?["id"]?.text)
        plan = try await client.made(
            "/v1/service-plans",
            [
                "provider_id": .string(provider), "name": "standard", "payment_mode": "prepaid",
                "rate_deck_id": .string(deck), "dial_plan_id": .string(dialPlan), "carrier_id": .string(carrier),
                "credit_limit": ["amount": "0", "currency": "EUR"],
            ])
        customer = try await client.made(
            "/v1/customers",
            [
                "provider_id": .string(provider), "contact_id": .string(contact), "service_plan_id": .string(plan),
                "name": .string("customer of \(name)"),
            ])
        tenant = try await client.made(
            "/v1/tenants",
            [
                "customer_id": .string(customer), "name": "office", "domain": .string("office.\(name).example"),
                "country_code": "43",
            ])
        subscriber = try await client.made(
            "/v1/subscribers",
            ["tenant_id": .string(tenant), "username": "alice", "password": "correct horse", "aliases": ["1000"]])
        number = try await client.made(
            "/v1/numbers",
            [
                "provider_id": .string(provider), "e164": .string("+" + digits),
                "price": ["amount": "1.50", "currency": "EUR"], "voice": true,
            ])
    }
}

extension Client {
    /// The same client with a token of this role and scope.
    func token(_ name: String, role: String, scope: String? = nil) async throws -> Client {
        let issued = try await post(
            "/v1/tokens", ["name": .string(name), "role": .string(role), "scope_id": scope.map(JSON.string) ?? .null])
        try #require(issued.status == 201, "\(issued.text)")
        return with(try #require(issued["secret"]?.text))
    }
}
