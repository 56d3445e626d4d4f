import ControlPlane
import HTTPTypes
import Model
import Primitives
import Projections

/// What a call to a number costs by a deck: the version in force and the longest prefix, as calls are rated.
enum PriceEndpoint {
    static let operations = [
        Operation(
            method: .get, path: "/v1/rate-decks/{rate_deck_id}/price", name: "getPrice", tag: "rate-decks",
            summary: "The price of a call to a number: the row with the longest prefix in the version in force.",
            access: .needs(.readPrices), query: [QueryParameter("number", .text, "E.164, with or without the +.")],
            success: .init(status: .ok, about: "The price.", schema: Schema.reference("Price")),
            handle: { try price($0) })
    ]

    static let schemas: [(String, JSON)] = [
        (
            "Price",
            Schema.object(
                [
                    ("number", Schema.text(max: 16)), ("rate_deck_id", Schema.uuid), ("version", Schema.sequence),
                    ("effective_at", Schema.time), ("currency", Schema.text(max: 3)),
                    ("entry", Schema.reference("RateEntry")),
                ], required: ["number", "rate_deck_id", "version", "effective_at", "currency", "entry"])
        )
    ]

    private static func price(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id("rate_deck_id")
        guard let given = exchange.query.text("number") else { throw invalid("is required") }
        let number = given.hasPrefix("+") ? given : "+" + given
        guard (2...16).contains(number.utf8.count), number.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
        else { throw invalid("must be an E.164 number, such as +4930123456 (with + written as %2B)") }
        return try exchange.read { views in
            let deck = try RateDecks.visible(id, to: exchange.reach, in: views)
            guard let lock = try Price.lock(deck, e164: number, in: views, at: exchange.time),
                let version = try views.deckVersion(RateDeckID(id), lock.deckVersion)
            else { throw Problem(.notFound, "The rate deck has no price for \(number).") }
            return .ok([
                "number": .string(number), "rate_deck_id": .string(id.description),
                "version": .integer(lock.deckVersion),
                "effective_at": .string(WallTime(microseconds: version.effectiveAt).rfc3339),
                "currency": .string(deck.currency), "entry": Shape<RateEntry>.rateEntry.json(lock.entry),
            ])
        }
    }

    private static func invalid(_ reason: String) -> Problem {
        Problem(
            .badRequest, "Some query parameters cannot be accepted.", faults: [FieldFault(.parameter("number"), reason)])
    }
}
