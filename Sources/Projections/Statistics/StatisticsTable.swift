import Primitives

/// The groups that a question makes while rows go by: open addressing over three numbers, sums in a flat array.
struct StatisticsTable {
    struct Full: Error {
        let groupsMax: Int
    }
    static let groupsMax = 100_000

    private var slots = [UInt32](repeating: 0, count: 1 << 10)
    private var keys: [InlineArray<3, UInt32>] = []
    private(set) var sums: [CallStatistics.Sums] = []
    private var recent = -1

    /// Place of the group's sums.
    @inline(__always) mutating func place(of key: InlineArray<3, UInt32>) throws(Full) -> Int {
        if recent >= 0, keys[recent][0] == key[0], keys[recent][1] == key[1], keys[recent][2] == key[2] { return recent }
        var slot = Self.hash(key) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if keys[index][0] == key[0], keys[index][1] == key[1], keys[index][2] == key[2] {
                recent = index
                return index
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard keys.count < Self.groupsMax else { throw Full(groupsMax: Self.groupsMax) }
        keys.append(key)
        sums.append(CallStatistics.Sums())
        slots[slot] = UInt32(keys.count)
        recent = keys.count - 1
        if keys.count * 2 > slots.count { grow() }
        return recent
    }

    @inline(__always) mutating func change(_ index: Int, _ body: (inout CallStatistics.Sums) -> Void) { body(&sums[index]) }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for (index, key) in keys.enumerated() {
            var slot = Self.hash(key) & (slots.count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    @inline(__always) private static func hash(_ key: InlineArray<3, UInt32>) -> Int {
        var hash = (UInt64(key[0]) | UInt64(key[1]) << 32) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ (hash >> 29) ^ UInt64(key[2])) &* 0xBF58_476D_1CE4_E5B9
        return Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & 0x7FFF_FFFF)
    }

    /// In the order of their values.
    func groups(dimensions: Int) -> [CallStatistics.Group] {
        keys.indices
            .sorted { l, r in (keys[l][0], keys[l][1], keys[l][2]) < (keys[r][0], keys[r][1], keys[r][2]) }
            .map { index in
                CallStatistics.Group(values: (0..<dimensions).map { keys[index][$0] }, sums: sums[index])
            }
    }
}
