public import Ledger
import Primitives

/// The first place in which two sets of views are not the same.
public enum ViewsDifference: Equatable, Sendable, CustomStringConvertible {
    /// They hold different stretches of the log.
    case applied(UInt64, UInt64)
    /// The bytes of one key; nil where it is missing.
    case entry(table: Table, key: [UInt8], [UInt8]?, [UInt8]?)

    public var description: String {
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
    public static func difference(_ a: Views, _ b: Views) throws(ViewsError) -> ViewsDifference? {
        try a.read { a throws(ViewsError) in try b.read { b throws(ViewsError) in try firstDifference(a, b) } }
    }

    /// Replays the log into a directory of its own and compares: what `replay --check` says. The views may be written
    /// meanwhile; what is compared is what they hold when the replay has come that far.
    ///
    /// - Returns: the sequence up to which both were compared, and the first difference; nil if there is none.
    public func check(
        against log: some EventLog, replayingInto scratch: String,
        progress: ((_ applied: UInt64, _ end: UInt64) -> Void)? = nil
    ) throws(ViewsError) -> (applied: UInt64, difference: ViewsDifference?) {
        let reached = try read { views in views.applied }
        let rebuilt = try Views.rebuild(into: scratch, from: log, keys: keys, through: reached, progress: progress)
        return try read { views throws(ViewsError) in
            try rebuilt.catchUp(with: log, through: views.applied, progress: progress)
            let difference = try rebuilt.read { rebuilt throws(ViewsError) in try Views.firstDifference(views, rebuilt) }
            return (views.applied, difference)
        }
    }

    static func firstDifference(
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
