import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// How a provider bills.
enum BillingEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/providers/{provider_id}/billing", name: "getBilling", tag: "billing",
            summary: "How a provider bills: who stands on its invoices, its numbers, schedule and limits.", access: .needs(.readPrices),
            success: .init(status: .ok, about: "It.", schema: Schema.reference("Billing")),
            handle: { exchange in
                try exchange.read { views in
                    let provider = try provider(exchange, in: views)
                    return .ok(try json(provider, in: views))
                }
            }),
        Operation(
            method: .patch, path: "/v1/providers/{provider_id}/billing", name: "changeBilling", tag: "billing",
            summary: "Changes how a provider bills, from its next invoice on.", access: .needs(.writePrices),
            body: .init(schema: Schema.reference("BillingPatch"), mediaTypes: [ContentNegotiation.mergePatch, ContentNegotiation.json]),
            success: .init(status: .ok, about: "It.", schema: Schema.reference("Billing")),
            handle: { try await change($0) }),
        Operation(
            method: .get, path: "/v1/providers/{provider_id}/billing/webhook-key", name: "getWebhookKey", tag: "billing",
            summary: "The key by which what is posted to the provider's webhook is signed.", access: .needs(.writePrices),
            success: .init(
                status: .ok, about: "The key.", schema: Schema.object([("key", Schema.text(max: 128))], required: ["key"])),
            past: .never,
            handle: { exchange in
                let found = try exchange.read { views in try Self.provider(exchange, in: views) }
                guard let id = ProviderID(found.id) else { throw Problem(.notFound, "There is no such provider.") }
                return .ok(["key": .string(exchange.platform.webhookKey(id))])
            }),
    ]

    static let schemas: [(String, JSON)] = [
        ("Seller", Shape<SellerParty>.seller.schema), ("VATRate", Shape<VATRate>.vatRate.schema), ("VATItem", Shape<VATItem>.vatItem.schema), ("Billing", Shape<Billing>.billing.schema), ("BillingPatch", Shape<Billing>.billing.patchSchema),
    ]

    static func provider(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Provider {
        let id = try exchange.id("provider_id")
        guard let provider = try views.provider(ProviderID(id)), try exchange.reach.holds(try views.place(provider: provider.id)) else {
            throw Problem(.notFound, "There is no provider \(id).")
        }
        return provider
    }

    static func billing(of provider: Provider, in views: borrowing ViewSnapshot) throws -> Billing {
        if let id = ProviderID(provider.id), let billing = try views.billing(of: id) { return billing }
        var billing = Billing()
        billing.providerID = provider.id
        return billing
    }

    private static func json(_ provider: Provider, in views: borrowing ViewSnapshot) throws -> JSON {
        Shape<Billing>.billing.json(try billing(of: provider, in: views), FieldContext(currency: Currency(provider.currency)))
    }

    private static func change(_ exchange: Exchange) async throws -> Reply {
        let after = try exchange.read { views in
            let provider = try provider(exchange, in: views)
            let before = try billing(of: provider, in: views)
            return try exchange.decode { body, faults in
                var after = before
                Shape<Billing>.billing.merge(body, into: &after, FieldContext(currency: Currency(provider.currency)), &faults)
                return after
            }
        }
        let outcome = try await exchange.submit(.changeBilling(after))
        return try exchange.read { views in .ok(try json(try provider(exchange, in: views), in: views)).replayed(outcome.repeated) }
    }
}
