import Primitives

/// The groups that a question makes while rows go by: open addressing over three numbers, everything counted in two flat arrays.
struct StatisticsTable {
    struct Full: Error {
        let groupsMax: Int
    }
    static let groupsMax = 100_000

    /// Of a group in `counters`.
    enum Counter {
        static let calls = 0
        static let seizures = 1
        static let effective = 2
        static let talk = 3
        static let delaySum = 4
        static let delays = 5
        /// And one for each `StatisticsRow.Outcome`.
        static let outcomes = 6
        static let count = 16
    }

    private var slots = [UInt32](repeating: 0, count: 1 << 10)
    private var keys: [InlineArray<3, UInt32>] = []
    private var counters: [UInt64] = []
    private var histograms: [UInt32] = []
    private var recent = -1

    /// Place of the group.
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
        return try add(key, slot)
    }

    @inline(never) private mutating func add(_ key: InlineArray<3, UInt32>, _ slot: Int) throws(Full) -> Int {
        guard keys.count < Self.groupsMax else { throw Full(groupsMax: Self.groupsMax) }
        keys.append(key)
        counters += repeatElement(0, count: Counter.count)
        histograms += repeatElement(0, count: DelayHistogram.classes)
        slots[slot] = UInt32(keys.count)
        recent = keys.count - 1
        if keys.count * 2 > slots.count { grow() }
        return recent
    }

    @inline(__always) mutating func count(_ place: Int, flags: UInt8, outcome: UInt8, talk: UInt32, delay: UInt32) {
        let base = place * Counter.count
        counters[base + Counter.calls] &+= 1
        counters[base + Counter.seizures] &+= flags & StatisticsRow.Flag.isSeizure == 0 ? 0 : 1
        counters[base + Counter.effective] &+= flags & StatisticsRow.Flag.isEffective == 0 ? 0 : 1
        counters[base + Counter.outcomes + Int(outcome & 0x07)] &+= 1
        counters[base + Counter.talk] &+= UInt64(talk)
        guard delay != StatisticsRow.never else { return }
        counters[base + Counter.delaySum] &+= UInt64(delay)
        counters[base + Counter.delays] &+= 1
        histograms[place * DelayHistogram.classes + DelayHistogram.index(of: delay)] &+= 1
    }

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
            .map { index in CallStatistics.Group(values: (0..<dimensions).map { keys[index][$0] }, sums: sums(index)) }
    }

    private func sums(_ index: Int) -> CallStatistics.Sums {
        func counter(_ place: Int) -> UInt64 { counters[index * Counter.count + place] }
        func outcome(_ outcome: StatisticsRow.Outcome) -> UInt64 { counter(Counter.outcomes + Int(outcome.rawValue)) }
        var sums = CallStatistics.Sums()
        sums.calls = counter(Counter.calls)
        sums.seizures = counter(Counter.seizures)
        sums.effective = counter(Counter.effective)
        sums.answered = outcome(.answered)
        sums.busy = outcome(.busy)
        sums.noAnswer = outcome(.noAnswer)
        sums.rejected = outcome(.rejected)
        sums.cancelled = outcome(.cancelled)
        sums.failed = outcome(.failed)
        sums.refused = outcome(.refused)
        sums.talkMilliseconds = counter(Counter.talk)
        let classes = index * DelayHistogram.classes
        sums.delays.counts = Array(histograms[classes..<(classes + DelayHistogram.classes)])
        sums.delays.total = counter(Counter.delays)
        sums.delays.sum = counter(Counter.delaySum)
        return sums
    }
}
