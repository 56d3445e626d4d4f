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
        var found: RateEntry?
        candidates(for: digits) { found = $0; return false }
        return found
    }

    /// Every entry whose prefix the number begins with. The first, which is the longest, is the one that counts.
    package func candidates(for digits: String) -> [RateEntry] {
        var found: [RateEntry] = []
        candidates(for: digits) { found.append($0); return true }
        return found
    }

    /// From the longest prefix to the shortest, until `body` returns false.
    private func candidates(for digits: String, _ body: (RateEntry) -> Bool) {
        var digits = digits.utf8[...]
        while let candidate = last(atOrBefore: digits) {
            let common = zip(candidate.prefix.utf8, digits).prefix { $0.0 == $0.1 }.count
            if common == candidate.prefix.utf8.count {
                guard body(candidate), common > 0 else { return }
                digits = digits.prefix(common - 1)
            } else {
                // Any prefix of the digits that is longer than what they share with the candidate would have come
                // after it, so only shorter ones are left.
                digits = digits.prefix(common)
            }
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
