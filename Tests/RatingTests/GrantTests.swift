import Model
import Primitives
import Rating
import Testing

@Suite struct GrantTests {
    /// 0.01 for the first 60 s, 0.005 for each next 30 s.
    private let price = lock(perMinute: 10_000, first: 60, next: 30)

    @Test(
        "money, seconds granted, money to hold",
        arguments: [
            (10_000, 60, 10_000), (14_999, 60, 10_000), (15_000, 90, 15_000), (15_001, 90, 15_000),
            (1_000_000, 300, 50_000),
        ] as [(Int64, UInt32, Int64)])
    func moneyCoversWholeIncrements(available: Int64, seconds: UInt32, held: Int64) throws {
        #expect(try Rater.grant(Tariff(price), available: available, wanted: 300) == Grant(seconds: seconds, micros: held))
    }

    @Test(arguments: [9_999, 0, -1, Int64.min])
    func withoutMoneyForTheFirstIncrementThereIsNone(available: Int64) throws {
        #expect(try Rater.grant(Tariff(price), available: available, wanted: 300) == nil)
    }

    @Test func theGrantHoldsWhatIsWanted() throws {
        #expect(try Rater.grant(Tariff(price), available: .max, wanted: 0)?.seconds == 60)
        #expect(try Rater.grant(Tariff(price), available: .max, wanted: 61)?.seconds == 90)
        #expect(try Rater.grant(Tariff(price), available: .max, wanted: 90)?.seconds == 90)
    }

    @Test func freeTimeNeedsNoMoney() throws {
        #expect(
            try Rater.grant(Tariff(lock(perMinute: 0, first: 1, next: 1)), available: 0, wanted: 300)
                == Grant(seconds: 300, micros: 0))
        #expect(
            try Rater.grant(Tariff(lock(perMinute: -5, first: 1, next: 1)), available: 0, wanted: 300)
                == Grant(seconds: 300, micros: 0))
    }

    @Test(arguments: 1...50)
    func noCallWithinItsGrantCostsMoreThanIsHeld(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let lock = lock(
            perMinute: Int64.random(in: 0...2_000_000, using: &random),
            first: UInt32.random(in: 0...90, using: &random),
            next: UInt32.random(in: 0...90, using: &random), fee: Int64.random(in: 0...100_000, using: &random),
            decimals: UInt32.random(in: 0...6, using: &random))
        let available = Int64.random(in: 0...5_000_000, using: &random)
        guard let grant = try Rater.grant(Tariff(lock), available: available, wanted: 600) else {
            #expect(try Rater.charge(lock, seconds: 0).amountMicros > available)
            return
        }
        #expect(grant.micros <= available)
        for seconds in [0, 1, UInt64(grant.seconds) / 2, UInt64(grant.seconds)] {
            #expect(try Rater.charge(lock, seconds: seconds).amountMicros <= grant.micros)
        }
        if grant.seconds < 600 {
            #expect(try Rater.charge(lock, seconds: UInt64(grant.seconds) + 1).amountMicros > available)
        }
    }
}
