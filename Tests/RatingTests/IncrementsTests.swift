import Rating
import Testing

@Suite struct IncrementsTests {
    @Test(
        "first/next, seconds used, seconds billed",
        arguments: [
            (30, 6, 0, 30), (30, 6, 10, 30), (30, 6, 29, 30), (30, 6, 30, 30), (30, 6, 31, 36), (30, 6, 36, 36),
            (30, 6, 37, 42), (30, 6, 43, 48), (30, 6, 47, 48), (60, 30, 59, 60), (60, 30, 60, 60), (60, 30, 61, 90),
            (60, 30, 90, 90), (60, 30, 91, 120), (60, 60, 43, 60), (60, 60, 4, 60), (1, 1, 10, 10), (60, 1, 61, 61),
        ] as [(UInt32, UInt32, UInt64, UInt32)])
    func billed(first: UInt32, next: UInt32, used: UInt64, billed: UInt32) {
        #expect(Increments(first: first, next: next).billed(used: used) == billed)
    }

    @Test func anIncrementOfZeroIsOneSecond() {
        #expect(Increments(first: 0, next: 0).billed(used: 0) == 1)
        #expect(Increments(first: 0, next: 0).billed(used: 7) == 7)
    }

    @Test func theEndOfTimeSaturates() {
        #expect(Increments(first: 60, next: 60).billed(used: .max) == .max)
        #expect(Increments(first: .max, next: .max).billed(used: 1) == .max)
        #expect(Increments(first: 1, next: 1).billed(used: UInt64(UInt32.max)) == .max)
    }
}
