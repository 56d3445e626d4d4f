import Model
import Primitives
import Rating
import SwiftProtobuf
import Testing

@Suite struct DeckIndexTests {
    private func entry(_ prefix: String) -> RateEntry {
        var entry = RateEntry()
        entry.prefix = prefix
        return entry
    }

    @Test(
        "the longest prefix wins",
        arguments: [
            ("12092488700", "1209"), ("1210", "1"), ("49301234", "4930"), ("4931", "49"), ("3", nil), ("1", "1"),
            ("", nil),
        ] as [(String, String?)])
    func longestPrefix(digits: String, prefix: String?) {
        let index = DeckIndex(["1", "1209", "12093", "49", "4930", "49301235"].map(entry))
        #expect(index.entry(for: digits)?.prefix == prefix)
    }

    @Test func theEmptyPrefixMatchesEverything() {
        let index = DeckIndex([entry(""), entry("1")])
        #expect(index.entry(for: "49")?.prefix == "")
        #expect(index.entry(for: "")?.prefix == "")
        #expect(DeckIndex([]).entry(for: "49") == nil)
    }

    @Test(arguments: 1...20)
    func agreesWithTryingEveryPrefix(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func digits(_ length: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: length, using: &random)).map { _ in "123".randomElement(using: &random) ?? "1" })
        }
        let prefixes = Set((0..<40).map { _ in digits(0...6) })
        let index = DeckIndex(prefixes.map(entry))
        for _ in 0..<200 {
            let number = digits(0...9)
            let expected = (0...number.count).reversed().map { String(number.prefix($0)) }.first(
                where: prefixes.contains)
            #expect(index.entry(for: number)?.prefix == expected)
        }
    }

    private func row(_ prefix: String, exact: Bool = false, band: UInt32 = 0, pattern: String = "") -> RateEntry {
        .with { $0.prefix = prefix; $0.isExact = exact; $0.band = band; $0.pattern = pattern; $0.destination = "to \(prefix)" }
    }

    @Test func aWholeNumberGoesBeforePrefixesThenExpressionsThenTheRowForAll() {
        let whole = row("49301234", exact: true)
        let expression = row("", pattern: "^\\+5[12]")
        let longer = row("", pattern: "^\\+5[12]3+")
        let index = DeckIndex([row(""), row("49"), whole, row("4930"), expression, longer, row("58")])
        #expect(index.entry(for: "49301234") == whole)
        #expect(index.entry(for: "493012345")?.prefix == "4930")
        #expect(index.candidates(for: "49301234").map(\.prefix) == ["49301234", "4930", "49", ""])
        #expect(index.entry(for: "5133") == longer)
        #expect(index.entry(for: "5144") == expression)
        #expect(index.candidates(for: "5133") == [longer, expression, row("")])
        #expect(index.entry(for: "58")?.prefix == "58")
        #expect(index.entry(for: "600") == row(""))
        #expect(DeckIndex([expression]).entry(for: "5144") == expression)
        #expect(DeckIndex([expression]).entry(for: "7") == nil)
    }

    @Test func theRowOfTheBandInForceGoesBeforeTheOneWithout() {
        let index = DeckIndex([row("49"), row("49", band: 1), row("49", band: 14), row("4930", band: 2), row("", band: 3)])
        #expect(index.entry(for: "4930", band: 0) == row("49"))
        #expect(index.entry(for: "4930", band: 1) == row("49", band: 1))
        #expect(index.entry(for: "4930", band: 2) == row("4930", band: 2))
        #expect(index.entry(for: "4930", band: 14) == row("49", band: 14))
        #expect(index.entry(for: "5", band: 3) == row("", band: 3))
        #expect(index.entry(for: "5", band: 1) == nil)
    }

    @Test func ofTwoRowsWithTheSameKeyTheLaterOneCounts() {
        var later = row("49", band: 1)
        later.perMinuteMicros = 7
        #expect(DeckIndex([row("49", band: 1), row("49"), later]).entry(for: "491", band: 1) == later)
    }

    @Test(arguments: 1...100)
    func agreesWithANaiveModel(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func digits(_ length: ClosedRange<Int>) -> String {
            String((0..<Int.random(in: length, using: &random)).map { _ in "0129".randomElement(using: &random) ?? "1" })
        }
        var byKey: [String: RateEntry] = [:]
        for number in 0..<120 {
            let isExact = Int.random(in: 0..<5, using: &random) == 0
            var entry = row(digits((isExact ? 1 : 0)...15), exact: isExact, band: ([0, 0, 1, 2, 14] as [UInt32]).randomElement(using: &random) ?? 0)
            entry.perMinuteMicros = Int64(number)
            byKey[entry.key] = entry
        }
        let rows = byKey.values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let index = DeckIndex(rows)
        for _ in 0..<200 {
            let number = Bool.random(using: &random) ? digits(0...17) : (rows.randomElement(using: &random)?.prefix ?? "") + digits(0...1)
            let band = ([0, 1, 2, 3, 14] as [UInt32]).randomElement(using: &random) ?? 0
            let expected = rows.filter { $0.isExact ? $0.prefix == number : number.hasPrefix($0.prefix) }.filter { $0.isInForce(in: band) }
                .max { ($0.prefix.count, $0.isExact ? 1 : 0, $0.band) < ($1.prefix.count, $1.isExact ? 1 : 0, $1.band) }
            #expect(index.entry(for: number, band: band) == expected, "seed \(seed), number \(number), band \(band)")
        }
    }
}
