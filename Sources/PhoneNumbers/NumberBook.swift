/// Facts of the numbers that were asked for, so that a number that is called again costs nothing.
package struct NumberBook: Sendable {
    /// About 4 MB.
    private static let countMax = 32_768
    private var known: [String: NumberFacts?] = [:]

    package init() {}

    /// - Parameter e164: with its plus.
    package mutating func facts(of e164: String) -> NumberFacts? {
        if let found = known[e164] { return found }
        let found = PhoneNumbers.facts(of: e164)
        if known.count >= Self.countMax { known.removeAll(keepingCapacity: true) }
        known[e164] = .some(found)
        return found
    }
}
