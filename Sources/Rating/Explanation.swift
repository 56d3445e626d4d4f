package import Model

/// How the charge of an answered call on one edge comes about, step by step. The charge is read off it, so that what
/// is explained is what was computed.
package struct Explanation: Equatable, Sendable {
    /// The price: deck, version, row, currency, decimals, payer and payee.
    package let lock: RateLock
    /// From answer to end.
    package let milliseconds: UInt64
    /// A second that has begun counts as a whole one.
    package let usedSeconds: UInt64
    package let increments: Increments
    /// How many of the next increments had begun, after the first.
    package let nextIncrements: UInt64
    package let billedSeconds: UInt32
    package let sum: Sum

    /// - Parameter milliseconds: from answer to end.
    package init(_ lock: RateLock, milliseconds: UInt64) throws(RatingError) {
        let (seconds, remainder) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        try self.init(lock, seconds: remainder == 0 ? seconds : seconds + 1, milliseconds: milliseconds)
    }

    package init(_ lock: RateLock, seconds: UInt64) throws(RatingError) {
        try self.init(lock, seconds: seconds, milliseconds: UInt64(clamping: UInt128(seconds) * 1_000))
    }

    private init(_ lock: RateLock, seconds: UInt64, milliseconds: UInt64) throws(RatingError) {
        self.lock = lock
        self.milliseconds = milliseconds
        usedSeconds = seconds
        increments = Increments(first: lock.entry.firstIncrementSeconds, next: lock.entry.nextIncrementSeconds)
        nextIncrements = increments.nextBegun(used: seconds)
        billedSeconds = increments.billed(next: nextIncrements)
        sum = try Sum(lock, billedSeconds: billedSeconds)
    }

    package var charge: Charge {
        var charge = Charge()
        charge.edge = lock.edge
        charge.deckID = lock.deckID
        charge.deckVersion = lock.deckVersion
        charge.entry = lock.entry
        charge.billedSeconds = billedSeconds
        charge.amountMicros = sum.amountMicros
        charge.currency = lock.currency
        charge.decimals = lock.decimals
        charge.payer = lock.payer
        charge.payee = lock.payee
        return charge
    }
}

extension Explanation {
    /// Connection fee and time, and the one rounding.
    package struct Sum: Equatable, Sendable {
        package let fee: ExactAmount
        /// Price per minute × billed seconds ÷ 60.
        package let time: ExactAmount
        package let exact: ExactAmount
        /// What the last decimal of the deck is worth, in micro-units.
        package let unitMicros: Int64
        /// Half-up, a tie away from zero.
        package let amountMicros: Int64

        /// - Parameter billedSeconds: already a whole number of increments.
        init(_ lock: RateLock, billedSeconds: UInt32) throws(RatingError) {
            guard lock.decimals <= 6 else { throw .invalidDecimals(lock.decimals) }
            var unit: Int64 = 1
            for _ in lock.decimals..<6 { unit *= 10 }
            unitMicros = unit
            fee = ExactAmount(micros: lock.entry.connectionFeeMicros)
            time = ExactAmount(sixtieths: Int128(lock.entry.perMinuteMicros) * Int128(billedSeconds))
            exact = fee + time
            let rounded = dividedHalfUp(exact.sixtieths, by: 60 * Int128(unit)) * Int128(unit)
            guard let micros = Int64(exactly: rounded) else { throw .overflow(edge: lock.edge) }
            amountMicros = micros
        }
    }
}

extension RateLock {
    /// The price that a charge was made by.
    package init(_ charge: Charge) {
        self.init()
        edge = charge.edge
        deckID = charge.deckID
        deckVersion = charge.deckVersion
        entry = charge.entry
        currency = charge.currency
        decimals = charge.decimals
        payer = charge.payer
        payee = charge.payee
    }
}
