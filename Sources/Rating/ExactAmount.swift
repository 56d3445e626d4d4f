/// An amount before rounding: sixtieths of a micro-unit, which every sum of a fee and a price per minute is a whole
/// number of.
public struct ExactAmount: Hashable, Comparable, Sendable {
    public let sixtieths: Int128

    public init(sixtieths: Int128) { self.sixtieths = sixtieths }

    public init(micros: Int64) { sixtieths = Int128(micros) * 60 }

    public static func < (left: ExactAmount, right: ExactAmount) -> Bool { left.sixtieths < right.sixtieths }

    public static func + (left: ExactAmount, right: ExactAmount) -> ExactAmount {
        ExactAmount(sixtieths: left.sixtieths + right.sixtieths)
    }
}

extension ExactAmount: CustomStringConvertible {
    /// Every digit, at least two after the point. A digit that repeats for ever stands in parentheses: a third is
    /// `0.(3)`. More is never needed: a divisor of sixty leaves one digit to repeat.
    public var description: String {
        // In units of 10^-8 of the currency's unit: sixtieths × 100 ÷ 60.
        let (units, remainder) = (sixtieths.magnitude * 5).quotientAndRemainder(dividingBy: 3)
        let digits = Array(String(units).utf8)
        let padded = Array(repeating: 0x30, count: max(0, 9 - digits.count)) + digits
        let whole = padded.dropLast(8)
        var fraction = padded.suffix(8)
        // A remainder of 1 repeats the 3, one of 2 the 6.
        let repeating: UInt8? = remainder == 0 ? nil : 0x30 + UInt8(remainder) * 3
        if let repeating {
            while fraction.last == repeating { fraction.removeLast() }
        } else {
            while fraction.count > 2, fraction.last == 0x30 { fraction.removeLast() }
        }
        let sign = sixtieths < 0 ? "-" : ""
        let tail = repeating.map { "(\(Character(UnicodeScalar($0))))" } ?? ""
        return sign + String(decoding: whole, as: UTF8.self) + "." + String(decoding: fraction, as: UTF8.self) + tail
    }
}
