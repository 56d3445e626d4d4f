/// A code and how many bits it has, the first bit lowest.
struct BitCode {
    var bits: UInt32
    var count: UInt32
}

/// The codes of RFC 1951 §3.2.6.
struct FixedCodes {
    let literals: [BitCode]
    /// Of a match by its length, extra bits included.
    let lengths: [BitCode]

    init() {
        literals = (0..<256).map { Self.symbol($0) }
        var lengths = [BitCode](repeating: BitCode(bits: 0, count: 0), count: 259)
        for length in 3...257 {
            let (code, extra) = Self.range(UInt32(length - 3), 4)
            let symbol = Self.symbol(257 + code)
            lengths[length] = BitCode(bits: symbol.bits | (UInt32(length - 3) & (1 << extra - 1)) << symbol.count, count: symbol.count + extra)
        }
        lengths[258] = Self.symbol(285)
        self.lengths = lengths
    }

    static func distance(_ distance: Int) -> BitCode {
        let value = UInt32(distance - 1)
        let (code, extra) = range(value, 2)
        return BitCode(bits: reversed(code, 5) | (value & (1 << extra - 1)) << 5, count: 5 + extra)
    }

    /// Values in ranges: the first `first` alone, then `first / 2` ranges of each width, widths doubling (§3.2.5).
    private static func range(_ value: UInt32, _ each: UInt32) -> (code: UInt32, extra: UInt32) {
        guard value >= 2 * each else { return (value, 0) }
        let extra = 31 - UInt32((value / each).leadingZeroBitCount)
        return (each * extra + value >> extra, extra)
    }

    private static func symbol(_ symbol: UInt32) -> BitCode {
        switch symbol {
        case 0..<144: BitCode(bits: reversed(0x30 + symbol, 8), count: 8)
        case 144..<256: BitCode(bits: reversed(0x190 + symbol - 144, 9), count: 9)
        case 256..<280: BitCode(bits: reversed(symbol - 256, 7), count: 7)
        default: BitCode(bits: reversed(0xC0 + symbol - 280, 8), count: 8)
        }
    }

    private static func reversed(_ bits: UInt32, _ count: UInt32) -> UInt32 {
        var (rest, result) = (bits, UInt32(0))
        for _ in 0..<count {
            result = result << 1 | rest & 1
            rest >>= 1
        }
        return result
    }
}

/// Bits into bytes, the lowest first.
struct BitWriter {
    private var bytes: [UInt8] = []
    private var bits: UInt64 = 0
    private var held: UInt32 = 0

    init(capacity: Int) { bytes.reserveCapacity(capacity + 4) }

    /// Whole bytes that are written or held.
    var count: Int { bytes.count + Int(held >> 3) }

    @inline(__always)
    mutating func append(_ code: BitCode) { append(code.bits, code.count) }

    /// - Parameter count: at most 32.
    @inline(__always)
    mutating func append(_ code: UInt32, _ count: UInt32) {
        bits |= UInt64(code) << UInt64(held)
        held += count
        if held >= 32 { flush() }
    }

    private mutating func flush() {
        let word = InlineArray<4, UInt8> { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
        for index in 0..<4 { bytes.append(word[index]) }
        bits >>= 32
        held -= 32
    }

    consuming func finish() -> [UInt8] {
        while held > 0 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            held -= min(held, 8)
        }
        return bytes
    }
}
