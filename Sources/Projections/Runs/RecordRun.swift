import Primitives

/// Numbers of call records of one party, many in a row: five rows of a key each for every call would be a tenth of all that a
/// call takes on the disk.
///
/// The key is the party and the first number, 8 bytes; the value holds how much each next number is greater, as varints. A row is
/// full when the next would make its value longer than `RunRow.bytesMax`: that is so however the numbers came, one by one or in a
/// rebuild, so the same log makes the same rows.
struct RecordRun {
    private(set) var first: UInt64
    private(set) var last: UInt64
    private(set) var value: [UInt8] = []

    init(_ number: UInt64) { (first, last) = (number, number) }

    /// nil: it is none.
    init?(_ key: Key, _ value: [UInt8]) {
        guard key.bytes.count == 24 else { return nil }
        first = key.bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
        last = first
        self.value = value
        var reader = VarintReader(value)
        while !reader.isAtEnd {
            guard let step = reader.next(), step > 0 else { return nil }
            let (next, overflow) = last.addingReportingOverflow(step)
            if overflow { return nil }
            last = next
        }
    }

    /// false: the row is full.
    mutating func append(_ number: UInt64) -> Bool {
        let step = number &- last
        guard number > last, value.count + varintBytes(step) <= RunRow.bytesMax else { return false }
        value.append(varint: step)
        last = number
        return true
    }

    var numbers: [UInt64] {
        var numbers = [first]
        var reader = VarintReader(value)
        while let step = reader.next() { numbers.append(numbers[numbers.count - 1] + step) }
        return numbers
    }

    /// The value of the row as it was when `end` was the newest record.
    static func cut(_ key: Key, _ value: [UInt8], through end: UInt64) -> [UInt8]? {
        guard let run = RecordRun(key, value) else { return nil }
        if run.last <= end { return value }
        var reader = VarintReader(value)
        var (number, length) = (run.first, 0)
        while let step = reader.next(), number + step <= end {
            number += step
            length = reader.offset
        }
        return Array(value.prefix(length))
    }
}
