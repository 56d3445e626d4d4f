public import Model

/// Talk time that money covers, and the money that has to be set aside for it.
public struct Grant: Equatable, Sendable {
    /// From the answer; a whole number of increments behind what is free.
    public let seconds: UInt32
    /// The most that a call of at most `seconds` is charged; 0 or more.
    public let micros: Int64

    public init(seconds: UInt32, micros: Int64) {
        self.seconds = seconds
        self.micros = micros
    }
}

extension Rater {
    /// How long a prepaid call may last: the increments that hold `wanted` seconds, or fewer if `available` pays for
    /// fewer. nil if it does not pay for the first increment.
    ///
    /// Holding the grant's money beforehand makes it impossible for calls to spend together what the account does
    /// not have: a call that ends within the grant is charged at most `micros`.
    ///
    /// - Parameter freeSeconds: that allowances pay for.
    public static func grant(
        _ price: Tariff, available: Int64, wanted: UInt32, freeSeconds: UInt32 = 0
    ) throws(RatingError) -> Grant? {
        let increments = Increments(price)
        let least = increments.nextBegun(used: UInt64(price.minimumSeconds))
        // A call that ends within what is free pays nothing or the fee; one that ends sooner than the grant pays for
        // fewer increments. The price of the next ones is one rate, so the charge runs from the least count's to this one's.
        let free = try price.freeSeconds > 0 ? Explanation.Sum(price, billedSeconds: 0).amountMicros : 0
        let sooner = max(
            0, free, try Explanation.Sum(price, billedSeconds: increments.billed(next: least), freeSeconds: freeSeconds).amountMicros)
        guard sooner <= available else { return nil }
        func grant(_ count: UInt64) throws(RatingError) -> Grant {
            let billed = increments.billed(next: count)
            let (seconds, overflow) = billed.addingReportingOverflow(price.freeSeconds)
            // A negative price is a refund, and nothing has to be set aside for it.
            let micros = max(sooner, try Explanation.Sum(price, billedSeconds: billed, freeSeconds: freeSeconds).amountMicros)
            return Grant(seconds: max(overflow ? .max : seconds, price.freeDelaySeconds), micros: micros)
        }
        // What is held does not fall with time, so the affordable counts are `least`...n. Most accounts have enough for all of it.
        var affordable = least
        var count = max(least, CountedTime(used: UInt64(wanted), by: price).nextIncrements)
        let whole = try grant(count)
        if whole.micros <= available { return whole }
        while affordable < count {
            let middle = affordable + (count - affordable + 1) / 2
            if try grant(middle).micros <= available { affordable = middle } else { count = middle - 1 }
        }
        return try grant(affordable)
    }
}
