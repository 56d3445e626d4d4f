import Foundation
import Model
import Primitives
import Projections

/// The prices that a call will be charged by on every edge of the chain, agreed when it starts.
enum PriceLock {
    enum Result {
        case locked([RateLock])
        /// The edge has a deck, or must have one, but no price for the number.
        case noPrice(edge: String)
    }

    static let retail = "retail"
    static let wholesale = "wholesale"
    static let carrier = "carrier"

    /// Retail first, then wholesale from the customer's provider upwards, then the carrier's cost.
    static func locks<State: ViewQueries & ~Copyable>(
        for line: Line, carrier: Carrier, e164: String, in state: borrowing State, at wall: WallTime
    ) throws -> Result {
        var locks: [RateLock] = []
        func add(_ deckID: Data, _ edge: String, _ accounts: (String) -> (payer: AccountRef, payee: AccountRef))
            throws -> Bool
        {
            guard let id = RateDeckID(deckID),
                let rate = try state.rate(deck: id, at: wall, digits: String(e164.dropFirst()))
            else { return false }
            var lock = RateLock()
            lock.deckID = rate.deck.id
            lock.deckVersion = rate.version
            lock.entry = rate.entry
            lock.currency = rate.deck.currency
            lock.decimals = rate.deck.decimals
            lock.edge = edge
            (lock.payer, lock.payee) = accounts(rate.deck.currency)
            locks.append(lock)
            return true
        }
        // What a customer buys must have a price; a free call is a price of zero.
        guard
            try add(
                line.plan.rateDeckID, retail,
                { currency in
                    (
                        .of(.customer, owner: line.customer.id, currency: currency),
                        .of(.providerRevenue, owner: line.provider.id, currency: currency)
                    )
                })
        else { return .noPrice(edge: retail) }
        for provider in line.providers where !provider.wholesaleDeckID.isEmpty {
            guard
                try add(
                    provider.wholesaleDeckID, wholesale,
                    { currency in
                        (
                            .of(.providerCost, owner: provider.id, currency: currency),
                            .of(.providerPayable, owner: provider.id, currency: currency)
                        )
                    })
            else { return .noPrice(edge: wholesale) }
        }
        if !carrier.costDeckID.isEmpty {
            guard
                try add(
                    carrier.costDeckID, Self.carrier,
                    { currency in
                        (
                            .of(.carrierCost, owner: carrier.providerID, currency: currency),
                            .of(.carrierPayable, owner: carrier.id, currency: currency)
                        )
                    })
            else { return .noPrice(edge: Self.carrier) }
        }
        return .locked(locks)
    }
}
