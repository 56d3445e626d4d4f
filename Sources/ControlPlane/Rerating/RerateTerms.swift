import Foundation
package import Model
package import Primitives
import Projections

/// What a re-rating asks: which calls, and by which deck their customers should have been charged.
package struct RerateTerms: Hashable, Sendable {
    package var deck: RateDeckID
    /// nil: of each call the version that was in force when it started, by what is known now.
    package var version: UInt32?
    /// Calls that came in then or later,
    package var from: WallTime
    /// and before this.
    package var to: WallTime
    /// nil: all customers of the deck's provider.
    package var customer: CustomerID?
    /// Only charges that were made by this deck; nil: by any.
    package var chargedBy: RateDeckID?

    package init(
        deck: RateDeckID, version: UInt32? = nil, from: WallTime, to: WallTime, customer: CustomerID? = nil,
        chargedBy: RateDeckID? = nil
    ) {
        self.deck = deck
        self.version = version
        self.from = from
        self.to = to
        self.customer = customer
        self.chargedBy = chargedBy
    }

    package init?(_ step: RerateStepped) {
        guard let deck = RateDeckID(step.deckID) else { return nil }
        self.init(
            deck: deck, version: step.version == 0 ? nil : step.version, from: WallTime(microseconds: step.from),
            to: WallTime(microseconds: step.to), customer: CustomerID(step.customerID),
            chargedBy: RateDeckID(step.chargedByDeckID))
    }
}

/// What a call's charge is, what it should have been, and what lies between.
package struct ChargeDifference: Equatable, Sendable {
    /// As it was recorded.
    package let original: Charge
    /// Among the record's charges.
    package let index: UInt32
    /// How many corrections there were before.
    package let corrections: UInt32
    /// The original with its corrections.
    package let beforeMicros: Int64
    /// By the deck that is asked about.
    package let corrected: Charge
    /// Free units that it takes, and those that it gives back.
    package let moved: [AllowanceUse]
    package let differenceMicros: Int64
    /// What the customer's provider itself paid for the call; nil: nothing is recorded, or not in this currency.
    package let costMicros: Int64?
}

/// Why a charged call cannot be rated anew. It is not corrected.
package enum Unrated: String, Sendable, CaseIterable {
    case noVersion = "no_version"
    case noPrice = "no_price"
    case numberErased = "number_erased"
    case otherCurrency = "other_currency"
    case tooLarge = "too_large"

    /// For people.
    package var reason: String {
        switch self {
        case .noVersion: "no version of the deck was in force when the call started"
        case .noPrice: "the deck has no price for the number"
        case .numberErased: "the called number was erased"
        case .otherCurrency: "the charge is in another currency than the deck"
        case .tooLarge: "the amount cannot be counted"
        }
    }
}

/// What becomes of one call's record.
package enum RerateVerdict: Equatable, Sendable {
    /// It was not charged to a customer of the deck's provider, or not to the one that is asked about.
    case notConcerned
    case rated(ChargeDifference)
    case unrated(Unrated, Charge)
}
