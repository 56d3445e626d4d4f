public import Model
public import Primitives

extension ViewQueries where Self: ~Copyable {
    /// What calls that a security group was asked about cost since then, and what is held for those that run.
    /// - Parameter since: the beginning of a quarter of an hour; an earlier time is asked from the quarter that it is in.
    public func spend(of line: SubscriberID, since: WallTime) throws(ViewsError) -> Spend {
        try spend(party: line.value, since: since)
    }

    public func spend(of customer: CustomerID, since: WallTime) throws(ViewsError) -> Spend {
        try spend(party: customer.value, since: since)
    }

    private func spend(party: UUIDv7, since: WallTime) throws(ViewsError) -> Spend {
        let prefix = Key(party)
        let first = UInt64(max(0, since.microseconds) / SpendProjection.quarter)
        var spend = Spend()
        try scan(.spend, from: prefix.adding(first)) { key, value throws(ViewsError) in
            guard key.hasPrefix(prefix) else { return false }
            var (keyReader, valueReader) = (KeyReader(key.bytes), KeyReader(value))
            keyReader.skip(16)
            guard let quarter = keyReader.number64(), let amount = valueReader.number64() else {
                throw .unreadable(table: .spend)
            }
            if quarter == SpendProjection.held {
                spend.heldMicros = Int64(bitPattern: amount)
            } else {
                spend.chargedMicros = spend.chargedMicros &+ Int64(bitPattern: amount)
            }
            return true
        }
        return spend
    }
}

/// Of one line or one customer, in the customer's currency.
public struct Spend: Equatable, Sendable {
    public var chargedMicros: Int64 = 0
    public var heldMicros: Int64 = 0

    public init() {}

    public var totalMicros: Int64 { chargedMicros &+ heldMicros }
}
