import ControlPlane
import Foundation
import HTTPTypes
import Model
import Primitives
import Projections

/// How a provider, or the platform, bills.
enum BillingEndpoints {
    static let operations = [
        Operation(
            method: .get, path: "/v1/providers/{provider_id}/billing", name: "getBilling", tag: "billing",
            summary: "How a provider bills: who stands on its invoices, its numbers, schedule and limits.", access: .needs(.readPrices),
            success: .init(status: .ok, about: "It.", schema: Schema.reference("Billing")),
            handle: { exchange in try exchange.read { views in .ok(try json(try seller(exchange, in: views), in: views)) } }),
        Operation(
            method: .patch, path: "/v1/providers/{provider_id}/billing", name: "changeBilling", tag: "billing",
            summary: "Changes how a provider bills, from its next invoice on.", access: .needs(.writePrices),
            body: .init(schema: Schema.reference("BillingPatch"), mediaTypes: [ContentNegotiation.mergePatch, ContentNegotiation.json]),
            success: .init(status: .ok, about: "It.", schema: Schema.reference("Billing")),
            handle: { try await change($0) { exchange, views in try seller(exchange, in: views) } }),
        Operation(
            method: .get, path: "/v1/billing", name: "getPlatformBilling", tag: "billing",
            summary: "How the platform bills the providers directly under it.", access: .needs(.readBooks),
            success: .init(status: .ok, about: "It.", schema: Schema.reference("Billing")),
            handle: { exchange in try exchange.read { views in .ok(try json(.platform, in: views)) } }),
        Operation(
            method: .patch, path: "/v1/billing", name: "changePlatformBilling", tag: "billing",
            summary: "Changes how the platform bills the providers directly under it, from the next invoice on. It has no currency: an amount is in XXX, and counts in any.",
            access: .needs(.writePlatform),
            body: .init(schema: Schema.reference("BillingPatch"), mediaTypes: [ContentNegotiation.mergePatch, ContentNegotiation.json]),
            success: .init(status: .ok, about: "It.", schema: Schema.reference("Billing")),
            handle: { try await change($0) { _, _ in .platform } }),
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

    /// Who bills.
    struct Seller {
        /// Empty: the platform.
        let id: Data
        let currency: Currency?

        static var platform: Seller { Seller(id: Data(), currency: Currency("XXX")) }
    }

    /// The one that the path names.
    static func seller(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> Seller {
        let provider = try provider(exchange, in: views)
        return Seller(id: provider.id, currency: Currency(provider.currency))
    }

    static func billing(of seller: Seller, in views: borrowing ViewSnapshot) throws -> Billing {
        if let billing = try views.billing(ofSeller: seller.id) { return billing }
        var billing = Billing()
        billing.providerID = seller.id
        return billing
    }

    private static func json(_ seller: Seller, in views: borrowing ViewSnapshot) throws -> JSON {
        Shape<Billing>.billing.json(try billing(of: seller, in: views), FieldContext(currency: seller.currency))
    }

    private static func change(
        _ exchange: Exchange, _ find: (Exchange, borrowing ViewSnapshot) throws -> Seller
    ) async throws -> Reply {
        let after = try exchange.read { views in
            let seller = try find(exchange, views)
            let before = try billing(of: seller, in: views)
            return try exchange.decode { body, faults in
                var after = before
                Shape<Billing>.billing.merge(body, into: &after, FieldContext(currency: seller.currency), &faults)
                return after
            }
        }
        let outcome = try await exchange.submit(.changeBilling(after))
        return try exchange.read { views in .ok(try json(try find(exchange, views), in: views)).replayed(outcome.repeated) }
    }
}
