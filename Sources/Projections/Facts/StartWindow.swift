import Primitives

/// How many calls were started at a gateway in the last second, by tenths of a second.
///
/// Eleven tenths are added up: the one that is running and the ten before it hold every whole second that ends now. So never more
/// than the limit start within any second, wherever the second begins; at worst a tenth is waited for in vain.
struct StartWindow {
    private static let tenth: Int64 = 100_000
    private static let tenths = 11

    private var newest: Int64
    /// The newest tenth first.
    private var counts: [UInt32]

    init(at time: WallTime) {
        newest = time.microseconds / Self.tenth
        counts = [1] + Array(repeating: 0, count: Self.tenths - 1)
    }

    /// nil: it is none.
    init?(_ row: [UInt8]) {
        guard row.count == 8 + Self.tenths * 4 else { return nil }
        newest = Int64(bitPattern: row[..<8].reduce(0) { $0 << 8 | UInt64($1) })
        counts = (0..<Self.tenths).map { index in row[(8 + index * 4)..<(12 + index * 4)].reduce(0) { $0 << 8 | UInt32($1) } }
    }

    mutating func add(at time: WallTime) {
        let now = time.microseconds / Self.tenth
        // A clock that was put back counts on where it was.
        let steps = Int(min(Int64(Self.tenths), max(0, now - newest)))
        counts = Array((Array(repeating: 0, count: steps) + counts).prefix(Self.tenths))
        newest = max(newest, now)
        counts[0] &+= 1
    }

    func count(at time: WallTime) -> UInt64 {
        let passed = max(0, time.microseconds / Self.tenth - newest)
        guard passed < Int64(Self.tenths) else { return 0 }
        return counts.prefix(Self.tenths - Int(passed)).reduce(0) { $0 + UInt64($1) }
    }

    var row: [UInt8] {
        var row = Key(UInt64(bitPattern: newest)).bytes
        for count in counts { row += [UInt8(truncatingIfNeeded: count >> 24), UInt8(truncatingIfNeeded: count >> 16), UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)] }
        return row
    }
}
