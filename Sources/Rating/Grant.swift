package import Model

/// Talk time that money covers, and the money that has to be set aside for it.
package struct Grant: Equatable, Sendable {
    /// From the answer; a whole number of increments.
    package let seconds: UInt32
    /// The charge of a call of exactly `seconds`; 0 or more.
    package let micros: Int64

    package init(seconds: UInt32, micros: Int64) {
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
    package static func grant(_ lock: RateLock, available: Int64, wanted: UInt32) throws(RatingError) -> Grant? {
        let increments = Increments(first: lock.entry.firstIncrementSeconds, next: lock.entry.nextIncrementSeconds)
        func grant(_ count: UInt64) throws(RatingError) -> Grant {
            let seconds = increments.billed(used: increments.first + count * increments.next)
            // A negative price is a refund, and nothing has to be set aside for it.
            return Grant(seconds: seconds, micros: max(0, try amount(lock, billedSeconds: seconds)))
        }
        let least = try grant(0)
        guard least.micros <= available else { return nil }
        // The price does not fall with time (or is a refund, which 0 covers), so the affordable counts are 0...n.
        var affordable: UInt64 = 0
        var count = (UInt64(increments.billed(used: UInt64(wanted))) - increments.first) / increments.next
        while affordable < count {
            let middle = affordable + (count - affordable + 1) / 2
            if try grant(middle).micros <= available { affordable = middle } else { count = middle - 1 }
        }
        return try grant(affordable)
    }
}
