import ControlPlane
import Model
import Primitives
import Projections

/// A deck's currency and decimals are for good; its prices change by publishing versions.
enum RateDecks: ChangeableResource {
    static let kind = EntityKind.rateDeck
    static let noun = "rate deck"
    static let segment = "rate-decks"
    static let rights = ResourceRights(read: .readPrices, write: .writePrices)
    static let shape = Shape<RateDeck>.rateDeck

    static func find(_ id: UUIDv7, in views: borrowing ViewSnapshot) throws(ViewsError) -> RateDeck? {
        try views.rateDeck(RateDeckID(id))
    }

    static func all(after id: UUIDv7?, limit: Int, in views: borrowing ViewSnapshot) throws(ViewsError) -> [RateDeck] {
        try views.rateDecks(after: id.map(RateDeckID.init), limit: limit)
    }

    static func id(of deck: RateDeck) -> UUIDv7? { UUIDv7(bytes: deck.id) }

    static func place(of deck: RateDeck, in views: borrowing ViewSnapshot) throws(ViewsError) -> Place {
        try views.place(provider: deck.providerID)
    }

    static func references(of deck: RateDeck, in views: borrowing ViewSnapshot) throws(ViewsError) -> [Reference] {
        [Reference("provider_id", .provider, UUIDv7(bytes: deck.providerID))]
    }

    static func create(_ deck: RateDeck) -> AdminCommand { .createRateDeck(deck) }

    static func change(_ deck: RateDeck, expectedVersion: UInt64?) -> AdminCommand { .changeRateDeck(deck, expectedVersion: expectedVersion) }
}
