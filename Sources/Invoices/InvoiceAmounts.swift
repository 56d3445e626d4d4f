import Model
import Primitives

/// Amounts as a bill has them: whole units of the currency's decimals, rounded half away from zero.
package enum InvoiceAmounts {
    /// Micro-units of the smallest unit on paper.
    static func unit(_ decimals: UInt32) -> Int64 { (decimals..<6).reduce(1) { unit, _ in unit * 10 } }

    package static func rounded(_ micros: Int64, _ decimals: UInt32) -> Int64 {
        let unit = unit(decimals)
        let half = unit / 2
        return micros >= 0 ? (micros + half) / unit * unit : (micros - half) / unit * unit
    }

    /// Parts that are each a whole number of units and together the rounded sum: whoever lost most by being cut gets the next unit.
    static func apportioned(_ exact: [Int64], _ decimals: UInt32) -> [Int64] {
        let unit = unit(decimals)
        let total = rounded(exact.reduce(0, +), decimals)
        var parts = exact.map { floored($0, unit) }
        let missing = (total - parts.reduce(0, +)) / unit
        let order = exact.indices.sorted { a, b in
            let (left, right) = (exact[a] - parts[a], exact[b] - parts[b])
            return left == right ? a < b : left > right
        }
        for index in order.prefix(Int(missing)) { parts[index] += unit }
        return parts
    }

    private static func floored(_ micros: Int64, _ unit: Int64) -> Int64 {
        let quotient = micros / unit
        return (micros % unit < 0 ? quotient - 1 : quotient) * unit
    }

    /// VAT of a sum at a rate, once for the rate (EN 16931, BR-CO-17).
    static func tax(on taxable: Int64, basisPoints: UInt32, _ decimals: UInt32) -> Int64 {
        let unit = Int128(unit(decimals)) * 10_000
        let product = Int128(taxable) * Int128(basisPoints)
        let half = unit / 2
        let quotient = product >= 0 ? (product + half) / unit : (product - half) / unit
        return Int64(clamping: quotient) * self.unit(decimals)
    }

    /// `19`, `8.1`: percent without needless decimals.
    package static func percent(_ basisPoints: UInt32) -> String {
        let (whole, rest) = (basisPoints / 100, basisPoints % 100)
        if rest == 0 { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole)." + (rest < 10 ? "0" : "") + "\(rest)"
    }

    /// `1234.50`, as documents for programs have it.
    package static func plain(_ micros: Int64, _ decimals: UInt32) -> String {
        let unit = unit(decimals)
        let (whole, rest) = (micros.magnitude / 1_000_000, micros.magnitude % 1_000_000 / unit.magnitude)
        guard decimals > 0 else { return "\(micros < 0 ? "-" : "")\(whole)" }
        let fraction = String(rest)
        return "\(micros < 0 ? "-" : "")\(whole)." + String(repeating: "0", count: Int(decimals) - fraction.count) + fraction
    }
}
