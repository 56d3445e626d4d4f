public import Model

/// Turns seconds into money by the price that was agreed when the call started.
///
/// A charge is connection fee + price per minute × billed seconds ÷ 60, computed exactly in 128 bits and rounded
/// once, at the end, half-up to the deck's decimals. What else a price may hold is in `CountedTime` and `Explanation.Sum`.
public enum Rater {
    /// The charge of an answered call on one edge. A call that was not answered has none.
    ///
    /// - Parameter milliseconds: from answer to end; a second that has begun counts as a whole one.
    public static func charge(
        _ lock: RateLock, milliseconds: UInt64, free: [AllowanceUse] = []
    ) throws(RatingError) -> Charge {
        try Explanation(lock, milliseconds: milliseconds, free: free).charge
    }

    /// The charge of an answered call of so many whole seconds on one edge.
    public static func charge(_ lock: RateLock, seconds: UInt64) throws(RatingError) -> Charge {
        try Explanation(lock, seconds: seconds).charge
    }

    /// The charges of an answered call along its chain, one for each edge, in the order of the locks.
    ///
    /// - Parameter free: units that are there for the call, on the edge that may use some.
    public static func charges(
        _ locks: [RateLock], milliseconds: UInt64, free: [AllowanceUse] = []
    ) throws(RatingError) -> [Charge] {
        var charges: [Charge] = []
        charges.reserveCapacity(locks.count)
        for lock in locks {
            charges.append(try charge(lock, milliseconds: milliseconds, free: lock.allowances.isEmpty ? [] : free))
        }
        return charges
    }

    /// Two postings for each charge that is not zero, so that every edge balances by itself.
    public static func postings(for charges: [Charge]) throws(RatingError) -> [Posting] {
        var postings: [Posting] = []
        for charge in charges where charge.amountMicros != 0 {
            guard charge.amountMicros != .min else { throw .overflow(edge: charge.edge) }
            postings.append(Posting(charge.payer, micros: -charge.amountMicros))
            postings.append(Posting(charge.payee, micros: charge.amountMicros))
        }
        return postings
    }
}
