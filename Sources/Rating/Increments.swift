/// How seconds are counted: the first increment is billed as a whole as soon as a call is answered, the
/// next ones as they begin ("30/6": 32 s are billed as 36).
public struct Increments: Hashable, Sendable {
    public let first: UInt64
    public let next: UInt64

    /// An increment of 0 means 1: billing by the second.
    public init(first: UInt32, next: UInt32) {
        self.first = max(1, UInt64(first))
        self.next = max(1, UInt64(next))
    }

    /// The seconds that `used` seconds are billed as: the smallest whole number of increments that holds them.
    /// Saturates at `UInt32.max`, which is 136 years.
    public func billed(used: UInt64) -> UInt32 { billed(next: nextBegun(used: used)) }

    /// How many of the next increments had begun after `used` seconds.
    public func nextBegun(used: UInt64) -> UInt64 {
        guard used > first else { return 0 }
        let (begun, remainder) = (used - first).quotientAndRemainder(dividingBy: next)
        return remainder == 0 ? begun : begun + 1
    }

    /// The seconds of the first increment and so many of the next. Saturates.
    public func billed(next count: UInt64) -> UInt32 {
        let (product, overflowed) = count.multipliedReportingOverflow(by: next)
        let (sum, overflow) = product.addingReportingOverflow(first)
        return overflowed || overflow ? .max : UInt32(clamping: sum)
    }
}
