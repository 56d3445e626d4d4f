public import Model

/// How the charge of an answered call on one edge comes about, step by step. The charge is read off it, so that what
/// is explained is what was computed.
public struct Explanation: Equatable, Sendable {
    /// The price: deck, version, row, currency, decimals, payer and payee.
    public let lock: RateLock
    /// From answer to end.
    public let milliseconds: UInt64
    /// A second that has begun counts as a whole one; those beyond the limit do not count.
    public let usedSeconds: UInt64
    /// The call went on beyond what money was set aside for: a timer is late, or a worker was lost.
    public var isLimited: Bool { lock.timeLimitSeconds > 0 && milliseconds > UInt64(lock.timeLimitSeconds) * 1_000 }
    public let increments: Increments
    public let counted: CountedTime
    public let sum: Sum
    /// Free units that it took, in the order in which they were offered.
    public let allowances: [AllowanceUse]
    /// What is due beside them.
    public let dueMicros: Int64

    /// How many of the next increments had begun, after the first.
    public var nextIncrements: UInt64 { counted.nextIncrements }
    public var billedSeconds: UInt32 { counted.billedSeconds }

    /// - Parameters:
    ///   - milliseconds: from answer to end.
    ///   - free: units that are there for the call; those that it takes are in `allowances`.
    public init(_ lock: RateLock, milliseconds: UInt64, free: [AllowanceUse] = []) throws(RatingError) {
        let (seconds, remainder) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        let begun = remainder == 0 ? seconds : seconds + 1
        let limit = UInt64(lock.timeLimitSeconds)
        try self.init(lock, seconds: limit > 0 ? min(begun, limit) : begun, milliseconds: milliseconds, free: free)
    }

    public init(_ lock: RateLock, seconds: UInt64, free: [AllowanceUse] = []) throws(RatingError) {
        try self.init(lock, seconds: seconds, milliseconds: UInt64(clamping: UInt128(seconds) * 1_000), free: free)
    }

    private init(_ lock: RateLock, seconds: UInt64, milliseconds: UInt64, free: [AllowanceUse]) throws(RatingError) {
        self.lock = lock
        self.milliseconds = milliseconds
        usedSeconds = seconds
        let price = Tariff(lock)
        increments = Increments(price)
        counted = CountedTime(used: seconds, by: price)
        let units = FreeUnits(free)
        let time = units.takingTime(of: counted.billedSeconds, by: price)
        sum = try Sum(price, billedSeconds: counted.billedSeconds, isFeeDue: counted.reason != .freeDelay, freeSeconds: time.total)
        let money = units.takingMoney(of: sum.amountMicros)
        allowances = time.uses + money.uses
        dueMicros = sum.amountMicros - money.total
    }

    public var charge: Charge {
        var charge = Charge()
        charge.edge = lock.edge
        charge.deckID = lock.deckID
        charge.deckVersion = lock.deckVersion
        charge.entry = lock.entry
        charge.billedSeconds = billedSeconds
        charge.amountMicros = dueMicros
        charge.allowances = allowances
        charge.currency = lock.currency
        charge.decimals = lock.decimals
        charge.payer = lock.payer
        charge.payee = lock.payee
        charge.timeLimitSeconds = lock.timeLimitSeconds
        return charge
    }
}

extension Explanation {
    /// Connection fee and time, and the one rounding.
    public struct Sum: Equatable, Sendable {
        public let fee: ExactAmount
        /// The first increment, if it has a price of its own: price per minute × its seconds ÷ 60.
        public let first: ExactAmount?
        /// Seconds that are paid by each of the two prices: those of the first increment, if it has one of its own, and all others.
        public let firstSeconds: UInt32
        public let nextSeconds: UInt32
        /// Price per minute × billed seconds ÷ 60, of the first increment too unless that has its own price.
        public let next: ExactAmount
        /// Both.
        public let time: ExactAmount
        /// Fee and time, or the greater of them if the fee is deductible.
        public let exact: ExactAmount
        /// What the last decimal of the deck is worth, in micro-units.
        public let unitMicros: Int64
        /// Half-up, a tie away from zero.
        public let amountMicros: Int64

        /// - Parameters:
        ///   - billedSeconds: already a whole number of increments, or 0.
        ///   - freeSeconds: of the billed ones the first so many, which allowances pay for.
        public init(_ price: Tariff, billedSeconds: UInt32, isFeeDue: Bool = true, freeSeconds: UInt32 = 0) throws(RatingError) {
            let decimals = price.decimals
            let freeSeconds = min(freeSeconds, billedSeconds)
            guard decimals <= 6 else { throw .invalidDecimals(decimals) }
            var unit: Int64 = 1
            for _ in decimals..<6 { unit *= 10 }
            unitMicros = unit
            fee = ExactAmount(micros: isFeeDue ? price.connectionFeeMicros : 0)
            var rest = billedSeconds - freeSeconds
            if let firstPerMinute = price.firstPerMinuteMicros, billedSeconds > 0 {
                let increment = min(billedSeconds, max(1, price.firstIncrementSeconds))
                firstSeconds = increment - min(increment, freeSeconds)
                first = ExactAmount(sixtieths: Int128(firstPerMinute) * Int128(firstSeconds))
                rest -= firstSeconds
            } else {
                first = nil
                firstSeconds = 0
            }
            nextSeconds = rest
            next = ExactAmount(sixtieths: Int128(price.perMinuteMicros) * Int128(rest))
            time = if let first { first + next } else { next }
            exact = price.isFeeDeductible ? max(fee, time) : fee + time
            let rounded = dividedHalfUp(exact.sixtieths, by: 60 * Int128(unit)) * Int128(unit)
            guard let micros = Int64(exactly: rounded) else { throw .overflow(edge: price.edge) }
            amountMicros = micros
        }
    }
}

extension RateLock {
    /// The price that a charge was made by.
    public init(_ charge: Charge) {
        self.init()
        edge = charge.edge
        deckID = charge.deckID
        deckVersion = charge.deckVersion
        entry = charge.entry
        currency = charge.currency
        decimals = charge.decimals
        payer = charge.payer
        payee = charge.payee
        timeLimitSeconds = charge.timeLimitSeconds
    }

    /// The price under which no more is charged than was set aside, to whom it was set aside for.
    public func limited(by hold: CreditHold?) -> RateLock {
        guard let hold, hold.account == payer else { return self }
        var lock = self
        lock.timeLimitSeconds = hold.grantedSeconds
        return lock
    }
}
