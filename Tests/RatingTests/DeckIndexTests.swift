import Model
import Primitives
import Rating
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
}
