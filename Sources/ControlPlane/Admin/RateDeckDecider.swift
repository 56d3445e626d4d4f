import Foundation
import Model
import OpenSSL
import Primitives
import Projections
import SwiftProtobuf

/// Rate decks and their versions. A version that is published is never changed: a call is charged by the
/// version that it was started under.
enum RateDeckDecider {
    static let entriesMax = 150_000
    /// So that the charge of the longest call that a CDR can hold fits 64 bits.
    static let priceMicrosMax: Int64 = 100_000_000_000

    /// A deck without a provider is the platform's own.
    static func create<State: ViewQueries & ~Copyable>(
        _ deck: RateDeck, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var deck = deck
        let id = try Checks.newID(deck.id, &decision)
        guard try state.rateDeck(RateDeckID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        deck.id = RateDeckID(id).data
        try Checks.name(deck.name)
        try Checks.currency(deck.currency)
        guard deck.decimals <= 6 else {
            throw AdminRejection.invalid("decimals", "at most 6: money is counted in millionths")
        }
        if !deck.providerID.isEmpty {
            let provider = ProviderID(try Checks.reference(deck.providerID, field: "provider_id"))
            guard let owner = try state.provider(provider) else {
                throw AdminRejection.unknownReference("provider_id", provider.description)
            }
            guard owner.currency == deck.currency else {
                throw AdminRejection.invalid("currency", "the provider's currency is \(owner.currency)")
            }
        }
        decision.record(.rateDeckCreated(.with { $0.deck = deck }), in: id)
        return id
    }

    static func publish<State: ViewQueries & ~Copyable>(
        _ version: RateDeckVersion, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var version = version
        let id = try Checks.reference(version.deckID, field: "deck_id")
        guard try state.rateDeck(RateDeckID(id)) != nil else {
            throw AdminRejection.notFound("rate deck", id.description)
        }
        let next = try state.latestDeckVersion(RateDeckID(id)) + 1
        guard version.version == 0 || version.version == next else {
            throw AdminRejection.invalid("version", "the next version is \(next)")
        }
        version.version = next
        if version.effectiveAt == 0 { version.effectiveAt = decision.wall.microseconds }
        guard version.effectiveAt > 0 else { throw AdminRejection.invalid("effective_at", "must not be before 1970") }
        try check(version.entries)
        version.entries.sort { $0.prefix.utf8.lexicographicallyPrecedes($1.prefix.utf8) }
        version.contentHash = contentHash(version.entries)
        decision.record(.rateDeckVersionPublished(.with { $0.version = version }), in: id)
        return id
    }

    private static func check(_ entries: [RateEntry]) throws {
        guard !entries.isEmpty else { throw AdminRejection.invalid("entries", "a version has at least one row") }
        guard entries.count <= entriesMax else { throw AdminRejection.invalid("entries", "at most \(entriesMax) rows") }
        var seen: Set<String> = []
        for (index, entry) in entries.enumerated() {
            let field = "entries[\(index)]"
            guard entry.prefix.utf8.count <= 15, entry.prefix.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw AdminRejection.invalid(field + ".prefix", "must be at most 15 digits, without the +")
            }
            // With the bound on rows, a version then fits one event of the log.
            guard entry.destination.utf8.count <= 48 else {
                throw AdminRejection.invalid(field + ".destination", "at most 48 bytes")
            }
            try Checks.shortText(entry.destination, field: field + ".destination")
            guard seen.insert(entry.prefix).inserted else {
                throw AdminRejection.invalid(field + ".prefix", "\(entry.prefix) is in the version twice")
            }
            guard (0...priceMicrosMax).contains(entry.connectionFeeMicros) else {
                throw AdminRejection.invalid(field + ".connection_fee_micros", "must be 0 to \(priceMicrosMax)")
            }
            guard (0...priceMicrosMax).contains(entry.perMinuteMicros) else {
                throw AdminRejection.invalid(field + ".per_minute_micros", "must be 0 to \(priceMicrosMax)")
            }
            guard (1...86_400).contains(entry.firstIncrementSeconds) else {
                throw AdminRejection.invalid(field + ".first_increment_seconds", "must be 1 to 86400")
            }
            guard (1...86_400).contains(entry.nextIncrementSeconds) else {
                throw AdminRejection.invalid(field + ".next_increment_seconds", "must be 1 to 86400")
            }
        }
    }

    /// SHA-256 over the rows in order of their prefixes, each as length (4 bytes, big-endian) and protobuf bytes.
    private static func contentHash(_ entries: [RateEntry]) -> Data {
        var bytes: [UInt8] = []
        for entry in entries {
            let row = serialized(entry)
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: row.count >> (24 - $0 * 8)) }
            bytes += row
        }
        return Data(Hash.sha256(bytes))
    }
}
