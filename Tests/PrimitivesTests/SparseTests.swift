import Primitives
import Testing

struct SparseTests {
    @Test func aDictionaryGivesBackWhatABurstTook() {
        var table = Dictionary(uniqueKeysWithValues: (0..<20_000).map { ($0, "\($0)") })
        let grown = table.capacity
        for key in 0..<19_990 {
            table[key] = nil
            table.shrinkIfSparse()
        }
        #expect(table == Dictionary(uniqueKeysWithValues: (19_990..<20_000).map { ($0, "\($0)") }))
        #expect(table.capacity <= 1_536 && grown >= 20_000)
    }

    @Test func anArrayAndASetDoSo() {
        var array = Array(0..<20_000)
        var set = Set(array)
        for number in (10..<20_000).reversed() {
            array.removeLast()
            array.shrinkIfSparse()
            set.remove(number)
            set.shrinkIfSparse()
        }
        #expect(array == Array(0..<10) && array.capacity <= 1_536)
        #expect(set == Set(0..<10) && set.capacity <= 1_536)
    }

    /// What comes and goes in small numbers stays where it is.
    @Test func whatIsSmallIsNotMoved() {
        var table: [Int: Int] = [:]
        table.reserveCapacity(1_000)
        let capacity = table.capacity
        table.shrinkIfSparse(above: capacity)
        #expect(table.capacity == capacity)
        table.shrinkIfSparse(above: capacity - 1)
        #expect(table.capacity < capacity)
    }
}
