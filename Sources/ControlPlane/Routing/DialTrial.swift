import Expressions
package import Model

/// What a dial plan makes of something dialled, rule by rule: the answer to "why did this call go there".
package struct DialTrial: Equatable, Sendable {
    package struct Step: Equatable, Sendable {
        /// Of the plan, from 0.
        package let rule: Int
        package let description: String
        /// Whether the rule's expression matches. The first that does decides; those after it are not tried.
        package let isMatch: Bool
        /// What the replacement made of it; nil: the rule does not match, or its replacement cannot be made.
        package let result: String?
    }
    package let dialled: String
    /// Without visual separators: what the rules see.
    package let digits: String
    package let steps: [Step]
    /// nil: what came out is not an E.164 number, or no rule matched.
    package let e164: String?

    package init(_ dialled: String, by rules: [DialRule], countryCode: String, areaCode: String) {
        self.dialled = dialled
        digits = withoutSeparators(dialled)
        var normaliser = Normaliser()
        var steps: [Step] = []
        for (index, rule) in rules.enumerated() {
            let isMatch = (try? RegularExpression(rule.match))?.matches(digits) ?? false
            let outcome = normaliser.normalise(dialled, by: [rule], countryCode: countryCode, areaCode: areaCode)
            let result: String? =
                switch outcome {
                case .number(let made, _), .notANumber(let made): isMatch ? made : nil
                case .noRule: nil
                }
            steps.append(Step(rule: index, description: rule.description_p, isMatch: isMatch, result: result))
            if isMatch { break }
        }
        self.steps = steps
        // The number itself comes from the same call that routes calls.
        if case .number(let made, _) = normaliser.normalise(dialled, by: rules, countryCode: countryCode, areaCode: areaCode) {
            e164 = made
        } else {
            e164 = nil
        }
    }
}
