import Model
import Primitives

/// What a field needs beside its entity to be written or read.
struct FieldContext: Sendable {
    /// The currency that the entity's amounts are in: its provider's, its customer's or its deck's.
    var currency: Currency?

    /// What time does by itself, it has done by then.
    var time: WallTime

    init(currency: Currency? = nil, time: WallTime = .now) {
        self.currency = currency
        self.time = time
    }

    /// An entity keeps micro-units; the API always says of what. XXX is ISO 4217 for "no currency".
    func amount(micros: Int64) -> JSON {
        ["amount": .string(Decimal.text(micros: micros)), "currency": .string(currency?.code ?? "XXX")]
    }
}

extension Money {
    var json: JSON { ["amount": .string(decimal), "currency": .string(currency.code)] }
}

/// Micro-units as a decimal number without a currency.
enum Decimal {
    private static var none: Currency {
        guard let currency = Currency("XXX") else { preconditionFailure("XXX is three letters") }
        return currency
    }

    static func text(micros: Int64) -> String { Money.decimal(micros: micros) }

    static func micros(_ text: String) throws(MoneyError) -> Int64 { try Money(parsing: text, none).micros }

    /// Wider than any account: for sums over accounts.
    static func text(micros: Int128) -> String {
        if let micros = Int64(exactly: micros) { return text(micros: micros) }
        let fraction = String((micros % 1_000_000).magnitude)
        let whole = "\(micros < 0 ? "-" : "")\((micros / 1_000_000).magnitude)"
        return whole + "." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    }
}

extension MoneyError {
    var reason: String {
        switch self {
        case .overflow: "is larger than can be counted"
        case .currencyMismatch(_, let expected): "must be in \(expected)"
        case .malformed: "must be a decimal number in a string, such as \"12.50\""
        case .tooPrecise: "must have at most 6 decimals"
        case .unknownCurrency: "must be an ISO 4217 code, such as EUR"
        }
    }
}
