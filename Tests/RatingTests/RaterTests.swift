import Model
import Rating
import Testing

@Suite struct RaterTests {
    @Test("30/6 at 0.006 a minute", arguments: [(32, 3_600), (57, 6_000), (75, 7_800)] as [(UInt64, Int64)])
    func thirtySix(seconds: UInt64, micros: Int64) throws {
        let lock = lock(perMinute: 6_000, first: 30, next: 6)
        #expect(try Rater.charge(lock, seconds: seconds).amountMicros == micros)
    }

    @Test("the ladder: five minutes, wholesale 0.03, retail 0.04")
    func resellerLadder() throws {
        let wholesale = lock(perMinute: 30_000, first: 60, next: 60, edge: "wholesale")
        let retail = lock(perMinute: 40_000, first: 60, next: 60, edge: "retail")
        let charges = try Rater.charges([wholesale, retail], milliseconds: 300_000)
        #expect(charges.map(\.amountMicros) == [150_000, 200_000])
        #expect(charges.map(\.edge) == ["wholesale", "retail"])
        let postings = try Rater.postings(for: charges)
        #expect(postings.map(\.amountMicros) == [-150_000, 150_000, -200_000, 200_000])
        #expect(Posting.imbalance(of: postings) == nil)
    }

    @Test func theFirstMinuteIsDueOnConnectThenEverySecond() throws {
        let lock = lock(perMinute: 60_000, first: 60, next: 1, fee: 5_000)
        #expect(try Rater.charge(lock, seconds: 0).amountMicros == 65_000)
        #expect(try Rater.charge(lock, seconds: 60).amountMicros == 65_000)
        #expect(try Rater.charge(lock, seconds: 61).amountMicros == 66_000)
    }

    @Test(
        arguments: [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (59_999, 60), (60_000, 60), (60_001, 61)]
            as [(UInt64, UInt32)])
    func aSecondThatHasBegunCounts(milliseconds: UInt64, seconds: UInt32) throws {
        let charge = try Rater.charge(lock(perMinute: 60_000_000, first: 1, next: 1), milliseconds: milliseconds)
        #expect(charge.billedSeconds == max(1, seconds))
    }

    /// 1 s at 60 micros a minute is 1 micro; the deck's decimals decide what is left of it.
    @Test(
        "a tie is rounded up, its neighbours to their side",
        arguments: [
            (4_999, 2, 0), (5_000, 2, 10_000), (5_001, 2, 10_000), (14_999, 2, 10_000), (15_000, 2, 20_000),
            (15_001, 2, 20_000), (49, 4, 0), (50, 4, 100), (51, 4, 100), (499_999, 0, 0), (500_000, 0, 1_000_000),
            (500_001, 0, 1_000_000), (-4_999, 2, 0), (-5_000, 2, -10_000), (-5_001, 2, -10_000), (7, 6, 7),
        ] as [(Int64, UInt32, Int64)])
    func halfUp(micros: Int64, decimals: UInt32, rounded: Int64) throws {
        let lock = lock(perMinute: micros * 60, first: 1, next: 1, decimals: decimals)
        #expect(try Rater.charge(lock, seconds: 1).amountMicros == rounded)
    }

    @Test(
        "sixtieths are kept until the end",
        arguments: [(29, 0), (30, 1), (31, 1), (89, 1), (90, 2), (91, 2)] as [(Int64, Int64)])
    func sixtieths(perMinute: Int64, micros: Int64) throws {
        #expect(try Rater.charge(lock(perMinute: perMinute, first: 1, next: 1), seconds: 1).amountMicros == micros)
    }

    @Test func feeAndTimeAreRoundedTogetherAndOnce() throws {
        // 0.004 + 0.004 is 0.008, which is 0.01; each by itself would be 0.00.
        let lock = lock(perMinute: 240_000, first: 1, next: 1, fee: 4_000, decimals: 2)
        #expect(try Rater.charge(lock, seconds: 1).amountMicros == 10_000)
    }

    @Test func whatDoesNotFitIsATypedError() throws {
        let dear = lock(perMinute: .max, first: 60, next: 60, edge: "retail")
        #expect(try Rater.charge(dear, seconds: 60).amountMicros == .max)
        #expect(throws: RatingError.overflow(edge: "retail")) { try Rater.charge(dear, seconds: 61) }
        let rounded = lock(perMinute: .max, first: 60, next: 60, edge: "retail", decimals: 0)
        #expect(throws: RatingError.overflow(edge: "retail")) { try Rater.charge(rounded, seconds: 60) }
        let least = lock(perMinute: .min, first: 60, next: 60, edge: "retail")
        let charge = try Rater.charge(least, seconds: 60)
        #expect(charge.amountMicros == .min)
        #expect(throws: RatingError.overflow(edge: "retail")) { try Rater.postings(for: [charge]) }
    }

    @Test func aDeckRoundsToSixDecimalsAtMost() {
        let lock = lock(perMinute: 1, first: 1, next: 1, decimals: 7)
        #expect(throws: RatingError.invalidDecimals(7)) { try Rater.charge(lock, seconds: 1) }
    }

    @Test func aChargeExplainsItself() throws {
        var lock = lock(perMinute: 6_000, first: 30, next: 6, edge: "retail")
        lock.deckVersion = 3
        lock.entry.prefix = "1209"
        let charge = try Rater.charge(lock, milliseconds: 31_001)
        #expect(charge.billedSeconds == 36)
        #expect(charge.entry == lock.entry)
        #expect(charge.deckVersion == 3)
        #expect(charge.currency == "EUR")
        #expect(charge.decimals == 6)
    }

    @Test func aChargeOfNothingIsNotPosted() throws {
        let charge = try Rater.charge(lock(perMinute: 0, first: 1, next: 1), seconds: 10)
        #expect(try Rater.postings(for: [charge]).isEmpty)
    }
}
