public import Model

/// What of a call's seconds is billed by a price: free delay, free seconds, minimum and increments, in this order.
public struct CountedTime: Equatable, Sendable {
    public enum Reason: Equatable, Sendable {
        /// Counted in increments.
        case counted
        /// Not longer than the free delay: nothing is due, not even a connection fee.
        case freeDelay
        /// Not longer than the free seconds: the connection fee alone is due.
        case freeSeconds
    }

    public let reason: Reason
    /// What is left of the call's seconds after the free ones, at least the minimum.
    public let seconds: UInt64
    /// How many of the next increments had begun, after the first.
    public let nextIncrements: UInt64
    /// A whole number of increments; 0 for a call that is free.
    public let billedSeconds: UInt32

    /// - Parameter used: a second that has begun counts as a whole one.
    public init(used: UInt64, by price: Tariff) {
        let increments = Increments(price)
        if price.freeDelaySeconds > 0, used <= UInt64(price.freeDelaySeconds) {
            self.init(.freeDelay, 0, 0, 0)
        } else if price.freeSeconds > 0, used <= UInt64(price.freeSeconds) {
            self.init(.freeSeconds, 0, 0, 0)
        } else {
            let seconds = max(used - UInt64(price.freeSeconds), UInt64(price.minimumSeconds))
            let next = increments.nextBegun(used: seconds)
            self.init(.counted, seconds, next, increments.billed(next: next))
        }
    }

    private init(_ reason: Reason, _ seconds: UInt64, _ nextIncrements: UInt64, _ billedSeconds: UInt32) {
        self.reason = reason
        self.seconds = seconds
        self.nextIncrements = nextIncrements
        self.billedSeconds = billedSeconds
    }
}

extension Increments {
    public init(_ price: Tariff) {
        self.init(first: price.firstIncrementSeconds, next: price.nextIncrementSeconds)
    }
}
