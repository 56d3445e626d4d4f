import Primitives

/// The first place in which two sets of views are not the same.
package enum ViewsDifference: Equatable, Sendable, CustomStringConvertible {
    /// They hold different stretches of the log.
    case applied(UInt64, UInt64)
    /// The bytes of one key; nil where it is missing.
    case entry(table: Table, key: [UInt8], [UInt8]?, [UInt8]?)

    package var description: String {
        switch self {
        case .applied(let a, let b): "one holds the log up to \(a), the other up to \(b)"
        case .entry(let table, let key, let a?, let b?):
            "\(table.rawValue), key \(hex(key)): \(hex(a)) and \(hex(b))"
        case .entry(let table, let key, _?, nil): "\(table.rawValue), key \(hex(key)): only in the first"
        case .entry(let table, let key, nil, _): "\(table.rawValue), key \(hex(key)): only in the second"
        }
    }
}

extension Views {
    /// Compares every key of every table and names the first difference, table by table in the order of `Table`; nil if
    /// there is none. Both are read as they are at this moment.
    package static func difference(_ a: Views, _ b: Views) throws(ViewsError) -> ViewsDifference? {
        try a.read { a throws(ViewsError) in try b.read { b throws(ViewsError) in try compare(a, b) } }
    }

    private static func compare(
        _ a: borrowing ViewSnapshot, _ b: borrowing ViewSnapshot
    ) throws(ViewsError) -> ViewsDifference? {
        guard a.applied == b.applied else { return .applied(a.applied, b.applied) }
        for table in Table.allCases where table != .meta {
            if let difference = try compare(table, a, b) { return difference }
        }
        return nil
    }

    private static func compare(
        _ table: Table, _ a: borrowing ViewSnapshot, _ b: borrowing ViewSnapshot
    ) throws(ViewsError) -> ViewsDifference? {
        var after: Key?
        while true {
            let left = try a.page(table, after: after, limit: pageLimit)
            let right = try b.page(table, after: after, limit: pageLimit)
            for (l, r) in zip(left, right) where l.key != r.key || l.value != r.value {
                if l.key == r.key { return .entry(table: table, key: l.key.bytes, l.value, r.value) }
                return l.key.bytes.lexicographicallyPrecedes(r.key.bytes)
                    ? .entry(table: table, key: l.key.bytes, l.value, nil)
                    : .entry(table: table, key: r.key.bytes, nil, r.value)
            }
            if left.count > right.count {
                return .entry(table: table, key: left[right.count].key.bytes, left[right.count].value, nil)
            }
            if right.count > left.count {
                return .entry(table: table, key: right[left.count].key.bytes, nil, right[left.count].value)
            }
            guard left.count == pageLimit else { return nil }
            after = left.last?.key
        }
    }

    private static let pageLimit = 1_000
}
