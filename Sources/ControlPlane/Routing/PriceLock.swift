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

    /// The price of a number on one edge, by one version of a deck; nil: it has none.
    static func lock<State: ViewQueries & ~Copyable>(
        _ deck: RateDeck, version: UInt32, edge: String, e164: String, payer: AccountRef, payee: AccountRef,
        in state: borrowing State
    ) throws -> RateLock? {
        guard let id = RateDeckID(deck.id),
            let entry = try state.rateEntry(deck: id, version: version, digits: String(e164.dropFirst()))
        else { return nil }
        var lock = RateLock()
        lock.deckID = deck.id
        lock.deckVersion = version
        lock.entry = entry
        lock.currency = deck.currency
        lock.decimals = deck.decimals
        lock.edge = edge
        (lock.payer, lock.payee) = (payer, payee)
        return lock
    }

    /// Retail first, then wholesale from the customer's provider upwards, then the carrier's cost.
    static func locks<State: ViewQueries & ~Copyable>(
        for line: Line, carrier: Carrier, e164: String, in state: borrowing State, at time: WallTime
    ) throws -> Result {
        var locks: [RateLock] = []
        func add(_ deckID: Data, _ edge: String, _ accounts: (String) -> (payer: AccountRef, payee: AccountRef))
            throws -> Bool
        {
            guard let id = RateDeckID(deckID), let deck = try state.rateDeck(id),
                let version = try state.deckVersion(id, at: time)
            else { return false }
            let (payer, payee) = accounts(deck.currency)
            guard
                let lock = try lock(
                    deck, version: version, edge: edge, e164: e164, payer: payer, payee: payee, in: state)
            else { return false }
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
