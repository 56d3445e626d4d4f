/// A called number in the form that both sides are compared in: the digits of an E.164 number as one integer.
package struct NumberKey: Hashable, Comparable, Sendable {
    /// The digits; the top bit is set if it could not be found out which country's they are.
    package let value: UInt64

    private static let unknownCountry: UInt64 = 1 << 63

    /// An E.164 number with or without its `+`; nil unless it is one to 18 digits.
    package init?(e164 text: String) {
        let digits = text.utf8.first == 0x2B ? text.utf8.dropFirst() : Substring(text).utf8
        guard (1...18).contains(digits.count), digits.first != 0x30 else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        self.value = value
    }

    fileprivate init(digits: UInt64, isInternational: Bool) {
        value = isInternational ? digits : digits | Self.unknownCountry
    }

    package var isInternational: Bool { value & Self.unknownCountry == 0 }

    package static func < (a: NumberKey, b: NumberKey) -> Bool { a.value < b.value }
}

extension NumberKey: CustomStringConvertible {
    package var description: String { isInternational ? "+\(value)" : "0\(value & ~Self.unknownCountry)" }
}

/// Reads a number as a carrier writes it: `+49 30 1234`, `004930…`, `030…` with a country, `4930…`, `sip:4930…@host`.
package struct NumberReader: Sendable {
    /// Digits of the country code that national numbers belong to; nil: none is known.
    package let country: String?
    /// What stands before every number, as a carrier's technical prefix does.
    package let strip: [UInt8]
    private let countryValue: UInt64

    package init(country: String? = nil, strip: String = "") {
        let digits = country.map { $0.filter { $0.isASCII && $0.isNumber } }
        self.country = digits
        self.strip = Array(strip.utf8)
        countryValue = digits.flatMap { UInt64($0) } ?? 0
    }

    /// nil: there is no number in it.
    package func key(_ bytes: ArraySlice<UInt8>) -> NumberKey? {
        var bytes = bytes
        for scheme in ["sips:", "sip:", "tel:"] where bytes.starts(with: scheme.utf8) { bytes = bytes.dropFirst(scheme.utf8.count) }
        if !strip.isEmpty, bytes.starts(with: strip) { bytes = bytes.dropFirst(strip.count) }
        var digits: UInt64 = 0
        var count = 0
        var zeros = 0
        var hasPlus = false
        scan: for byte in bytes {
            switch byte {
            case 0x30...0x39:
                if byte == 0x30, count == 0 {
                    zeros += 1
                } else {
                    guard count < 18 else { return nil }
                    digits = digits * 10 + UInt64(byte - 0x30)
                    count += 1
                }
            case 0x2B where count == 0 && zeros == 0: hasPlus = true
            // Spaces, hyphens, dots, slashes and brackets are for the eye; an apostrophe is how spreadsheets keep zeros.
            case 0x20, 0x2D, 0x2E, 0x2F, 0x28, 0x29, 0x27, 0x09: break
            case 0x40, 0x3B, 0x3A: break scan  // host, parameters, port
            default: return nil
            }
        }
        guard count > 0 else { return nil }
        if hasPlus || zeros >= 2 { return NumberKey(digits: digits, isInternational: true) }
        guard let country else { return NumberKey(digits: digits, isInternational: zeros == 0) }
        if country == "1" {
            // North America: ten digits are national, 011 leads abroad.
            if zeros == 1, count > 4, leading(digits, count, 2) == 11 {
                return NumberKey(digits: digits % Self.power(count - 2), isInternational: true)
            }
            if count == 10 { return NumberKey(digits: Self.power(10) + digits, isInternational: true) }
            return NumberKey(digits: digits, isInternational: zeros == 0)
        }
        if zeros == 1, count + country.utf8.count <= 18 {
            return NumberKey(digits: countryValue * Self.power(count) + digits, isInternational: true)
        }
        return NumberKey(digits: digits, isInternational: true)
    }

    private func leading(_ digits: UInt64, _ count: Int, _ wanted: Int) -> UInt64 { digits / Self.power(count - wanted) }

    private static func power(_ exponent: Int) -> UInt64 { (0..<exponent).reduce(1) { value, _ in value * 10 } }
}
