import Model
import Primitives
import Rating
import SwiftProtobuf
import Testing

/// The rows of the field's own documents (WeHostVoIP, IvozProvider, Sipwise, CGRateS) that are about prices.
@Suite struct PriceRuleTests {
    @Test(
        "seconds used, minimum/increment/delay, seconds billed",
        arguments: [
            (43, 30, 6, 3, 48), (43, 60, 60, 3, 60), (2, 60, 60, 3, 0), (3, 60, 60, 3, 0), (4, 60, 60, 3, 60), (47, 30, 6, 3, 48),
            (10, 30, 6, 3, 30), (10, 1, 1, 0, 10), (0, 60, 60, 3, 0), (0, 60, 60, 0, 60),
        ] as [(UInt64, UInt32, UInt32, UInt32, UInt32)])
    func minimumIncrementDelay(used: UInt64, minimum: UInt32, increment: UInt32, delay: UInt32, billed: UInt32) throws {
        // As a first increment and as a minimum of its own.
        var first = lock(perMinute: 60_000_000, first: minimum, next: increment)
        first.entry.freeDelaySeconds = delay
        var least = lock(perMinute: 60_000_000, first: increment, next: increment)
        least.entry.freeDelaySeconds = delay
        least.entry.minimumSeconds = minimum
        for lock in [first, least] {
            let charge = try Rater.charge(lock, seconds: used)
            #expect(charge.billedSeconds == billed)
            #expect(charge.amountMicros == Int64(billed) * 1_000_000)
        }
    }

    @Test func withinTheFreeDelayNotEvenTheConnectionFeeIsDue() throws {
        var lock = lock(perMinute: 60_000, first: 1, next: 1, fee: 50_000)
        lock.entry.freeDelaySeconds = 3
        #expect(try Rater.charge(lock, milliseconds: 3_000).amountMicros == 0)
        #expect(try Rater.charge(lock, milliseconds: 3_001).amountMicros == 54_000)
    }

    @Test("a deductible connection fee of 0.01", arguments: [(200_000, 200_000), (3_000, 10_000), (10_000, 10_000), (0, 10_000)] as [(Int64, Int64)])
    func deductibleFee(time: Int64, due: Int64) throws {
        var lock = lock(perMinute: time, first: 60, next: 60, fee: 10_000)
        #expect(try Rater.charge(lock, seconds: 60).amountMicros == time + 10_000)
        lock.entry.isFeeDeductible = true
        #expect(try Rater.charge(lock, seconds: 60).amountMicros == due)
    }

    @Test func aCallShorterThanTheFreeSecondsCostsTheConnectionFeeOnly() throws {
        var lock = lock(perMinute: 60_000, first: 10, next: 10, fee: 20_000)
        lock.entry.freeSeconds = 15
        #expect(try Rater.charge(lock, seconds: 15).amountMicros == 20_000)
        #expect(try Rater.charge(lock, seconds: 16).amountMicros == 30_000)
        #expect(try Rater.charge(lock, seconds: 25).amountMicros == 30_000)
        #expect(try Rater.charge(lock, seconds: 26).amountMicros == 40_000)
    }

    @Test("price per minute ÷ 60 × period, every period", arguments: 1...20)
    func thePriceRisesEveryPeriod(period: UInt32) throws {
        let lock = lock(perMinute: 600_000, first: period, next: period)
        for count in 1...10 {
            let end = UInt64(period) * UInt64(count)
            let price = Int64(period) * Int64(count) * 10_000
            #expect(try Rater.charge(lock, seconds: end).amountMicros == price)
            #expect(try Rater.charge(lock, seconds: end - UInt64(period) + 1).amountMicros == price)
        }
    }

    /// 60 s at 6 cents a second, then 30 s at 1 cent a second.
    @Test func theFirstIncrementMayHaveARateOfItsOwn() throws {
        var lock = lock(perMinute: 600_000, first: 60, next: 30, decimals: 2)
        lock.entry.firstPerMinuteMicros = 3_600_000
        #expect(try Rater.charge(lock, seconds: 61).amountMicros == 3_900_000)
        #expect(try Rater.charge(lock, seconds: 1).amountMicros == 3_600_000)
        #expect(try Rater.charge(lock, seconds: 91).amountMicros == 4_200_000)
        lock.entry.firstPerMinuteMicros = 0
        #expect(try Rater.charge(lock, seconds: 90).amountMicros == 300_000)
    }

    @Test func aNegativePriceIsARefund() throws {
        let refund = lock(perMinute: -30_000, first: 60, next: 60, fee: -1_000, decimals: 3)
        let charge = try Rater.charge(refund, seconds: 61)
        #expect(charge.amountMicros == -61_000)
        #expect(Posting.imbalance(of: try Rater.postings(for: [charge])) == nil)
    }

    @Test func anOrdinaryPriceTakesNoMoreBytesThanBefore() throws {
        let entry = RateEntry.with {
            $0.prefix = "4930"; $0.destination = "Berlin"; $0.perMinuteMicros = 12_000
            $0.firstIncrementSeconds = 60; $0.nextIncrementSeconds = 1
        }
        // Tags and values of the six first fields, the empty fee left out.
        let bytes: [UInt8] = try RateLock.with { $0.entry = entry }.serializedBytes()
        #expect(bytes.count == 2 + (2 + 4) + (2 + 6) + (1 + 3) + 2 + 2)
    }

    /// The sum by whole numbers of any length, written down once more in another way.
    @Test(arguments: 1...300)
    func sumsAreThoseOfANaiveModel(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        func pick(_ range: ClosedRange<UInt32>) -> UInt32 { Bool.random(using: &random) ? 0 : UInt32.random(in: range, using: &random) }
        func money() -> Int64 { Int64.random(in: -2_000_000...3_000_000, using: &random) }
        var lock = lock(
            perMinute: money(), first: UInt32.random(in: 1...90, using: &random), next: UInt32.random(in: 1...90, using: &random), fee: money(),
            decimals: UInt32.random(in: 0...6, using: &random))
        lock.entry.freeDelaySeconds = pick(1...20)
        lock.entry.freeSeconds = pick(1...40)
        lock.entry.minimumSeconds = pick(1...120)
        if Bool.random(using: &random) { lock.entry.firstPerMinuteMicros = money() }
        lock.entry.isFeeDeductible = Bool.random(using: &random)
        for _ in 0..<20 {
            let milliseconds = UInt64.random(in: 0...400_000, using: &random)
            let charge = try Rater.charge(lock, milliseconds: milliseconds)
            let (billed, amount) = naive(lock, milliseconds)
            #expect(charge.billedSeconds == billed, "seed \(seed), \(milliseconds) ms")
            #expect(charge.amountMicros == amount, "seed \(seed), \(milliseconds) ms")
        }
    }

    /// Second by second, and rounding by going up the decimals.
    private func naive(_ lock: RateLock, _ milliseconds: UInt64) -> (UInt32, Int64) {
        let price = lock.entry
        let used = Int((milliseconds + 999) / 1_000)
        if price.freeDelaySeconds > 0, used <= Int(price.freeDelaySeconds) { return (0, 0) }
        var billed = 0
        var sixtieths: Int128 = 0
        let isOnlyFee = price.freeSeconds > 0 && used <= Int(price.freeSeconds)
        if !isOnlyFee {
            let wanted = max(used - Int(price.freeSeconds), Int(price.minimumSeconds))
            repeat {
                let isFirst = billed == 0
                for _ in 0..<(isFirst ? price.firstIncrementSeconds : price.nextIncrementSeconds) {
                    billed += 1
                    sixtieths += Int128(isFirst && price.hasFirstPerMinuteMicros ? price.firstPerMinuteMicros : price.perMinuteMicros)
                }
            } while billed < wanted
        }
        let fee = Int128(price.connectionFeeMicros) * 60
        let exact = price.isFeeDeductible ? (fee > sixtieths ? fee : sixtieths) : fee + sixtieths
        var unit: Int128 = 60
        for _ in 0..<(6 - lock.decimals) { unit *= 10 }
        // The nearest whole unit; in the middle the one further from zero.
        let below = exact >= 0 ? exact / unit : -((-exact) / unit)
        let rest = (exact - below * unit).magnitude
        let rounded = rest * 2 >= unit.magnitude ? below + (exact < 0 ? -1 : 1) : below
        return (UInt32(billed), Int64(rounded * unit / 60))
    }

    @Test(arguments: 1...200)
    func noCallWithinItsGrantIsChargedMoreThanIsHeld(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        func pick(_ range: ClosedRange<UInt32>) -> UInt32 { Bool.random(using: &random) ? 0 : UInt32.random(in: range, using: &random) }
        func money() -> Int64 { Int64.random(in: -1_000_000...3_000_000, using: &random) }
        var lock = lock(
            perMinute: money(), first: UInt32.random(in: 1...90, using: &random), next: UInt32.random(in: 1...90, using: &random), fee: money(),
            decimals: UInt32.random(in: 0...6, using: &random))
        lock.entry.freeDelaySeconds = pick(1...20)
        lock.entry.freeSeconds = pick(1...40)
        lock.entry.minimumSeconds = pick(1...120)
        if Bool.random(using: &random) { lock.entry.firstPerMinuteMicros = money() }
        let available = Int64.random(in: 0...20_000_000, using: &random)
        guard let grant = try Rater.grant(Tariff(lock), available: available, wanted: 300) else { return }
        #expect(grant.micros <= available)
        for seconds in 0...UInt64(grant.seconds) {
            #expect(try Rater.charge(lock, seconds: seconds).amountMicros <= grant.micros, "seed \(seed), \(seconds) s")
        }
    }
}
