/// Watches the numbers of the feed: 1, 2, 3 … without a gap, or the caches built from it are worth nothing.
///
/// The feed and the answer that says where it stands come over two connections, in any order.
public struct FeedGapDetector: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        /// Apply it.
        case inOrder
        /// Applied before, or part of what the state already holds: drop it.
        case duplicate
        /// These numbers were missed: drop the caches and ask for the state.
        case gap(missing: ClosedRange<UInt64>)
        /// The state has not been asked for since the start or since a gap; what comes is of no use to a cache.
        case unsynchronised
    }

    /// The last number whose effect is known; nil before the first `synchronise`, and after a gap.
    public private(set) var last: UInt64?
    /// Where the feed stood at the latest `observe`, which its messages had not reached.
    private var awaited: UInt64?

    public init() {}

    public var isSynchronised: Bool { last != nil }

    /// The state as of `number` has been received.
    public mutating func synchronise(at number: UInt64) {
        last = number
        awaited = nil
    }

    public mutating func accept(_ number: UInt64) -> Verdict {
        guard let last else { return .unsynchronised }
        if number <= last { return .duplicate }
        if number == last + 1 {
            self.last = number
            return .inOrder
        }
        self.last = nil
        awaited = nil
        return .gap(missing: last + 1...number - 1)
    }

    /// A heartbeat's answer says that the feed stands at `head`. A message may still be on its way, so it is a gap
    /// only if what one answer named has not come by the next; `true` then.
    ///
    /// A head behind `last` says nothing: the answer may be older than the message. A control plane that has started
    /// again, and counts from the beginning, says so by itself.
    public mutating func observe(head: UInt64) -> Bool {
        guard let last else { return false }
        if let awaited, last < awaited {
            self.last = nil
            self.awaited = nil
            return true
        }
        awaited = head > last ? head : nil
        return false
    }
}
