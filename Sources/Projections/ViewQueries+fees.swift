import Foundation
public import Model
public import Primitives

/// A line or a number that somebody had for a while, or the plan that a customer or a provider was under.
public struct FeeItem: Equatable, Sendable {
    public let kind: FeeKind
    public let id: UUIDv7
    public let from: WallTime
    /// Not included; `open`: it lasts.
    public let to: WallTime
    /// Of the kind `plan`.
    public let plan: ServicePlanID?

    public static let open = WallTime(microseconds: .max)
}

extension ViewQueries where Self: ~Copyable {
    /// Customers and providers that have, or had, anything; in the order of their ids.
    public func feePayers(after: UUIDv7? = nil, limit: Int) throws(ViewsError) -> [UUIDv7] {
        var payers: [UUIDv7] = []
        var start = after.map { Key(Key($0).bytes + [0xFF]) } ?? Key()
        while payers.count < limit {
            var found: UUIDv7?
            try scan(.feeItems, from: start) { key, _ in
                var reader = KeyReader(key.bytes)
                found = reader.id()
                return false
            }
            guard let payer = found else { break }
            payers.append(payer)
            start = Key(Key(payer).bytes + [0xFF])
        }
        return payers
    }

    /// In the order of what they are and when they began.
    /// - Parameter kind: nil: of all kinds.
    public func feeItems(of payer: UUIDv7, kind: FeeKind? = nil) throws(ViewsError) -> [FeeItem] {
        var prefix = Key(payer)
        if let kind { prefix.add(byte: UInt8(truncatingIfNeeded: kind.rawValue)) }
        var items: [FeeItem] = []
        try scan(.feeItems, from: prefix) { key, row throws(ViewsError) in
            guard key.hasPrefix(prefix) else { return false }
            var (reader, value) = (KeyReader(Array(key.bytes.dropFirst(17))), KeyReader(row))
            guard let kind = FeeKind(rawValue: Int(key.bytes[16])), let id = reader.id(), let from = reader.time(),
                let to = value.time()
            else { throw .unreadable(table: .feeItems) }
            items.append(FeeItem(kind: kind, id: id, from: from, to: to, plan: value.id().map(ServicePlanID.init)))
            return true
        }
        return items
    }

    /// nil: the plan has no fees.
    public func feesSince(of plan: ServicePlanID) throws(ViewsError) -> WallTime? { try feeTime(Key(plan.value), in: .feePlans) }

    /// Up to when the payer was charged by the plan; nil: never.
    public func feesThrough(of payer: UUIDv7, by plan: ServicePlanID) throws(ViewsError) -> WallTime? {
        try feeTime(Key(payer).adding(plan.value), in: .feePeriods)
    }

    private func feeTime(_ key: Key, in table: Table) throws(ViewsError) -> WallTime? {
        guard let row = try value(key, in: table) else { return nil }
        var reader = KeyReader(row)
        guard let time = reader.time() else { throw .unreadable(table: table) }
        return time
    }

    /// What was charged to a customer or a provider, in the order of the periods.
    /// - Parameter after: beginning of the period and plan of the last one before; both are on the fact.
    public func fees(
        of payer: UUIDv7, after: (start: WallTime, plan: UUIDv7)? = nil, limit: Int
    ) throws(ViewsError) -> [FeeCharged] {
        let prefix = Key(payer)
        var last: Key?
        if let after {
            var key = prefix
            key.add(after.start)
            last = key.adding(after.plan)
        }
        var fees: [FeeCharged] = []
        for (_, row) in try page(.fees, prefix: prefix, after: last, limit: limit) {
            var reader = KeyReader(row)
            guard let sequence = reader.number64() else { throw .unreadable(table: .fees) }
            fees.append(try decoded(FeeCharged.self, try fact(at: sequence).payload, of: .fees))
        }
        return fees
    }
}
