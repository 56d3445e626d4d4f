package import Model
import SwiftProtobuf

/// How people of a country dial, as rules of a dial plan. Made from a few facts of the country's numbering plan, which the
/// tests hold against libphonenumber's.
package struct DialPlanPreset: Sendable {
    /// Two letters of ISO 3166-1.
    package let country: String
    package let name: String
    package let countryCode: String
    /// Before a national number; empty: none is dialled.
    package let trunkPrefix: String
    /// Before a country code, for people.
    package let internationalPrefix: String
    /// RE2, of all that may be dialled there; empty: the prefix above.
    private let international: String
    /// RE2, of a national number without its trunk prefix.
    private let national: String
    /// RE2, of a number within one's own area; nil: people dial the whole number there, too.
    private let local: String?
    /// For what the rules above do not say: its expression and replacement, before the others.
    private let special: [(description: String, match: String, replacement: String)]

    private init(
        _ country: String, _ name: String, _ countryCode: String, trunk: String, abroad: String, international: String = "",
        national: String, local: String? = nil,
        special: [(description: String, match: String, replacement: String)] = []
    ) {
        self.country = country
        self.name = name
        self.countryCode = countryCode
        trunkPrefix = trunk
        internationalPrefix = abroad
        self.international = international
        self.national = national
        self.local = local
        self.special = special
    }

    package var hasLocalDialling: Bool { local != nil }

    /// - Parameter outsideLine: digits that are dialled before every number to the outside, such as 9; empty: none.
    package func rules(outsideLine: String = "") -> [DialRule] {
        var rules = special.map { rule($0.description, outsideLine + $0.match, $0.replacement) }
        let abroad = international.isEmpty ? internationalPrefix : international
        rules.append(rule("international", "\(outsideLine)(?:\(abroad))([1-9][0-9]{6,14})", "+\\1"))
        rules.append(rule("national", "\(outsideLine)\(trunkPrefix)(\(national))", "+\(countryCode)\\1"))
        if let local { rules.append(rule("local", "\(outsideLine)(\(local))", "+\(countryCode)_AC\\1")) }
        return rules
    }

    private func rule(_ description: String, _ expression: String, _ replacement: String) -> DialRule {
        .with {
            $0.description_p = "\(country) \(description)"
            $0.match = "^\(expression)$"
            $0.replacement = replacement
        }
    }

    package static func preset(of country: String) -> DialPlanPreset? { all.first { $0.country == country } }

    /// The carrier that a caller in Brazil chooses for a call to another area or country.
    private static let brazilianCarrier = "(?:1[245]|2[1-35]|31|4[13]|[56]5|99)"

    /// By country.
    package static let all: [DialPlanPreset] = [
        DialPlanPreset(
            "AR", "Argentina", "54", trunk: "0", abroad: "00", national: "[1-9][0-9]{9}", local: "[2-8][0-9]{5,7}",
            special: [
                // A mobile is dialled with 15 behind its area code, and called from abroad with 9 before it.
                ("mobile", "0(11|[23][0-9]{2,3})15([0-9]{6,8})", "+549\\1\\2")
            ]),
        DialPlanPreset(
            "AT", "Austria", "43", trunk: "0", abroad: "00", national: "[1-9][0-9]{3,12}", local: "[2-9][0-9]{3,11}"),
        DialPlanPreset(
            "AU", "Australia", "61", trunk: "0", abroad: "0011", national: "[2-478][0-9]{8}", local: "[1-9][0-9]{7}",
            special: [("numbers without an area", "(1[38]00[0-9]{6}|13[1-9][0-9]{3})", "+61\\1")]),
        DialPlanPreset("BE", "Belgium", "32", trunk: "0", abroad: "00", national: "[1-9][0-9]{7,8}"),
        DialPlanPreset(
            "BR", "Brazil", "55", trunk: "", abroad: "0015", international: "00\(brazilianCarrier)",
            national: "[1-9]{2}[2-9][0-9]{7,8}", local: "[2-9][0-9]{7,8}",
            special: [
                ("numbers without an area", "0?([3589]00[0-9]{6,7})", "+55\\1"),
                ("national, with a trunk prefix", "0(?:\(brazilianCarrier))?([1-9]{2}[2-9][0-9]{7,8})", "+55\\1"),
            ]),
        DialPlanPreset(
            "CA", "Canada", "1", trunk: "1?", abroad: "011", national: "[2-9][0-9]{9}", local: "[2-9][0-9]{6}"),
        DialPlanPreset("CH", "Switzerland", "41", trunk: "0", abroad: "00", national: "[1-9][0-9]{8}"),
        DialPlanPreset(
            "DE", "Germany", "49", trunk: "0", abroad: "00", national: "[1-9][0-9]{4,12}", local: "[1-9][0-9]{3,10}"),
        DialPlanPreset("ES", "Spain", "34", trunk: "", abroad: "00", national: "[5-9][0-9]{8}"),
        DialPlanPreset("FR", "France", "33", trunk: "0", abroad: "00", national: "[1-9][0-9]{8}"),
        DialPlanPreset(
            "GB", "United Kingdom", "44", trunk: "0", abroad: "00", national: "[1-9][0-9]{8,9}|800[0-9]{6}|800[0-9]{4}",
            local: "[2-9][0-9]{4,7}"),
        DialPlanPreset(
            "IE", "Ireland", "353", trunk: "0", abroad: "00", national: "[1-9][0-9]{6,8}", local: "[1-9][0-9]{4,6}",
            special: [("numbers without an area", "(1[58][0-9]{2}[0-9]{6})", "+353\\1")]),
        DialPlanPreset(
            "IN", "India", "91", trunk: "0?", abroad: "00", national: "[1-9][0-9]{9}", local: "[1-9][0-9]{4,7}",
            special: [("numbers without an area", "(1800[0-9]{4,9})", "+91\\1")]),
        // The 0 before an Italian number is a part of it.
        DialPlanPreset(
            "IT", "Italy", "39", trunk: "", abroad: "00", national: "0[1-9][0-9]{4,9}|3[0-9]{8,9}|8[0-9]{5,9}"),
        DialPlanPreset(
            "JP", "Japan", "81", trunk: "0", abroad: "010", national: "[1-9][0-9]{8,9}", local: "[1-9][0-9]{4,7}"),
        DialPlanPreset("MX", "Mexico", "52", trunk: "", abroad: "00", national: "[2-9][0-9]{9}"),
        DialPlanPreset(
            "NL", "Netherlands", "31", trunk: "0", abroad: "00", national: "[1-9][0-9]{8}|[89]0[0-9]{5,8}",
            local: "[1-9][0-9]{5,6}"),
        DialPlanPreset("PL", "Poland", "48", trunk: "", abroad: "00", national: "[1-9][0-9]{8}"),
        DialPlanPreset("PT", "Portugal", "351", trunk: "", abroad: "00", national: "[2-9][0-9]{8}"),
        DialPlanPreset(
            "US", "USA", "1", trunk: "1?", abroad: "011", national: "[2-9][0-9]{9}", local: "[2-9][0-9]{6}"),
    ]
}
