/// The replacement of a dial rule: `_CC` and `_AC` stand for the caller's country and area code, `\1` … `\9`
/// for groups.
///
/// An expression without a group of its own is one group as a whole, so that `^[1-9][0-9]{6}$` with
/// `+1_AC\1` does what its author means.
struct DialRuleReplacement {
    private let template: String

    init(_ template: String) { self.template = template }

    var usesAreaCode: Bool { template.contains("_AC") }
    var usesCountryCode: Bool { template.contains("_CC") }

    /// - Parameter groups: how many the expression has that it will be used with.
    func text(countryCode: String, areaCode: String, groups: Int) -> String {
        let text = template.replacing("_CC", with: countryCode).replacing("_AC", with: areaCode)
        return groups == 0 ? wholeMatchForFirstGroup(text) : text
    }

    private func wholeMatchForFirstGroup(_ text: String) -> String {
        var result = ""
        var escaped = false
        for character in text {
            result.append(escaped && character == "1" ? "0" : character)
            escaped = !escaped && character == "\\"
        }
        return result
    }
}
