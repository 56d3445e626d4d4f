package import Rating

/// What we expect a carrier to ask for a call, by its cost deck as it stood when the call started.
package struct Price: Hashable, Sendable {
    package var connectionFeeMicros: Int64
    package var perMinuteMicros: Int64
    package var increments: Increments
    package var decimals: UInt32

    package init(connectionFeeMicros: Int64, perMinuteMicros: Int64, increments: Increments, decimals: UInt32) {
        self.connectionFeeMicros = connectionFeeMicros
        self.perMinuteMicros = perMinuteMicros
        self.increments = increments
        self.decimals = decimals
    }

    /// The charge before it is rounded, in sixtieths of a micro-unit.
    func sixtieths(billedSeconds: UInt32) -> Int128 {
        Int128(connectionFeeMicros) * 60 + Int128(perMinuteMicros) * Int128(billedSeconds)
    }

    /// The charge for so many seconds, counted by other increments than our own if they are given.
    func micros(milliseconds: Int64, by other: Increments? = nil) -> Int64 {
        let seconds = UInt64(max(0, (milliseconds + 999) / 1_000))
        let billed = (other ?? increments).billed(used: seconds)
        var unit: Int128 = 1
        for _ in min(decimals, 6)..<6 { unit *= 10 }
        return Int64(clamping: dividedHalfUp(sixtieths(billedSeconds: billed), by: 60 * unit) * unit)
    }
}

/// One of our calls out through the carrier.
package struct OwnCall: Hashable, Sendable {
    /// The call record's number.
    package var cdr: UInt64
    package var number: NumberKey
    /// Microseconds since 1970, UTC.
    package var started: Int64
    /// 0: nobody answered.
    package var answered: Int64
    /// Answer to end.
    package var milliseconds: Int64
    package var billedSeconds: UInt32
    /// What we have booked as the carrier's; 0 if nobody answered or it is free.
    package var micros: Int64
    /// Place in the list of prices; nil: nobody answered, or the carrier has no cost deck.
    package var price: Int32?

    package init(
        cdr: UInt64, number: NumberKey, started: Int64, answered: Int64, milliseconds: Int64, billedSeconds: UInt32, micros: Int64, price: Int32?
    ) {
        self.cdr = cdr
        self.number = number
        self.started = started
        self.answered = answered
        self.milliseconds = milliseconds
        self.billedSeconds = billedSeconds
        self.micros = micros
        self.price = price
    }

    package var isAnswered: Bool { answered != 0 }
}

/// Our calls, and the few prices that they have in common.
package struct OwnCalls: Sendable {
    package var calls: [OwnCall] = []
    package private(set) var prices: [Price] = []
    private var places: [Price: Int32] = [:]

    package init() {}

    /// The place of a price in `prices`.
    package mutating func place(of price: Price) -> Int32 {
        if let place = places[price] { return place }
        let place = Int32(prices.count)
        prices.append(price)
        places[price] = place
        return place
    }

    package func price(of call: OwnCall) -> Price? { call.price.map { prices[Int($0)] } }
}
