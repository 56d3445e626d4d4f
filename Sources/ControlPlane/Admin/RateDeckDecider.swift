import Foundation
package import Model
import OpenSSL
import Primitives
import Projections
import Rating
import SwiftProtobuf

/// Rate decks and their versions. A version that is published is never changed: a call is charged by the
/// version that it was started under.
enum RateDeckDecider {
    static let entriesMax = 150_000

    /// A deck without a provider is the platform's own.
    static func create<State: ViewQueries & ~Copyable>(
        _ deck: RateDeck, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var deck = deck
        let id = try Checks.newID(deck.id, &decision)
        guard try state.rateDeck(RateDeckID(id)) == nil else { throw AdminRejection.taken("id", id.description) }
        deck.id = RateDeckID(id).data
        try Checks.name(deck.name)
        guard deck.decimals <= 6 else {
            throw AdminRejection.invalid("decimals", "at most 6: money is counted in millionths")
        }
        if deck.providerID.isEmpty {
            try Checks.currency(deck.currency)
        } else {
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

    /// What is charged by a deck follows from its versions, and from what it counts in: those are for good.
    static func change<State: ViewQueries & ~Copyable>(
        _ deck: RateDeck, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        let id = try Checks.existingID(deck.id)
        guard let before = try state.rateDeck(RateDeckID(id)) else { throw AdminRejection.notFound("rate deck", id.description) }
        try Checks.unchanged(deck.providerID, before.providerID, field: "provider_id")
        try Checks.unchanged(deck.currency, before.currency, field: "currency")
        try Checks.unchanged(deck.decimals, before.decimals, field: "decimals")
        try Checks.name(deck.name)
        decision.record(.rateDeckChanged(.with { $0.deck = deck }), in: id)
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
        if let fault = version.bandsFault { throw AdminRejection.invalid(fault.field, fault.reason) }
        guard version.bands.isEmpty || ZoneOffset.isKnown(version.timeZone) else {
            throw AdminRejection.invalid("time_zone", "bands need the IANA name of a time zone, such as Europe/Berlin")
        }
        guard version.fileHash.isEmpty || version.fileHash.count == 32 else {
            throw AdminRejection.invalid("file_hash", "must be a SHA-256")
        }
        if version.importID.isEmpty {
            try check(version.entries, bands: version.bands.map(\.number))
            version.entries.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            version.contentHash = Data(Hash.sha256(RowHash.bytes(version.entries)))
            (version.rows, version.usesPatterns) = (0, version.entries.contains { !$0.pattern.isEmpty })
        } else {
            try takeImport(into: &version, in: state)
        }
        decision.record(.rateDeckVersionPublished(.with { $0.version = version }), in: id)
        return id
    }

    private static func check(_ entries: [RateEntry], bands: [UInt32]) throws {
        guard !entries.isEmpty else { throw AdminRejection.invalid("entries", "a version has at least one row") }
        guard entries.count <= entriesMax else { throw AdminRejection.invalid("entries", "at most \(entriesMax) rows") }
        var seen: Set<String> = []
        var patterns = 0
        for (index, entry) in entries.enumerated() {
            let field = "entries[\(index)]"
            if let fault = entry.fault(bands: bands) { throw AdminRejection.invalid("\(field).\(fault.field)", fault.reason) }
            guard seen.insert(entry.key).inserted else {
                let (name, value) = entry.pattern.isEmpty ? ("prefix", entry.prefix) : ("pattern", entry.pattern)
                throw AdminRejection.invalid("\(field).\(name)", "\(value) is in the version twice")
            }
            if !entry.pattern.isEmpty { patterns += 1 }
            guard patterns <= RateDeckVersion.patternsMax else {
                throw AdminRejection.invalid(field + ".pattern", "at most \(RateDeckVersion.patternsMax) expressions")
            }
        }
    }

    // MARK: - imports

    /// The next rows of an import. They come in the order of their keys, so that none can be there twice.
    static func add<State: ViewQueries & ~Copyable>(
        _ event: RateDeckRowsAdded, in state: borrowing State, _ decision: inout Decision
    ) throws -> UUIDv7 {
        var event = event
        let deck = try Checks.reference(event.deckID, field: "deck_id")
        guard try state.rateDeck(RateDeckID(deck)) != nil else { throw AdminRejection.notFound("rate deck", deck.description) }
        let id = try Checks.reference(event.importID, field: "import_id")
        let progress = try state.deckImport(id) ?? DeckImport.with { $0.deckID = event.deckID }
        guard progress.deckID == event.deckID else { throw AdminRejection.invalid("import_id", "is of another deck") }
        guard progress.version == 0 else { throw AdminRejection.invalid("import_id", "was published as version \(progress.version)") }
        guard event.chunk == progress.chunks else { throw AdminRejection.invalid("chunk", "the next one is \(progress.chunks)") }
        guard let entries = event.entries, !entries.isEmpty, entries.count <= RowHash.chunkRows else {
            throw AdminRejection.invalid("rows", "must be 1 to \(RowHash.chunkRows) rows as docs/wire/deck-rows.md says")
        }
        guard progress.rows + UInt64(entries.count) <= importRowsMax else {
            throw AdminRejection.limitReached(field: "rows", limit: importRowsMax)
        }
        var last = progress.chunks == 0 ? nil : progress.lastKey
        for (index, entry) in entries.enumerated() {
            if let fault = entry.fault(bands: Array(1...RateEntry.bandsMax)) {
                throw AdminRejection.invalid("rows[\(index)].\(fault.field)", fault.reason)
            }
            let key = entry.key
            if let last, !last.utf8.lexicographicallyPrecedes(key.utf8) {
                throw AdminRejection.invalid("rows[\(index)]", "\(key) is not after \(last)")
            }
            last = key
        }
        event.rows = UInt32(entries.count)
        event.hash = Data(Hash.sha256(RowHash.bytes(entries)))
        decision.record(.rateDeckRowsAdded(event), in: id)
        return id
    }

    static let importRowsMax: UInt64 = 10_000_000

    private static func takeImport<State: ViewQueries & ~Copyable>(into version: inout RateDeckVersion, in state: borrowing State) throws {
        guard version.entries.isEmpty else { throw AdminRejection.invalid("entries", "are those of the import") }
        let id = try Checks.reference(version.importID, field: "import_id")
        guard let progress = try state.deckImport(id), progress.deckID == version.deckID else {
            throw AdminRejection.unknownReference("import_id", id.description)
        }
        guard progress.version == 0 else { throw AdminRejection.invalid("import_id", "was published as version \(progress.version)") }
        guard version.rows == 0 || version.rows == progress.rows else {
            throw AdminRejection.invalid("rows", "the import has \(progress.rows)")
        }
        for number in 1...RateEntry.bandsMax where progress.bands >> number & 1 == 1 && !version.bands.contains(where: { $0.number == number }) {
            throw AdminRejection.invalid("bands", "rows name band \(number)")
        }
        guard progress.patternRows <= UInt32(RateDeckVersion.patternsMax) else {
            throw AdminRejection.limitReached(field: "pattern", limit: UInt64(RateDeckVersion.patternsMax))
        }
        let hash = Data(Hash.sha256(progress.hashes.flatMap { Array($0) }))
        guard version.contentHash.isEmpty || version.contentHash == hash else {
            throw AdminRejection.invalid("content_hash", "the import's rows have another")
        }
        version.contentHash = hash
        version.rows = progress.rows
        version.usesPatterns = progress.patternRows > 0
    }
}

/// What the hashes of rows are taken over.
package enum RowHash {
    /// Rows of an import that are one event. Each is a commit of its own, so that calls wait for a few milliseconds at most.
    package static let chunkRows = 2_048

    /// Each row as length (4 bytes, big-endian) and protobuf bytes.
    package static func bytes(_ entries: some Sequence<RateEntry>) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            let row = serialized(entry)
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: row.count >> (24 - $0 * 8)) }
            bytes += row
        }
        return bytes
    }
}
