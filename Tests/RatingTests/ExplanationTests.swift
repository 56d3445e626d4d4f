import Model
import Rating
import Testing

@Suite struct ExplanationTests {
    @Test func everyStepOfTheSumIsThere() throws {
        let lock = lock(perMinute: 6_000, first: 30, next: 6, fee: 10_000, decimals: 4)
        let explained = try Explanation(lock, milliseconds: 31_001)
        #expect(explained.usedSeconds == 32)
        #expect(explained.increments == Increments(first: 30, next: 6))
        #expect(explained.nextIncrements == 1)
        #expect(explained.billedSeconds == 36)
        #expect("\(explained.sum.fee)" == "0.01")
        #expect("\(explained.sum.time)" == "0.0036")
        #expect("\(explained.sum.exact)" == "0.0136")
        #expect(explained.sum.unitMicros == 100)
        #expect(explained.sum.amountMicros == 13_600)
        #expect(explained.charge == (try Rater.charge(lock, milliseconds: 31_001)))
    }

    @Test func aPriceLockedAgainFromItsChargeGivesTheSameCharge() throws {
        let first = try Rater.charge(lock(perMinute: 7_777, first: 1, next: 7, fee: -3, decimals: 5), seconds: 100)
        #expect(try Rater.charge(RateLock(first), seconds: 100) == first)
    }

    @Test func noTimeBeyondWhatWasSetAsideForIsCharged() throws {
        var hold = CreditHold()
        hold.grantedSeconds = 60
        let price = lock(perMinute: 60_000, first: 60, next: 60)
        hold.account = price.payer
        let limited = price.limited(by: hold)
        #expect(try Rater.charge(limited, milliseconds: 60_020).billedSeconds == 60)
        #expect(try Rater.charge(limited, milliseconds: 59_001).amountMicros == 60_000)
        #expect(try Rater.charge(price, milliseconds: 60_020).billedSeconds == 120)
        #expect(try Explanation(limited, milliseconds: 60_020).isLimited)
        #expect(try !Explanation(limited, milliseconds: 60_000).isLimited)
        let charge = try Rater.charge(limited, milliseconds: 90_000)
        #expect(try Rater.charge(RateLock(charge), milliseconds: 90_000) == charge)
        // Somebody else's money is not limited by it.
        hold.account.kind = .providerRevenue
        #expect(price.limited(by: hold) == price)
        #expect(price.limited(by: nil) == price)
    }

    @Test(
        "an amount is printed with every digit, and the one that repeats in parentheses",
        arguments: [
            (0, "0.00"), (60, "0.000001"), (-60, "-0.000001"), (600_000, "0.01"), (60_000_000, "1.00"), (20, "0.000000(3)"),
            (40, "0.000000(6)"), (20_000_000, "0.(3)"), (-40_000_000, "-0.(6)"), (1, "0.00000001(6)"), (3, "0.00000005"),
            (6, "0.0000001"), (61, "0.00000101(6)"), (60_000_020, "1.000000(3)"), (600_000_000_000, "10000.00"),
        ] as [(Int, String)])
    func exact(sixtieths: Int, text: String) {
        #expect("\(ExactAmount(sixtieths: Int128(sixtieths)))" == text)
    }

    @Test func theWidestAmountIsPrinted() {
        let widest = ExactAmount(sixtieths: Int128(Int64.max) * 60 + Int128(Int64.max) * Int128(UInt32.max))
        #expect("\(widest)".utf8.count > 20)
    }

    @Test func allPrefixesOfTheNumberAreCandidatesAndTheLongestCounts() {
        let deck = DeckIndex(["", "1", "12", "1209", "12095", "1210", "13", "2"].map(row))
        #expect(deck.candidates(for: "12095550100").map(\.prefix) == ["12095", "1209", "12", "1", ""])
        #expect(deck.entry(for: "12095550100")?.prefix == "12095")
        #expect(deck.candidates(for: "1").map(\.prefix) == ["1", ""])
        #expect(deck.candidates(for: "").map(\.prefix) == [""])
        #expect(deck.candidates(for: "44").map(\.prefix) == [""])
        #expect(DeckIndex([]).candidates(for: "44").isEmpty)
    }

    private func row(_ prefix: String) -> RateEntry {
        var entry = RateEntry()
        entry.prefix = prefix
        return entry
    }
}
