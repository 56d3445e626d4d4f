/// An exact amount: whole micro-units (millionths of the currency's unit). No operation wraps or rounds.
public struct Money: Hashable, Sendable {
    public let micros: Int64
    public let currency: Currency

    public init(micros: Int64, _ currency: Currency) {
        self.micros = micros
        self.currency = currency
    }

    public static func zero(_ currency: Currency) -> Money { Money(micros: 0, currency) }

    public func adding(_ other: Money) throws(MoneyError) -> Money {
        guard currency == other.currency else { throw .currencyMismatch(currency, other.currency) }
        let (sum, overflow) = micros.addingReportingOverflow(other.micros)
        guard !overflow else { throw .overflow }
        return Money(micros: sum, currency)
    }

    public func subtracting(_ other: Money) throws(MoneyError) -> Money {
        guard currency == other.currency else { throw .currencyMismatch(currency, other.currency) }
        let (difference, overflow) = micros.subtractingReportingOverflow(other.micros)
        guard !overflow else { throw .overflow }
        return Money(micros: difference, currency)
    }

    public func negated() throws(MoneyError) -> Money { try Money.zero(currency).subtracting(self) }
}

public enum MoneyError: Error, Equatable, Sendable {
    case overflow
    case currencyMismatch(Currency, Currency)
    /// Not a decimal number: an optional sign, digits, and at most one point with digits around it.
    case malformed(String)
    /// More than six decimals: finer than a micro-unit.
    case tooPrecise(String)
    case unknownCurrency(String)
}

extension Money {
    /// Reads `12`, `-0.0036`, `+12.50`; digits are needed on both sides of a point.
    public init(parsing decimal: String, _ currency: Currency) throws(MoneyError) {
        var bytes = Substring(decimal).utf8
        var negative = false
        if let first = bytes.first, first == 0x2D || first == 0x2B {
            negative = first == 0x2D
            bytes = bytes.dropFirst()
        }
        let parts = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } })
        else { throw .malformed(decimal) }
        let decimals = parts.count == 2 ? Array(parts[1]) : []
        guard decimals.count <= 6 else { throw .tooPrecise(decimal) }
        var value: Int64 = 0
        // Counted below zero, because the range of Int64 reaches one further there.
        for digit in Array(parts[0]) + decimals + Array(repeating: 0x30, count: 6 - decimals.count) {
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (next, overflow) = product.subtractingReportingOverflow(Int64(digit - 0x30))
            guard !overflowed, !overflow else { throw .overflow }
            value = next
        }
        guard negative || value != .min else { throw .overflow }
        self.init(micros: negative ? value : -value, currency)
    }

    /// The number alone, with two to six decimals: `0.0036`, `12.50`, `-3.00`.
    public var decimal: String { Money.decimal(micros: micros) }

    /// The same for micro-units whose currency stands elsewhere, such as a deck's prices.
    public static func decimal(micros: Int64) -> String {
        let magnitude = micros.magnitude
        var fraction = String(magnitude % 1_000_000)
        fraction = String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
        while fraction.utf8.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(micros < 0 ? "-" : "")\(magnitude / 1_000_000).\(fraction)"
    }
}

extension Money: CustomStringConvertible {
    public var description: String { "\(decimal) \(currency)" }
}

extension Money {
    public init(_ amount: Amount) throws(MoneyError) {
        guard let currency = Currency(amount.currency) else { throw .unknownCurrency(amount.currency) }
        self.init(micros: amount.micros, currency)
    }

    public var amount: Amount {
        var amount = Amount()
        amount.micros = micros
        amount.currency = currency.code
        return amount
    }
}
