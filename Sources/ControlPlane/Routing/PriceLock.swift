import Foundation
package import Model
package import Primitives
package import Projections
import Rating

/// The prices that a call will be charged by on every edge of the chain, agreed when it starts.
enum PriceLock {
    enum Result {
        case locked([RateLock])
        /// The edge has a deck, or must have one, but no price for the number.
        case noPrice(edge: String)
    }

    static let retail = "retail"
    static let wholesale = "wholesale"
    static let carrier = CallStarted.carrierEdge

    /// The price of a number on one edge, by one version of a deck; nil: it has none.
    ///
    /// - Parameter time: when the call came in; the time band of that moment holds for the whole call.
    static func lock<State: ViewQueries & ~Copyable>(
        _ deck: RateDeck, _ rows: DeckRows, edge: String, e164: String, payer: AccountRef, payee: AccountRef,
        patterns: RowPatterns, in state: borrowing State, at time: WallTime
    ) throws -> RateLock? {
        guard let id = RateDeckID(deck.id) else { return nil }
        let digits = String(e164.dropFirst())
        var lock = RateLock()
        var band: UInt32 = 0
        if rows.hasBands, let head = try state.deckVersion(id, rows.version) {
            lock.utcOffsetSeconds = ZoneOffset.seconds(of: head.timeZone, at: time)
            band = head.band(at: time, utcOffsetSeconds: lock.utcOffsetSeconds)
        }
        guard let entry = try state.rateEntry(in: rows, digits: digits, band: band, matches: { patterns.matches($0, digits: digits) })
        else { return nil }
        lock.deckID = deck.id
        lock.deckVersion = rows.version
        lock.entry = entry
        lock.currency = deck.currency
        lock.decimals = deck.decimals
        lock.edge = edge
        (lock.payer, lock.payee) = (payer, payee)
        return lock
    }

    /// What a line's customer pays: by the deck, else by the plan's rate for all calls of the kind; nil: neither has a price.
    ///
    /// With the free units that the call may use.
    static func retailLock<State: ViewQueries & ~Copyable>(
        for line: Line, deck id: Data, leg: LegType, e164: String, patterns: RowPatterns, in state: borrowing State, at time: WallTime
    ) throws -> RateLock? {
        var lock = try priceLock(for: line, deck: id, leg: leg, e164: e164, patterns: patterns, in: state, at: time)
        lock?.allowances = try FreeUnitsOffer.terms(for: line, e164: e164, leg: leg, in: state, at: time)
        return lock
    }

    private static func priceLock<State: ViewQueries & ~Copyable>(
        for line: Line, deck id: Data, leg: LegType, e164: String, patterns: RowPatterns, in state: borrowing State, at time: WallTime
    ) throws -> RateLock? {
        func accounts(_ currency: String) -> (payer: AccountRef, payee: AccountRef) {
            (
                .of(.customer, owner: line.customer.id, currency: currency),
                .of(.providerRevenue, owner: line.provider.id, currency: currency)
            )
        }
        if let id = RateDeckID(id), let deck = try state.rateDeck(id), let rows = try state.deckRows(id, at: time) {
            let (payer, payee) = accounts(deck.currency)
            if let found = try lock(
                deck, rows, edge: retail, e164: e164, payer: payer, payee: payee, patterns: patterns, in: state, at: time)
            {
                return found
            }
        }
        func serviceRate(_ leg: LegType) -> ServiceRate? { line.plan.serviceRates.first { $0.leg == leg && $0.isValid(at: time) } }
        guard let rate = serviceRate(leg) ?? leg.fallback.flatMap(serviceRate) else { return nil }
        var made = RateLock()
        made.edge = retail
        made.entry = rate.price
        made.entry.destination = "service rate: \(rate.leg.literal)"
        made.currency = line.provider.currency
        made.decimals = rate.decimals
        (made.payer, made.payee) = accounts(line.provider.currency)
        return made
    }

    private static func lock<State: ViewQueries & ~Copyable>(
        _ deckID: Data, _ edge: String, e164: String, patterns: RowPatterns, in state: borrowing State, at time: WallTime,
        _ accounts: (String) -> (payer: AccountRef, payee: AccountRef)
    ) throws -> RateLock? {
        guard let id = RateDeckID(deckID), let deck = try state.rateDeck(id),
            let rows = try state.deckRows(id, at: time)
        else { return nil }
        let (payer, payee) = accounts(deck.currency)
        return try lock(deck, rows, edge: edge, e164: e164, payer: payer, payee: payee, patterns: patterns, in: state, at: time)
    }

    /// What a carrier charges; nil: its deck has no price for the number. A carrier without a deck is not asked.
    static func cost<State: ViewQueries & ~Copyable>(
        of carrier: Carrier, e164: String, patterns: RowPatterns, in state: borrowing State, at time: WallTime
    ) throws -> RateLock? {
        try lock(carrier.costDeckID, Self.carrier, e164: e164, patterns: patterns, in: state, at: time) { currency in
            (
                .of(.carrierCost, owner: carrier.providerID, currency: currency),
                .of(.carrierPayable, owner: carrier.id, currency: currency)
            )
        }
    }

    /// Of a call to a line: what the paying line's customer pays, then what each provider above it pays its parent. What has no price
    /// is covered by the month.
    static func locks<State: ViewQueries & ~Copyable>(
        toLineFor line: Line, deck: Data, leg: LegType, e164: String, patterns: RowPatterns, in state: borrowing State, at time: WallTime
    ) throws -> [RateLock] {
        var locks: [RateLock] = []
        if let lock = try retailLock(for: line, deck: deck, leg: leg, e164: e164, patterns: patterns, in: state, at: time) { locks = [lock] }
        for provider in line.providers {
            let id = leg == .sip ? provider.onNetWholesaleDeckID : provider.inboundWholesaleDeckID
            let price = try lock(id, wholesale, e164: e164, patterns: patterns, in: state, at: time) { accounts(of: provider, $0) }
            if let price { locks.append(price) }
        }
        return locks
    }

    private static func accounts(of provider: Provider, _ currency: String) -> (payer: AccountRef, payee: AccountRef) {
        (
            .of(.providerCost, owner: provider.id, currency: currency),
            .of(.providerPayable, owner: provider.id, currency: currency)
        )
    }

    /// Retail first, then wholesale from the customer's provider upwards; what carriers cost comes after them.
    static func locks<State: ViewQueries & ~Copyable>(
        for line: Line, e164: String, leg: LegType, patterns: RowPatterns, in state: borrowing State, at time: WallTime
    ) throws -> Result {
        var locks: [RateLock] = []
        // What a customer buys must have a price; a free call is a price of zero.
        guard
            let price = try retailLock(
                for: line, deck: line.plan.rateDeckID, leg: leg, e164: e164, patterns: patterns, in: state, at: time)
        else { return .noPrice(edge: retail) }
        locks.append(price)
        for provider in line.providers where !provider.wholesaleDeckID.isEmpty {
            let price = try lock(provider.wholesaleDeckID, wholesale, e164: e164, patterns: patterns, in: state, at: time) {
                accounts(of: provider, $0)
            }
            guard let price else { return .noPrice(edge: wholesale) }
            locks.append(price)
        }
        return .locked(locks)
    }
}

/// What a number costs by a deck at a time, as a call is priced.
package enum Price {
    /// Between no accounts; nil: the deck has no price for the number.
    package static func lock<State: ViewQueries & ~Copyable>(
        _ deck: RateDeck, e164: String, in state: borrowing State, at time: WallTime
    ) throws -> RateLock? {
        guard let id = RateDeckID(deck.id), let rows = try state.deckRows(id, at: time) else { return nil }
        return try PriceLock.lock(
            deck, rows, edge: PriceLock.retail, e164: e164, payer: AccountRef(), payee: AccountRef(), patterns: RowPatterns(), in: state, at: time)
    }
}
