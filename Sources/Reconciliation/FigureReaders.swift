/// What a duration without colons counts.
package enum DurationUnit: String, Hashable, Sendable, CaseIterable {
    case seconds, minutes, milliseconds
}

/// Reads durations: `65`, `65.4`, `1:05`, `00:01:05`, `65s`.
package struct DurationReader: Sendable {
    package let unit: DurationUnit

    package init(unit: DurationUnit = .seconds) { self.unit = unit }

    /// Milliseconds; nil: not a duration.
    package func read(_ bytes: ArraySlice<UInt8>) -> Int64? {
        var parts: [Int64] = []
        var value: Int64 = 0
        var digits = 0
        var fraction: Int64 = 0
        var scale: Int64?
        for byte in bytes {
            switch byte {
            case 0x30...0x39:
                if let place = scale {
                    fraction += Int64(byte - 0x30) * place
                    scale = place / 10  // 0: finer than a millionth
                } else {
                    guard digits < 12 else { return nil }
                    value = value * 10 + Int64(byte - 0x30)
                    digits += 1
                }
            case 0x3A:
                guard digits > 0, parts.count < 2 else { return nil }
                parts.append(value)
                (value, digits) = (0, 0)
            case 0x2E, 0x2C:
                guard scale == nil else { return nil }
                scale = 100_000
            case 0x73, 0x53, 0x20: break  // "65 s"
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
        if !parts.isEmpty {
            let seconds = parts.reduce(0) { $0 * 60 + $1 } * 60 + value
            return seconds * 1_000 + fraction / 1_000
        }
        switch unit {
        case .seconds: return value * 1_000 + fraction / 1_000
        case .minutes: return value * 60_000 + (fraction * 60 + 500) / 1_000
        case .milliseconds: return value
        }
    }
}

/// Reads amounts: `0.0123`, `0,0123`, `1.234,50`, `€ 12.50`, `-3`.
package struct AmountReader: Sendable {
    /// Whether a comma stands before the decimals.
    package let hasDecimalComma: Bool

    package init(hasDecimalComma: Bool = false) { self.hasDecimalComma = hasDecimalComma }

    package struct Reading: Hashable, Sendable {
        /// Rounded half-up if there are more than six decimals.
        package var micros: Int64
        package var decimals: Int
    }

    /// nil: not an amount.
    package func read(_ bytes: ArraySlice<UInt8>) -> Reading? {
        let point: UInt8 = hasDecimalComma ? 0x2C : 0x2E
        let group: UInt8 = hasDecimalComma ? 0x2E : 0x2C
        var value: Int64 = 0
        var digits = 0
        var decimals: Int?
        var roundsUp = false
        var isNegative = false
        for byte in bytes {
            switch byte {
            case 0x30...0x39:
                let digit = Int64(byte - 0x30)
                if let already = decimals {
                    decimals = already + 1
                    if already == 6 { roundsUp = digit >= 5 }
                    if already >= 6 { continue }
                }
                let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflow) = product.addingReportingOverflow(digit)
                guard !overflowed, !overflow else { return nil }
                value = sum
                digits += 1
            case point:
                guard decimals == nil else { return nil }
                decimals = 0
            case group: guard decimals == nil else { return nil }
            case 0x2D: isNegative = true
            case 0x28 where digits == 0: isNegative = true  // accountants' brackets
            case 0x29, 0x2B, 0x20, 0x24, 0x27: break
            case 0x41...0x5A: break  // a currency's code
            case 0x80...: break  // a currency's sign
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
        for _ in min(decimals ?? 0, 6)..<6 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
        }
        if roundsUp, value < .max { value += 1 }
        return Reading(micros: isNegative ? -value : value, decimals: decimals ?? 0)
    }
}

/// Finds out from a whole column whether a comma stands before the decimals.
package struct DecimalCommaDetector: Sendable {
    private var commas = 0
    private var points = 0
    /// Commas that can only group thousands, or only lead decimals.
    private var surelyDecimal = false
    private var surelyGroup = false

    package init() {}

    package var isDecided: Bool { surelyDecimal || surelyGroup }

    package mutating func see(_ bytes: ArraySlice<UInt8>) {
        guard let comma = bytes.lastIndex(of: 0x2C) else {
            if bytes.contains(0x2E) { points += 1 }
            return
        }
        commas += 1
        if let point = bytes.lastIndex(of: 0x2E) {
            if comma > point { surelyDecimal = true } else { surelyGroup = true }
            return
        }
        let after = bytes[(comma + 1)...].prefix { (0x30...0x39).contains($0) }.count
        if after != 3 || bytes[bytes.startIndex..<comma].allSatisfy({ $0 == 0x30 || $0 == 0x2D }) { surelyDecimal = true }
    }

    package var hasDecimalComma: Bool { surelyDecimal || (!surelyGroup && commas > 0 && points == 0) }
}
