import Expressions
import Model
import PhoneNumbers
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Every ready-made plan beside libphonenumber: what people of the country dial becomes the number that they mean.
@Suite struct DialPlanPresetTests {
    private static let kinds: [NumberFacts.Kind] = [.fixedLine, .mobile, .tollFree]

    private func e164(_ dialled: String, _ preset: DialPlanPreset, area: String = "", outsideLine: String = "") -> String? {
        var normaliser = Normaliser()
        let result = normaliser.normalise(
            dialled, by: preset.rules(outsideLine: outsideLine), countryCode: preset.countryCode, areaCode: area)
        guard case .number(let made, _) = result else { return nil }
        return made
    }

    @Test func thereIsOneForBrazilTheUSAAndTenMore() {
        let countries = DialPlanPreset.all.map(\.country)
        #expect(countries.contains("BR") && countries.contains("US"))
        #expect(countries.count >= 12)
        #expect(countries == Array(Set(countries)).sorted())
        for preset in DialPlanPreset.all {
            let region = Region(preset.country)
            #expect(region.flatMap { PhoneNumbers.countryCode(of: $0) } == Int(preset.countryCode), "\(preset.country)")
        }
    }

    @Test(arguments: DialPlanPreset.all.map(\.country), ["", "9"])
    func nationalDiallingReachesTheNumber(country: String, outsideLine: String) throws {
        let preset = try #require(DialPlanPreset.preset(of: country))
        let region = try #require(Region(country))
        var count = 0
        for kind in Self.kinds {
            guard let example = PhoneNumbers.example(of: kind, in: region) else { continue }
            let dialled = try #require(PhoneNumbers.national(example))
            count += 1
            #expect(
                e164(outsideLine + dialled, preset, outsideLine: outsideLine) == example,
                "\(country) \(kind): \(outsideLine)\(dialled) is \(example)")
        }
        #expect(count >= 2, "\(country)")
    }

    @Test(arguments: DialPlanPreset.all.map(\.country))
    func localDiallingReachesTheNumberInOnesArea(country: String) throws {
        let preset = try #require(DialPlanPreset.preset(of: country))
        guard preset.hasLocalDialling else { return }
        let region = try #require(Region(country))
        let example = try #require(PhoneNumbers.example(of: .fixedLine, in: region))
        let facts = try #require(PhoneNumbers.facts(of: example))
        #expect(facts.areaCodeLength > 0, "\(country) has area codes")
        let digits = example.dropFirst(1 + preset.countryCode.count)
        let area = String(digits.prefix(facts.areaCodeLength))
        let dialled = String(digits.dropFirst(facts.areaCodeLength))
        // The library's example of India has a digit there that no local number begins with.
        guard dialled.first != "0" else { return }
        #expect(e164(dialled, preset, area: area) == example, "\(country): \(dialled) in \(area)")
    }

    @Test(arguments: DialPlanPreset.all.map(\.country))
    func internationalDiallingReachesEveryCountry(country: String) throws {
        let preset = try #require(DialPlanPreset.preset(of: country))
        for other in PhoneNumbers.regions where other.code != country {
            guard let example = PhoneNumbers.example(of: .fixedLine, in: other) else { continue }
            #expect(e164(preset.internationalPrefix + example.dropFirst(), preset) == example, "\(country) to \(other)")
            #expect(e164(example, preset) == example)
        }
    }

    /// A rule that made a number of 112 would send a call for help to a stranger.
    @Test(arguments: DialPlanPreset.all.map(\.country))
    func noRuleTakesAnEmergencyNumberForSomethingElse(country: String) throws {
        let preset = try #require(DialPlanPreset.preset(of: country))
        let region = try #require(Region(country))
        var count = 0
        for number in 0...9_999 {
            for text in [String(number), "0\(number)"] where PhoneNumbers.isEmergency(text, in: region) {
                count += 1
                #expect(e164(text, preset, area: "209") == nil, "\(country): \(text)")
            }
        }
        #expect(count > 0, "\(country)")
    }

    @Test func sevenDigitsInTheUSA() throws {
        let preset = try #require(DialPlanPreset.preset(of: "US"))
        #expect(e164("2488700", preset, area: "209") == "+12092488700")
        #expect(e164("12092488700", preset) == "+12092488700")
        #expect(e164("2092488700", preset) == "+12092488700")
        #expect(e164("92488700", preset, area: "209", outsideLine: "9") == "+12092488700")
        #expect(e164("2488700", preset, area: "209", outsideLine: "9") == nil)
    }

    @Test func brazilDialsWithAndWithoutACarrier() throws {
        let preset = try #require(DialPlanPreset.preset(of: "BR"))
        for dialled in ["1123456789", "01123456789", "0151123456789", "0211123456789"] {
            #expect(e164(dialled, preset) == "+551123456789", "\(dialled)")
        }
        for dialled in ["11961234567", "011961234567", "01511961234567"] {
            #expect(e164(dialled, preset) == "+5511961234567", "\(dialled)")
        }
        #expect(e164("961234567", preset, area: "11") == "+5511961234567")
        #expect(e164("001412092488700", preset) == "+12092488700")
        #expect(e164("002112092488700", preset) == "+12092488700")
    }
}

@Suite struct EvilExpressionTests {
    private static let evil = [
        "^(([0-9])+)+$", "^(a+)+$", "^([0-9]*)*$", "^(.*)(.*)(.*)(.*)(.*)(.*)(.*)x$", "(x+x+)+y", "^([0-9]|[0-9][0-9])+$",
        "(.*)*(.*)*(.*)*z", "^(0|00|000|0000)*1$",
    ]

    /// No expression takes longer than its program times the text; there is no clock here, only many tries that have to end.
    @Test(arguments: evil) func patternsThatHangOthersDoNotHangUs(pattern: String) throws {
        let expression = try RegularExpression(pattern)
        for length in [1, 20, 128, 5_000] {
            for end in ["", "!", "x"] {
                let text = String(repeating: "0", count: length) + end
                for _ in 0..<20 { _ = expression.matches(text) }
                _ = expression.replacingFirstMatch(in: text, with: "\\0")
            }
        }
    }

    @Test(arguments: [
        "((a{1000}){1000}){1000}", "(((x{100}){100}){100})", "([0-9]{500}){5}", "[0-9]{0,1000}[0-9]{0,1000}[0-9]{0,1000}",
        "(?:a?){1000}a{1000}", "(((((a{2}){20}){20}){20}){20})",
    ])
    func programsThatAreTooLargeAreRefusedWithTheReason(pattern: String) {
        do {
            _ = try RegularExpression(pattern)
            Issue.record("compiled: \(pattern)")
        } catch {
            #expect(!error.message.isEmpty)
            #expect(error.message.utf8.count < 256)
        }
    }

    @Test(arguments: ["(?=x)", "(a)\\1", "(?<=x)y", "(", "[", "a{1001}", "\\", "*"])
    func whatRE2DoesNotKnowIsRefused(pattern: String) {
        #expect(throws: RegularExpression.Malformed.self) { _ = try RegularExpression(pattern) }
    }

    @Test func aPlanWithALargeProgramIsRefusedByItsField() throws {
        let town = try Town()
        var plan = town.dialPlan
        plan.rules.append(.with { $0.match = "^[0-9]{900}[0-9]{900}[0-9]{900}$"; $0.replacement = "+1" })
        #expect {
            try town.platform.admin(.changeDialPlan(plan, expectedVersion: nil))
        } throws: { error in
            let rejection = error as? AdminRejection
            return rejection?.field == "rules[2].match" && rejection?.reason.contains("repeat less") == true
        }
    }
}
