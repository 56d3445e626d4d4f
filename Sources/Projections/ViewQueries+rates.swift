package import Model
package import Primitives

/// The price of a destination at a time: all that a `RateLock` needs to know of it.
package struct RateMatch: Equatable, Sendable {
    package let deck: RateDeck
    package let version: UInt32
    package let entry: RateEntry
}

extension ViewQueries where Self: ~Copyable {
    /// The entry of the deck's version in force at `time` with the longest prefix of `digits`; nil: no price.
    ///
    /// - Parameter digits: an E.164 number without the `+`.
    package func rate(deck id: RateDeckID, at time: WallTime, digits: String) throws(ViewsError) -> RateMatch? {
        guard let deck = try rateDeck(id), let version = try deckVersion(id, at: time),
            let entry = try rateEntry(deck: id, version: version, digits: digits)
        else { return nil }
        return RateMatch(deck: deck, version: version, entry: entry)
    }

    /// The version with the latest effective time that is not after `time`; of two with the same time the one
    /// published later.
    package func deckVersion(_ deck: RateDeckID, at time: WallTime) throws(ViewsError) -> UInt32? {
        let prefix = Key(deck.value)
        var key = prefix
        key.add(time)
        guard let (found, _) = try last(in: .deckTimes, atOrBefore: key.adding(UInt32.max)), found.hasPrefix(prefix)
        else { return nil }
        var reader = KeyReader(found.bytes)
        reader.skip(24)
        guard let version = reader.number32() else { throw .unreadable(table: .deckTimes) }
        return version
    }

    package func rateEntry(deck: RateDeckID, version: UInt32, digits: String) throws(ViewsError) -> RateEntry? {
        try rateCandidates(deck: deck, version: version, digits: digits, limit: 1).first
    }

    /// Every entry whose prefix the number begins with, the longest prefix first: that is the one that counts.
    ///
    /// Each is found in a few steps whatever the deck's size: the greatest prefix at or before the digits is either one of
    /// them, or shares some digits with them, and then the next is no longer than what they share.
    package func rateCandidates(
        deck: RateDeckID, version: UInt32, digits: String, limit: Int = .max
    ) throws(ViewsError) -> [RateEntry] {
        let base = Key(deck.value).adding(version)
        var wanted = base.adding(text: digits)
        var found: [RateEntry] = []
        guard wanted.fits else { return found }
        while found.count < limit, let (key, value) = try last(in: .rates, atOrBefore: wanted), key.hasPrefix(base) {
            var common = zip(key.bytes, wanted.bytes).prefix { $0.0 == $0.1 }.count
            if common == key.bytes.count {
                found.append(try decoded(RateEntry.self, value, of: .rates))
                // The empty prefix is the last.
                guard common > base.bytes.count else { break }
                common -= 1
            }
            wanted = Key(Array(wanted.bytes.prefix(common)))
        }
        return found
    }

    /// The highest version number published; 0: none yet.
    package func latestDeckVersion(_ deck: RateDeckID) throws(ViewsError) -> UInt32 {
        let prefix = Key(deck.value)
        guard let (key, _) = try last(in: .deckVersions, atOrBefore: prefix.adding(UInt32.max)), key.hasPrefix(prefix)
        else { return 0 }
        var reader = KeyReader(key.bytes)
        reader.skip(16)
        guard let version = reader.number32() else { throw .unreadable(table: .deckVersions) }
        return version
    }

    /// A version without its entries.
    package func deckVersion(_ deck: RateDeckID, _ version: UInt32) throws(ViewsError) -> RateDeckVersion? {
        try message(RateDeckVersion.self, Key(deck.value).adding(version), in: .deckVersions)
    }

    /// Versions without their entries, the oldest first.
    package func deckVersions(
        of deck: RateDeckID, after version: UInt32? = nil, limit: Int
    ) throws(ViewsError) -> [RateDeckVersion] {
        let prefix = Key(deck.value)
        return try messages(
            RateDeckVersion.self, in: .deckVersions, prefix: prefix, after: version.map(prefix.adding), limit: limit)
    }

    /// Entries by prefix.
    package func rateEntries(
        deck: RateDeckID, version: UInt32, after rate: String? = nil, limit: Int
    ) throws(ViewsError) -> [RateEntry] {
        let prefix = Key(deck.value).adding(version)
        // The prices of a deck that was removed stay in the table, for questions about the past.
        guard try value(prefix, in: .deckVersions) != nil else { return [] }
        return try messages(
            RateEntry.self, in: .rates, prefix: prefix, after: rate.map { prefix.adding(text: $0) }, limit: limit)
    }
}
