/// Memory of a burst is given back when the burst is over: neither dictionaries nor arrays do that by themselves, and what once held every
/// transaction of a registration storm would be held for ever.
///
/// Called where something is taken out. Nearly always that is one comparison; a copy of what is left comes once for eight times as many
/// removals.
extension Dictionary {
    /// - Parameter least: a capacity that is not worth the trouble.
    @inlinable public mutating func shrinkIfSparse(above least: Int = 1_024) {
        guard capacity > least, count < capacity / 8 else { return }
        var small = Dictionary(minimumCapacity: 2 * count)
        for (key, value) in self { small[key] = value }
        self = small
    }
}

extension Array {
    /// - Parameter least: a capacity that is not worth the trouble.
    @inlinable public mutating func shrinkIfSparse(above least: Int = 1_024) {
        guard capacity > least, count < capacity / 8 else { return }
        var small: [Element] = []
        small.reserveCapacity(2 * count)
        small += self
        self = small
    }
}

extension Set {
    /// - Parameter least: a capacity that is not worth the trouble.
    @inlinable public mutating func shrinkIfSparse(above least: Int = 1_024) {
        guard capacity > least, count < capacity / 8 else { return }
        var small = Set(minimumCapacity: 2 * count)
        for element in self { small.insert(element) }
        self = small
    }
}
