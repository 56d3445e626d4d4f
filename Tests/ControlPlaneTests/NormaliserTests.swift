import Expressions
import Model
import Testing

@testable import ControlPlane

@Suite struct NormaliserTests {
    private func rule(_ match: String, _ replacement: String, substitution: String = "", _ name: String = "rule")
        -> DialRule
    {
        var rule = DialRule()
        rule.description_p = name
        rule.match = match
        rule.substitution = substitution
        rule.replacement = replacement
        return rule
    }

    @Test func sevenDigitsGetCountryAndAreaCode() {
        var normaliser = Normaliser()
        let result = normaliser.normalise(
            "2488700", by: [rule("^[1-9][0-9]{6}$", "+1_AC\\1", "local")], countryCode: "1", areaCode: "209")
        #expect(result == .number(e164: "+12092488700", rule: "local"))
    }

    @Test(arguments: [
        ("2092488700", "+12092488700"), ("12092488700", "+12092488700"), ("00431234567", "+431234567"),
        ("+431234567", "+431234567"), ("(209) 248-8700", "+12092488700"), ("0662.1234", "+436621234"),
    ])
    func rulesAreTriedInOrderAndSeparatorsDoNotCount(dialled: String, e164: String) {
        let rules = [
            rule("^00[1-9]", "+", substitution: "^00"),
            rule("^0[1-9]", "+43\\1", substitution: "^0(.*)$"),
            rule("^1[2-9][0-9]{9}$", "+\\1"),
            rule("^([2-9][0-9]{9})$", "+_CC\\1"),
        ]
        var normaliser = Normaliser()
        let result = normaliser.normalise(dialled, by: rules, countryCode: "1", areaCode: "209")
        guard case .number(e164, _) = result else {
            Issue.record("\(dialled) became \(result)")
            return
        }
    }

    @Test func whatNoRuleMatchesIsToldFromWhatARuleMadeWrong() {
        var normaliser = Normaliser()
        #expect(normaliser.normalise("bob", by: [], countryCode: "1", areaCode: "") == .noRule)
        #expect(normaliser.normalise("123", by: [], countryCode: "1", areaCode: "") == .noRule)
        #expect(normaliser.normalise("+0123", by: [], countryCode: "1", areaCode: "") == .notANumber("+0123"))
        let short = [rule("^9$", "+\\1")]
        #expect(normaliser.normalise("9", by: short, countryCode: "1", areaCode: "") == .notANumber("+9"))
    }

    @Test func anExpressionMadeToHangDoesNot() {
        var normaliser = Normaliser()
        let evil = [rule("^(([0-9])+)+$", "+\\1")]
        let long = String(repeating: "1", count: 5_000) + "x"
        #expect(normaliser.normalise(long, by: evil, countryCode: "", areaCode: "") == .noRule)
    }

    @Test func e164IsBoundedOnBothSides() {
        let digits = "123456789012345"
        #expect(isE164("+" + digits))
        #expect(!isE164("+" + digits + "6"))
        #expect(!isE164("+01234"))
        #expect(!isE164("1234"))
        #expect(!isE164("+12a4"))
    }
}

@Suite struct RegularExpressionTests {
    @Test func malformedExpressionsSayWhy() {
        do {
            _ = try RegularExpression("([")
            Issue.record("compiled")
        } catch {
            #expect(!error.message.isEmpty)
        }
    }

    @Test func groupsAndReplacementsAreChecked() throws {
        let expression = try RegularExpression("^0([1-9])(.*)$")
        #expect(expression.groups == 2)
        #expect(expression.accepts(replacement: "+43\\1\\2"))
        #expect(!expression.accepts(replacement: "\\3"))
        #expect(expression.replacingFirstMatch(in: "0662", with: "+43\\1\\2") == "+43662")
        #expect(expression.replacingFirstMatch(in: "1", with: "x") == nil)
        #expect(expression.replacingFirstMatch(in: "0662", with: "\\3") == nil)
    }
}
