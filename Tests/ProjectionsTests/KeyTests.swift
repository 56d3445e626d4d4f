import Primitives
import Projections
import Testing

@Suite struct KeyTests {
    @Test func theOrderOfBytesIsTheOrderOfNumbersAndTimes() {
        let numbers: [UInt64] = [0, 1, 255, 256, 65_535, 1 << 32, .max - 1, .max]
        for (a, b) in zip(numbers, numbers.dropFirst()) {
            #expect(Key(a).bytes.lexicographicallyPrecedes(Key(b).bytes))
        }
        let times: [Int64] = [.min, -1_000, -1, 0, 1, 1_790_000_000_000_000, .max]
        for (a, b) in zip(times, times.dropFirst()) {
            var (first, second) = (Key(), Key())
            first.add(WallTime(microseconds: a))
            second.add(WallTime(microseconds: b))
            #expect(first.bytes.lexicographicallyPrecedes(second.bytes))
        }
    }

    @Test func anIdIsItsSixteenBytes() {
        var random = RandomSource(seed: 3)
        let id = UUIDv7(at: WallTime(microseconds: 1_790_000_000_000_000), random: &random)
        #expect(Key(id).bytes == id.bytes)
    }

    @Test(arguments: [(0, false), (1, true), (511, true), (512, false)])
    func aKeyHasOneTo511Bytes(count: Int, fits: Bool) {
        #expect(Key([UInt8](repeating: 1, count: count)).fits == fits)
    }
}
