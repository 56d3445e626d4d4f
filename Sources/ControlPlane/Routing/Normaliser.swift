import Expressions
import Model

/// Applies dial plans: what was dialled in, an E.164 number out. Keeps compiled expressions.
struct Normaliser: Sendable {
    enum Result: Equatable {
        /// `rule` is the description of the rule that made the number; empty: it came as E.164.
        case number(e164: String, rule: String)
        case noRule
        /// A rule matched, but what it made is not an E.164 number.
        case notANumber(String)
    }

    /// Compiled on first use. A plan that is changed leaves old expressions behind; the bound clears them.
    private var compiled: [String: RegularExpression] = [:]
    private static let compiledMax = 4_096

    init() {}

    /// Rules are tried in order; the first whose `match` matches decides.
    /// - Parameter dialled: the user part as sent; visual separators (RFC 3966 §5.1.1) are dropped.
    mutating func normalise(
        _ dialled: String, by rules: [DialRule], countryCode: String, areaCode: String
    ) -> Result {
        let digits = withoutSeparators(dialled)
        for rule in rules {
            guard let match = expression(rule.match), match.matches(digits) else { continue }
            let substitution = rule.substitution.isEmpty ? match : expression(rule.substitution)
            let replacement = DialRuleReplacement(rule.replacement).text(
                countryCode: countryCode, areaCode: areaCode, groups: substitution?.groups ?? 0)
            guard let made = substitution?.replacingFirstMatch(in: digits, with: replacement) else {
                return .notANumber(digits)
            }
            return isE164(made) ? .number(e164: made, rule: rule.description_p) : .notANumber(made)
        }
        if isE164(digits) { return .number(e164: digits, rule: "") }
        return digits.hasPrefix("+") ? .notANumber(digits) : .noRule
    }

    /// Of a rule that an operator wrote; one that does not compile matches nothing.
    mutating func matches(_ pattern: String, _ text: String) -> Bool { expression(pattern)?.matches(text) ?? false }

    private mutating func expression(_ pattern: String) -> RegularExpression? {
        if let known = compiled[pattern] { return known }
        guard let fresh = try? RegularExpression(pattern) else { return nil }
        if compiled.count >= Self.compiledMax { compiled.removeAll() }
        compiled[pattern] = fresh
        return fresh
    }
}

/// Only a text of digits and separators is a number with separators; `bob-smith` stays as it is.
func withoutSeparators(_ dialled: String) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(dialled.utf8.count)
    for byte in dialled.utf8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"): digits.append(byte)
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: " "): continue
        default: return dialled
        }
    }
    return String(decoding: digits, as: UTF8.self)
}

/// `+`, a country code that does not begin with 0, at most 15 digits (E.164 §6).
func isE164(_ text: String) -> Bool {
    let bytes = text.utf8
    guard bytes.first == 0x2B, (4...16).contains(bytes.count) else { return false }
    let digits = bytes.dropFirst()
    return digits.first != 0x30 && digits.allSatisfy { (0x30...0x39).contains($0) }
}
