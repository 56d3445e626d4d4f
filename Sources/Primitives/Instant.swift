/// A point on the monotonic clock of one process: nanoseconds since an arbitrary start.
///
/// Machines are handed instants; they never read a clock. In a simulation the number is set by the world.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static let zero = Instant(nanoseconds: 0)

    public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates at zero and at the end of time: a deadline is never wrapped into the past.
    public static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = Int64(clamping: instant.nanoseconds).addingReportingOverflow(duration.nanoseconds)
        return Instant(nanoseconds: overflow ? UInt64(Int64.max) : UInt64(max(0, sum)))
    }

    public static func - (later: Instant, earlier: Instant) -> Duration {
        .nanoseconds(Int64(clamping: later.nanoseconds) - Int64(clamping: earlier.nanoseconds))
    }
}

/// The first of those that there are.
public func earliest(_ instants: Instant?...) -> Instant? {
    var first: Instant?
    for case let instant? in instants where first.map({ instant < $0 }) ?? true { first = instant }
    return first
}

extension Duration {
    /// Whole nanoseconds, saturating; durations here are far below the 292 years that fit.
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, overflowSum) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflowSum ? (seconds < 0 ? .min : .max) : sum
    }

    public var milliseconds: Int64 { nanoseconds / 1_000_000 }
}
