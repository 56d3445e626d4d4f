/// Language tags by their form (RFC 5646 §2.1): a language, then a script, a region and variants, each at most once where the
/// form says so. Extensions and private tags are not taken: no voice or template is kept by them.
public enum LanguageTag {
    public static func isWellFormed(_ tag: String) -> Bool {
        var rest = tag.split(separator: "-", omittingEmptySubsequences: false)[...]
        guard let language = rest.popFirst(), (2...3).contains(language.utf8.count), language.allSatisfy(isLetter) else {
            return false
        }
        if let script = rest.first, script.utf8.count == 4, script.allSatisfy(isLetter) { rest.removeFirst() }
        if let region = rest.first,
            region.utf8.count == 2 && region.allSatisfy(isLetter) || region.utf8.count == 3 && region.allSatisfy(isDigit)
        { rest.removeFirst() }
        return Set(rest.map { $0.lowercased() }).count == rest.count
            && rest.allSatisfy { variant in
                variant.allSatisfy { isLetter($0) || isDigit($0) }
                    && ((5...8).contains(variant.utf8.count) || variant.utf8.count == 4 && variant.first.map(isDigit) == true)
            }
    }

    private static func isLetter(_ character: Character) -> Bool { character.isASCII && character.isLetter }
    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }
}
