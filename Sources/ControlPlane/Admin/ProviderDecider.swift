import Model
import Primitives
import Projections
import SwiftProtobuf

/// Providers: their name space is unique, their currency and place in the tree are for good.
enum ProviderDecider {
    static func create<State: ViewQueries & ~Copyable>(
        _ provider: Provider, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var provider = provider
        let id = try Checks.newID(provider.id, &decision)
        guard try state.provider(ProviderID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        provider.id = ProviderID(id).data
        if provider.timeZone.isEmpty { provider.timeZone = "UTC" }
        try Checks.currency(provider.currency)
        if !provider.parentID.isEmpty {
            let parent = ProviderID(try Checks.reference(provider.parentID, field: "parent_id"))
            guard try state.provider(parent) != nil else {
                throw AdminRejection.unknownReference("parent_id", parent.description)
            }
        }
        try check(provider, in: state)
        decision.record(.providerCreated(.with { $0.provider = provider }), in: id)
        return id
    }

    static func change<State: ViewQueries & ~Copyable>(
        _ provider: Provider, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(provider.id)
        guard let before = try state.provider(ProviderID(id)) else {
            throw AdminRejection.notFound("provider", id.description)
        }
        try Checks.unchanged(provider.currency, before.currency, field: "currency")
        try Checks.unchanged(provider.parentID, before.parentID, field: "parent_id")
        try check(provider, in: state)
        decision.record(.providerChanged(.with { $0.provider = provider }), in: id)
        if provider.status != before.status { decision.announcements.append(.with { $0.invalidate.everything = true }) }
        return id
    }

    private static func check<State: ViewQueries & ~Copyable>(
        _ provider: Provider, in state: borrowing State
    ) throws {
        try Checks.name(provider.name)
        try Checks.domain(provider.namespace, field: "namespace")
        try Checks.recognised(provider.status.isRecognised, field: "status")
        try timeZone(provider.timeZone)
        if let holder = try state.provider(namespace: provider.namespace), holder.id != provider.id {
            throw AdminRejection.taken("namespace", provider.namespace)
        }
        guard !provider.wholesaleDeckID.isEmpty else { return }
        let deckID = RateDeckID(try Checks.reference(provider.wholesaleDeckID, field: "wholesale_deck_id"))
        guard let deck = try state.rateDeck(deckID), deck.providerID == provider.parentID else {
            throw AdminRejection.unknownReference("wholesale_deck_id", deckID.description)
        }
        guard deck.currency == provider.currency else {
            throw AdminRejection.invalid(
                "wholesale_deck_id", "the deck is in \(deck.currency), the provider in \(provider.currency)")
        }
    }

    /// The form of an IANA name; whether the zone exists is only known where it is used.
    private static func timeZone(_ text: String) throws {
        let valid = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || [0x2F, 0x2B, 0x2D, 0x5F].contains($0)
        }
        guard valid, (1...64).contains(text.utf8.count) else {
            throw AdminRejection.invalid("time_zone", "must be an IANA name, such as Europe/Vienna")
        }
    }
}
