package import Model

/// The entries of one deck version in memory, for questions of the kind "what if this deck ruled".
/// Live calls are priced from the rate table of the views by the same rule: the longest prefix wins.
package struct DeckIndex: Sendable {
    private let entries: [RateEntry]  // by prefix

    /// Of two entries with the same prefix the later one counts.
    package init(_ entries: [RateEntry]) {
        var byPrefix: [String: RateEntry] = [:]
        for entry in entries { byPrefix[entry.prefix] = entry }
        self.entries = byPrefix.values.sorted { $0.prefix.utf8.lexicographicallyPrecedes($1.prefix.utf8) }
    }

    /// - Parameter digits: an E.164 number without the `+`.
    package func entry(for digits: String) -> RateEntry? {
        var digits = digits.utf8[...]
        while true {
            guard let candidate = last(atOrBefore: digits) else { return nil }
            let common = zip(candidate.prefix.utf8, digits).prefix { $0.0 == $0.1 }.count
            if common == candidate.prefix.utf8.count { return candidate }
            // Any prefix of the digits that is longer than what they share with the candidate would have come
            // after it, so only shorter ones are left.
            digits = digits.prefix(common)
        }
    }

    private func last(atOrBefore digits: Substring.UTF8View) -> RateEntry? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if digits.lexicographicallyPrecedes(entries[middle].prefix.utf8) { high = middle } else { low = middle + 1 }
        }
        return low == 0 ? nil : entries[low - 1]
    }
}
