import ControlPlane
import HTTPTypes
import Ledger
import Model
import Primitives
import Projections
import SwiftProtobuf

/// Versions of a rate deck: published whole, never changed.
enum DeckVersionEndpoints {
    private static let path = "/v1/rate-decks/{rate_deck_id}/versions"
    private static let after = QueryParameter(
        "after", .number(0...UInt64(UInt32.max)), "The `next` of the page before.")
    private static let afterPrefix = QueryParameter(
        "after", .text, "The `next` of the page before.")

    static let operations = [
        Operation(
            method: .get, path: path, name: "listRateDeckVersions", tag: "rate-decks",
            summary: "Lists a deck's versions without their rows, the oldest first.", access: .needs(.readPrices),
            query: [after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("RateDeckVersionPage")),
            handle: { try list($0) }),
        Operation(
            method: .post, path: path, name: "publishRateDeckVersion", tag: "rate-decks",
            summary: "Publishes the next version of a deck: its whole price list.",
            access: .needs(.writePrices),
            body: .init(schema: Schema.reference("NewRateDeckVersion"), bytesMax: 64 << 20),
            success: .init(
                status: .created, about: "It is published.", schema: Schema.reference("RateDeckVersionHead")),
            handle: { try await publish($0) }),
        Operation(
            method: .get, path: path + "/{version}", name: "getRateDeckVersion", tag: "rate-decks",
            summary: "Reads a version without its rows.", access: .needs(.readPrices),
            success: .init(status: .ok, about: "The version.", schema: Schema.reference("RateDeckVersionHead")),
            handle: { try get($0) }),
        Operation(
            method: .get, path: path + "/{version}/entries", name: "listRateEntries", tag: "rate-decks",
            summary: "Lists a version's rows by prefix.", access: .needs(.readPrices), query: [afterPrefix, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("RateEntryPage")),
            handle: { try entries($0) }),
    ]

    static let schemas: [(String, JSON)] = [
        ("NewRateDeckVersion", Shape<RateDeckVersion>.rateDeckVersion.newSchema), ("RateDeckVersionHead", head.schema),
        ("RateDeckVersionPage", Schema.page(of: Schema.reference("RateDeckVersionHead"))),
        ("RateEntry", Shape<RateEntry>.rateEntry.schema), ("TimeBand", Shape<TimeBand>.timeBand.schema),
        ("ServiceRate", Shape<ServiceRate>.serviceRate.schema), ("WeekWindow", Shape<WeekWindow>.weekWindow.schema), ("DateWindow", Shape<DateWindow>.dateWindow.schema),
        ("RateEntryPage", Schema.page(of: Schema.reference("RateEntry"))),
    ]

    /// Without the rows, which may be half a million.
    private static let head = Shape(
        "RateDeckVersionHead", Shape<RateDeckVersion>.rateDeckVersion.fields.filter { $0.name != "entries" })

    private static func list(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let deck = try deckID(exchange, in: views)
            let limit = exchange.query.limit
            let after = exchange.query.number("after").map { UInt32($0) }
            let versions = try views.deckVersions(of: deck, after: after, limit: limit + 1)
            let last = versions.count > limit ? versions[limit - 1].version : nil
            return .page(versions.prefix(limit).map { head.json($0) }, next: last.map { String($0) })
        }
    }

    private static func publish(_ exchange: Exchange) async throws -> Reply {
        let deck = try exchange.read { views in
            let id = try deckID(exchange, in: views)
            guard let place = try views.place(of: .rateDeck, id.value), try exchange.reach.holds(place) else {
                throw Problem(.forbidden, "The token may read this rate deck, and not publish versions of it.")
            }
            return id
        }
        var version = try exchange.decode { body, faults in
            Shape<RateDeckVersion>.rateDeckVersion.new(body, FieldContext(), &faults)
        }
        version.deckID = deck.data
        // An event that the log cannot hold would fail everybody's commands that wait for the same flush.
        let size = Event.rateDeckVersionPublished(.with { $0.version = version }).serialized().count
        guard size + 1_024 <= LMDBEventLog.eventBytesMax else {
            throw Problem(
                .tooLarge,
                "The price list is one event, of at most \(LMDBEventLog.eventBytesMax >> 20) MiB; it has \(size >> 20) MiB."
            )
        }
        return try published(try await exchange.submit(.publishDeckVersion(version)), of: deck, exchange)
    }

    static func published(_ outcome: AdminOutcome, of deck: RateDeckID, _ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            // A deck's stream holds its creation and then its versions, nothing else.
            let number = UInt32(clamping: outcome.version - 1)
            guard let version = try views.deckVersion(deck, number) else {
                throw Problem(.internalError, "version \(number) of deck \(deck) is not in the views")
            }
            return Reply(.created, .json(head.json(version)), location: "/v1/rate-decks/\(deck)/versions/\(number)")
                .replayed(outcome.repeated)
        }
    }

    private static func get(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in .ok(head.json(try version(exchange, in: views))) }
    }

    private static func entries(_ exchange: Exchange) throws -> Reply {
        try exchange.read { views in
            let version = try version(exchange, in: views)
            let deck = try deckID(exchange, in: views)
            let limit = exchange.query.limit
            // The empty prefix is one too, so a cursor is never empty.
            let after = exchange.query.text("after").map { String($0.dropFirst()) }
            let entries = try views.rateEntries(deck: deck, version: version.version, after: after, limit: limit + 1)
            let last = entries.count > limit ? entries[limit - 1].key : nil
            return .page(entries.prefix(limit).map { Shape<RateEntry>.rateEntry.json($0) }, next: last.map { "-" + $0 })
        }
    }

    private static func deckID(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> RateDeckID {
        let id = try exchange.id("rate_deck_id")
        _ = try RateDecks.visible(id, to: exchange.reach, in: views)
        return RateDeckID(id)
    }

    private static func version(_ exchange: Exchange, in views: borrowing ViewSnapshot) throws -> RateDeckVersion {
        let deck = try deckID(exchange, in: views)
        guard let number = UInt32(exchange.path["version"] ?? ""), let version = try views.deckVersion(deck, number)
        else {
            throw Problem(.notFound, "The rate deck has no such version.")
        }
        return version
    }
}
