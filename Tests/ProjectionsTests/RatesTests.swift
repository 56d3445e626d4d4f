import Foundation
import Model
import Primitives
import Projections
import Rating
import SwiftProtobuf
import Testing

@Suite struct RatesTests {
    private let fixture: Fixture
    private let deck: RateDeckID

    init() throws {
        fixture = try Fixture()
        var make = Builder()
        let id = make.id()
        deck = RateDeckID(id)
        try fixture.record(
            .rateDeckCreated(
                .with {
                    $0.deck.id = id.data
                    $0.deck.currency = "EUR"
                    $0.deck.decimals = 4
                }), id)
    }

    private func publish(_ version: UInt32, at time: Int64, _ prefixes: [String]) throws {
        var event = RateDeckVersionPublished()
        event.version.deckID = deck.data
        event.version.version = version
        event.version.effectiveAt = time
        event.version.entries = prefixes.map { prefix in
            .with {
                $0.prefix = prefix
                $0.perMinuteMicros = Int64(version)
            }
        }
        try fixture.record(.rateDeckVersionPublished(event), deck.value)
    }

    private func match(_ digits: String, at time: Int64) throws -> RateMatch? {
        try fixture.ask { views throws(ViewsError) in
            try views.rate(deck: deck, at: WallTime(microseconds: time), digits: digits)
        }
    }

    @Test(
        "the version in force",
        arguments: [
            (-101, nil), (-100, 1), (-1, 1), (0, 1), (49, 1), (50, 2), (99, 2), (100, 4), (101, 4), (Int64.max, 4),
        ] as [(Int64, UInt32?)])
    func versionInForce(time: Int64, version: UInt32?) throws {
        try publish(1, at: -100, [""])
        try publish(2, at: 50, [""])
        try publish(3, at: 100, [""])
        try publish(4, at: 100, [""])
        #expect(try match("49", at: time)?.version == version)
        #expect(try match("49", at: time)?.entry.perMinuteMicros == version.map(Int64.init))
    }

    @Test func aVersionForTheFutureChangesNothingToday() throws {
        try publish(1, at: 0, ["49"])
        try publish(2, at: 1_000, ["4930"])
        #expect(try match("4930123", at: 999)?.entry.prefix == "49")
        #expect(try match("4930123", at: 1_000)?.entry.prefix == "4930")
        #expect(try match("4940123", at: 1_000) == nil)
    }

    @Test(arguments: 1...10)
    func theLongestPrefixIsTheOneThatTheDeckIndexFinds(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        func digits(_ length: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: length, using: &random)).map { _ in "1239".randomElement(using: &random) ?? "1" })
        }
        let prefixes = (0..<60).map { _ in digits(0...7) }
        try publish(1, at: 0, prefixes)
        try publish(2, at: 1_000, ["9999"])  // a neighbour in the table that must not be seen
        let index = DeckIndex(
            prefixes.map { prefix in
                .with {
                    $0.prefix = prefix; $0.perMinuteMicros = 1
                }
            })
        for _ in 0..<300 {
            let number = digits(0...15)
            #expect(try match(number, at: 10)?.entry == index.entry(for: number))
        }
    }

    /// Whole numbers, bands and expressions too, in one event and in parts.
    @Test(arguments: 1...20)
    func theRowThatCountsIsTheOneThatTheDeckIndexFinds(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        func digits(_ length: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: length, using: &random)).map { _ in "0129".randomElement(using: &random) ?? "1" })
        }
        var byKey: [String: RateEntry] = [:]
        for number in 0..<100 {
            let isExact = Int.random(in: 0..<4, using: &random) == 0
            var entry = RateEntry.with {
                $0.prefix = digits((isExact ? 1 : 0)...9)
                $0.isExact = isExact
                $0.band = ([0, 0, 1, 2, 14] as [UInt32]).randomElement(using: &random) ?? 0
                $0.perMinuteMicros = Int64(number)
            }
            if number % 20 == 0 {
                entry.prefix = ""
                entry.isExact = false
                entry.pattern = "^\\+" + digits(1...3)
            }
            byKey[entry.key] = entry
        }
        let rows = byKey.values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        var head = RateDeckVersion.with {
            $0.deckID = deck.data
            $0.version = 1
            $0.bands = ([1, 2, 14] as [UInt32]).map { number in .with { $0.number = number; $0.name = "b\(number)" } }
        }
        if seed % 2 == 0 {
            head.entries = rows
        } else {
            let source = UUIDv7(at: WallTime(microseconds: 1), random: &random)
            for (chunk, start) in stride(from: 0, to: rows.count, by: 16).enumerated() {
                var added = RateDeckRowsAdded(rows: rows[start..<min(rows.count, start + 16)])
                (added.importID, added.deckID, added.chunk) = (source.data, deck.data, UInt32(chunk))
                try fixture.record(.rateDeckRowsAdded(added), source)
                #expect(try match("1", at: 10) == nil)
            }
            head.importID = source.data
            head.rows = UInt64(rows.count)
            head.usesPatterns = true
        }
        try fixture.record(.rateDeckVersionPublished(.with { $0.version = head }), deck.value)
        let index = DeckIndex(rows)
        let patterns = RowPatterns()
        for _ in 0..<200 {
            let number = Bool.random(using: &random) ? digits(0...15) : rows.randomElement(using: &random)?.prefix ?? ""
            let band = ([0, 1, 2, 3, 14] as [UInt32]).randomElement(using: &random) ?? 0
            try fixture.ask { views throws(ViewsError) in
                let found = try views.deckRows(deck, version: 1)
                guard let found else {
                    Issue.record("no version")
                    return
                }
                let matches = { (entry: RateEntry) in patterns.matches(entry, digits: number) }
                #expect(try views.rateEntry(in: found, digits: number, band: band, matches: matches) == index.entry(for: number, band: band), "seed \(seed)")
                #expect(try views.rateCandidates(in: found, digits: number, matches: matches) == index.candidates(for: number), "seed \(seed)")
            }
        }
    }

    @Test func versionsAndEntriesAreListedInPages() throws {
        try publish(1, at: 0, ["3", "1", "2"])
        try publish(2, at: 5, ["1"])
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.latestDeckVersion(deck) == 2)
            #expect(try views.deckVersions(of: deck, limit: 10).map(\.version) == [1, 2])
            #expect(try views.deckVersions(of: deck, after: 1, limit: 10).map(\.effectiveAt) == [5])
            #expect(try views.deckVersion(deck, 1)?.entries == [])
            #expect(try views.rateEntries(deck: deck, version: 1, limit: 2).map(\.prefix) == ["1", "2"])
            #expect(try views.rateEntries(deck: deck, version: 1, after: "2", limit: 2).map(\.prefix) == ["3"])
        }
    }

    @Test func aRemovedDeckHasNoPrices() throws {
        try publish(1, at: 0, (0..<2_500).map(String.init))
        let removed = EntityRemoved.with {
            $0.kind = .rateDeck
            $0.id = deck.data
        }
        try fixture.record(.entityRemoved(removed), deck.value)
        #expect(try match("1", at: 10) == nil)
        try fixture.ask { views throws(ViewsError) in
            #expect(try views.latestDeckVersion(deck) == 0)
            #expect(try views.rateEntries(deck: deck, version: 1, limit: 1).isEmpty)
            #expect(try views.deckVersion(deck, at: WallTime(microseconds: 10)) == nil)
        }
    }
}
