/// Lines and calls of one called number after the other, each in the order of time.
struct NumberGroups {
    /// Places in the statement's lines and in our calls, by number and time.
    private(set) var lines: [Int32]
    private(set) var calls: [Int32]
    /// Ranges of `lines` and `calls` that belong to a number that either side has.
    private(set) var groups: [(lines: Range<Int>, calls: Range<Int>)] = []

    init(_ lines: [StatementLine], _ calls: [OwnCall], moment: (OwnCall) -> Int64) {
        self.lines = Self.sorted(lines.count) { (lines[$0].number.value, lines[$0].start) }
        self.calls = Self.sorted(calls.count) { (calls[$0].number.value, moment(calls[$0])) }
        var (i, j) = (0, 0)
        while i < self.lines.count || j < self.calls.count {
            let a = i < self.lines.count ? lines[Int(self.lines[i])].number.value : UInt64.max
            let b = j < self.calls.count ? calls[Int(self.calls[j])].number.value : UInt64.max
            let number = min(a, b)
            let (firstLine, firstCall) = (i, j)
            while i < self.lines.count, lines[Int(self.lines[i])].number.value == number { i += 1 }
            while j < self.calls.count, calls[Int(self.calls[j])].number.value == number { j += 1 }
            groups.append((firstLine..<i, firstCall..<j))
        }
    }

    /// Places ordered by number, time and, of equals, place: the keys are sorted beside them, which spares a look at the
    /// records for every comparison.
    private static func sorted(_ count: Int, key: (Int) -> (UInt64, Int64)) -> [Int32] {
        var keyed: [(number: UInt64, time: Int64, place: Int32)] = []
        keyed.reserveCapacity(count)
        for place in 0..<count {
            let (number, time) = key(place)
            keyed.append((number, time, Int32(place)))
        }
        keyed.sort { ($0.number, $0.time, $0.place) < ($1.number, $1.time, $1.place) }
        return keyed.map(\.place)
    }
}
