import Primitives
import Testing

@Suite struct ShardedDictionaryTests {
    @Test func itHoldsWhatADictionaryHolds() {
        var (sharded, plain) = (ShardedDictionary<Int, Int>(), [Int: Int]())
        var random = RandomSource(seed: 7)
        for round in 0..<20_000 {
            let key = Int.random(in: 0..<3_000, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: #expect(sharded.removeValue(forKey: key) == plain.removeValue(forKey: key))
            case 1:
                sharded[key]? += 1
                plain[key]? += 1
            case 2:
                sharded[key] = nil
                plain[key] = nil
            default:
                sharded[key] = round
                plain[key] = round
            }
        }
        #expect(sharded.count == plain.count)
        for key in 0..<3_000 { #expect(sharded[key] == plain[key]) }
    }

    @Test func whatIsEmptyHasNothing() {
        var table = ShardedDictionary<String, Int>()
        #expect(table.isEmpty)
        #expect(table["a"] == nil)
        table["a"] = 1
        #expect(!table.isEmpty && table.count == 1)
        #expect(table.removeValue(forKey: "a") == 1)
        #expect(table.removeValue(forKey: "a") == nil)
        #expect(table.isEmpty)
    }
}
