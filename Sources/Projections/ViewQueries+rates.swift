public import Model
public import Primitives

/// The price of a destination at a time: all that a `RateLock` needs to know of it.
public struct RateMatch: Equatable, Sendable {
    public let deck: RateDeck
    public let version: UInt32
    public let entry: RateEntry
}

/// Where the rows of a version are, and what has to be known to choose among them.
public struct DeckRows: Equatable, Sendable {
    public let version: UInt32
    public let hasBands: Bool
    public let hasPatterns: Bool
    let base: Key

    /// How a time of `Table.deckTimes` says it: nothing for a version that is found by deck and version and has prefixes alone.
    enum Trait {
        static let bands: UInt8 = 1
        static let patterns: UInt8 = 2
        static let imported: UInt8 = 4

        static func bytes(of head: RateDeckVersion) -> [UInt8] {
            var traits: UInt8 = 0
            if !head.bands.isEmpty { traits |= bands }
            if head.usesPatterns { traits |= patterns }
            if !head.importID.isEmpty { traits |= imported }
            return traits == 0 ? [] : [traits] + head.importID
        }
    }

    init?(deck: RateDeckID, version: UInt32, _ traits: [UInt8]) {
        self.version = version
        let bits = traits.first ?? 0
        hasBands = bits & Trait.bands != 0
        hasPatterns = bits & Trait.patterns != 0
        guard bits & Trait.imported != 0 else {
            base = Key(deck.value).adding(version)
            return
        }
        guard let source = UUIDv7(bytes: traits.dropFirst()) else { return nil }
        base = Key(source).adding(UInt32(0))
    }
}

extension ViewQueries where Self: ~Copyable {
    /// The entry of the deck's version in force at `time` for a number, whatever the time band; nil: no price.
    ///
    /// - Parameter digits: an E.164 number without the `+`.
    public func rate(deck id: RateDeckID, at time: WallTime, digits: String) throws(ViewsError) -> RateMatch? {
        guard let deck = try rateDeck(id), let rows = try deckRows(id, at: time), let entry = try rateEntry(in: rows, digits: digits)
        else { return nil }
        return RateMatch(deck: deck, version: rows.version, entry: entry)
    }

    /// Of the version with the latest effective time that is not after `time`; of two with the same time the one
    /// published later.
    public func deckRows(_ deck: RateDeckID, at time: WallTime) throws(ViewsError) -> DeckRows? {
        let prefix = Key(deck.value)
        var key = prefix
        key.add(time)
        guard let (found, traits) = try last(in: .deckTimes, atOrBefore: key.adding(UInt32.max)), found.hasPrefix(prefix)
        else { return nil }
        var reader = KeyReader(found.bytes)
        reader.skip(24)
        guard let version = reader.number32(), let rows = DeckRows(deck: deck, version: version, traits) else {
            throw .unreadable(table: .deckTimes)
        }
        return rows
    }

    public func deckRows(_ deck: RateDeckID, version: UInt32) throws(ViewsError) -> DeckRows? {
        guard let head = try deckVersion(deck, version) else { return nil }
        guard let rows = DeckRows(deck: deck, version: version, DeckRows.Trait.bytes(of: head)) else {
            throw .unreadable(table: .deckVersions)
        }
        return rows
    }

    /// The version with the latest effective time that is not after `time`.
    public func deckVersion(_ deck: RateDeckID, at time: WallTime) throws(ViewsError) -> UInt32? {
        try deckRows(deck, at: time)?.version
    }

    /// The row that counts: see `DeckIndex`.
    ///
    /// - Parameter band: the time band in force; 0: none.
    /// - Parameter matches: whether a row's expression fits the number.
    public func rateEntry(
        in rows: DeckRows, digits: String, band: UInt32 = 0, matches: (RateEntry) -> Bool = { _ in false }
    ) throws(ViewsError) -> RateEntry? {
        var found: RateEntry?
        try rateCandidates(in: rows, digits: digits, matches: matches) { entry in
            guard entry.isInForce(in: band) else { return true }
            found = entry
            return false
        }
        return found
    }

    /// Every entry that the number fits, in the order in which they count; those of all time bands.
    public func rateCandidates(
        in rows: DeckRows, digits: String, matches: (RateEntry) -> Bool = { _ in false }
    ) throws(ViewsError) -> [RateEntry] {
        var found: [RateEntry] = []
        try rateCandidates(in: rows, digits: digits, matches: matches) { entry in
            found.append(entry)
            return true
        }
        return found
    }

    /// Until `body` returns false.
    ///
    /// Each is found in a few steps whatever the deck's size: the greatest key at or before the digits is either of a prefix
    /// of them, or shares some digits with them, and then the next is no longer than what they share.
    private func rateCandidates(
        in rows: DeckRows, digits: String, matches: (RateEntry) -> Bool, _ body: (RateEntry) -> Bool
    ) throws(ViewsError) {
        let base = rows.base
        let count = base.bytes.count
        let number = Array(digits.utf8)
        let greatestBand: UInt8 = 0x2E
        let whole: UInt8 = 0x2F
        var hasPatterns = rows.hasPatterns
        var wanted: Key? = Key(base.bytes + number + [whole, greatestBand])
        guard wanted?.fits == true else { return }
        while let bound = wanted, let (key, value) = try last(in: .rates, atOrBefore: bound), key.hasPrefix(base) {
            let own = key.bytes[count...].prefix { (0x30...0x39).contains($0) }
            let common = zip(own, number).prefix { $0.0 == $0.1 }.count
            guard common == own.count else {
                wanted = Key(base.bytes + number.prefix(common) + [greatestBand])
                continue
            }
            if own.isEmpty, hasPatterns {
                hasPatterns = false
                guard try patterns(in: rows, matches: matches, body) else { return }
            }
            let entry = try decoded(RateEntry.self, value, of: .rates)
            if !entry.isExact || own.count == number.count {
                guard body(entry) else { return }
            }
            // The greatest key before this one that may be of a row for the number.
            let before = Array(key.bytes.dropLast())
            switch key.bytes.count - count > own.count ? key.bytes.last : nil {
            case whole?: wanted = Key(before + [greatestBand])
            case 0x21?: wanted = Key(before)
            case let band?: wanted = Key(before + [band - 1])
            case nil: wanted = own.isEmpty ? nil : Key(before + [greatestBand])
            }
        }
        if hasPatterns { _ = try patterns(in: rows, matches: matches, body) }
    }

    private func patterns(
        in rows: DeckRows, matches: (RateEntry) -> Bool, _ body: (RateEntry) -> Bool
    ) throws(ViewsError) -> Bool {
        for entry in try messages(RateEntry.self, in: .rates, prefix: rows.base.adding(text: "~"), after: nil, limit: .max) where matches(entry) {
            guard body(entry) else { return false }
        }
        return true
    }

    public func deckImport(_ id: UUIDv7) throws(ViewsError) -> DeckImport? {
        try message(DeckImport.self, Key(id), in: .deckImports)
    }

    /// The highest version number published; 0: none yet.
    public func latestDeckVersion(_ deck: RateDeckID) throws(ViewsError) -> UInt32 {
        let prefix = Key(deck.value)
        guard let (key, _) = try last(in: .deckVersions, atOrBefore: prefix.adding(UInt32.max)), key.hasPrefix(prefix)
        else { return 0 }
        var reader = KeyReader(key.bytes)
        reader.skip(16)
        guard let version = reader.number32() else { throw .unreadable(table: .deckVersions) }
        return version
    }

    /// A version without its entries.
    public func deckVersion(_ deck: RateDeckID, _ version: UInt32) throws(ViewsError) -> RateDeckVersion? {
        try message(RateDeckVersion.self, Key(deck.value).adding(version), in: .deckVersions)
    }

    /// Versions without their entries, the oldest first.
    public func deckVersions(
        of deck: RateDeckID, after version: UInt32? = nil, limit: Int
    ) throws(ViewsError) -> [RateDeckVersion] {
        let prefix = Key(deck.value)
        return try messages(
            RateDeckVersion.self, in: .deckVersions, prefix: prefix, after: version.map(prefix.adding), limit: limit)
    }

    /// Entries in the order of their keys.
    public func rateEntries(
        deck: RateDeckID, version: UInt32, after key: String? = nil, limit: Int
    ) throws(ViewsError) -> [RateEntry] {
        // The prices of a deck that was removed stay in the table, for questions about the past.
        guard let rows = try deckRows(deck, version: version) else { return [] }
        return try messages(
            RateEntry.self, in: .rates, prefix: rows.base, after: key.map { rows.base.adding(text: $0) }, limit: limit)
    }
}
