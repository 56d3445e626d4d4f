/// What two sets of views, built up to the same event, hold that is not the same.
public struct ViewsComparison: Equatable, Sendable {
    /// The sequence that both hold the log up to.
    public var applied: UInt64 = 0
    /// How many keys have other values, or stand in one alone.
    public var count: UInt64 = 0
    /// The first of them, table by table in the order of `Table`.
    public var first: [ViewsDifference] = []

    /// As many as a person looks at.
    public static let firstMax = 20

    mutating func add(_ difference: ViewsDifference) {
        count += 1
        if first.count < Self.firstMax { first.append(difference) }
    }
}

extension ViewsComparison {
    /// Counts every difference. The snapshots must hold the same stretch of the log.
    ///
    /// - Parameter goesOn: asked every thousand keys; false ends it early, with nil.
    init?(
        _ a: borrowing ViewSnapshot, _ b: borrowing ViewSnapshot, goesOn: () -> Bool = { true }
    ) throws(ViewsError) {
        guard a.applied == b.applied else {
            applied = min(a.applied, b.applied)
            add(.applied(a.applied, b.applied))
            return
        }
        applied = a.applied
        for table in Table.allCases where table != .meta {
            var (left, right) = (Pages(table), Pages(table))
            while true {
                if left.needsPage || right.needsPage, !goesOn() { return nil }
                switch (try left.peek(a), try right.peek(b)) {
                case (nil, nil): break
                case (let l?, nil):
                    add(.entry(table: table, key: l.key.bytes, l.value, nil))
                    left.advance()
                    continue
                case (nil, let r?):
                    add(.entry(table: table, key: r.key.bytes, nil, r.value))
                    right.advance()
                    continue
                case (let l?, let r?):
                    if l.key == r.key {
                        if l.value != r.value { add(.entry(table: table, key: l.key.bytes, l.value, r.value)) }
                        left.advance()
                        right.advance()
                    } else if l.key.bytes.lexicographicallyPrecedes(r.key.bytes) {
                        add(.entry(table: table, key: l.key.bytes, l.value, nil))
                        left.advance()
                    } else {
                        add(.entry(table: table, key: r.key.bytes, nil, r.value))
                        right.advance()
                    }
                    continue
                }
                break
            }
        }
    }

    /// Walks a table a page at a time.
    private struct Pages {
        private let table: Table
        private var page: [(key: Key, value: [UInt8])] = []
        private var index = 0
        private var last: Key?
        private var isAtEnd = false

        init(_ table: Table) { self.table = table }

        var needsPage: Bool { index == page.count && !isAtEnd }

        mutating func peek(_ views: borrowing ViewSnapshot) throws(ViewsError) -> (key: Key, value: [UInt8])? {
            if needsPage {
                page = try views.page(table, after: last, limit: 1_000)
                index = 0
                isAtEnd = page.count < 1_000
                last = page.last?.key ?? last
            }
            return index < page.count ? page[index] : nil
        }

        mutating func advance() { index += 1 }
    }
}
