import Model

/// What a letter is about, as its words go by it.
package enum LetterTemplate: String, CaseIterable, Sendable {
    case signUp = "sign_up"
    case alreadyRegistered = "already_registered"
    case passwordReset = "password_reset"
    case invitation
    case passwordChanged = "password_changed"
    case invoice
    case creditNote = "credit_note"
    case lowBalance = "low_balance"
    case spend

    /// Whether it goes to somebody because of a contract, and not because an address was entered.
    var isToCustomer: Bool {
        switch self {
        case .invoice, .creditNote, .lowBalance, .spend: true
        case .signUp, .alreadyRegistered, .passwordReset, .invitation, .passwordChanged: false
        }
    }
}

/// The words of a letter, with gaps: `{product}`. What stands in a gap is data, and never a gap again.
package struct LetterWords: Sendable {
    package var subject: String
    package var text: String
    /// What stands on the button; empty: there is no link.
    package var link: String

    init(_ subject: String, _ text: String, link: String = "") {
        (self.subject, self.text, self.link) = (subject, text, link)
    }

    /// The names of all gaps, each once.
    package var gaps: Set<String> { Set([subject, text, link].flatMap { LetterLanguage.gaps(in: $0) }) }
}

/// All words of letters in one language.
package struct LetterLanguage: Sendable {
    /// BCP 47.
    package let tag: String
    /// Of whoever has no name, of one with `{name}`, at the foot of a letter to somebody and to a customer.
    package let greeting: String
    package let namedGreeting: String
    package let footer: String
    package let customerFooter: String
    package let words: @Sendable (LetterTemplate) -> LetterWords

    package static let all: [LetterLanguage] = [english, german, spanish, french, portuguese]

    /// The nearest to what is wished for, the most wished for first: the language counts, not the country. English if there is none.
    package static func nearest(_ tags: [String]) -> LetterLanguage {
        func base(_ tag: String) -> String { String(tag.prefix { $0 != "-" }).lowercased() }
        for tag in tags where !tag.isEmpty {
            if let found = all.first(where: { base($0.tag) == base(tag) }) { return found }
        }
        return english
    }

    static func gaps(in text: String) -> [String] {
        text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }

    /// The text with its gaps filled; a value that is not there is empty.
    static func filled(_ text: String, _ values: [String: String]) -> String {
        var parts = text.split(separator: "{", omittingEmptySubsequences: false).map(String.init)
        for index in parts.indices.dropFirst() {
            guard let end = parts[index].firstIndex(of: "}") else {
                parts[index] = "{" + parts[index]
                continue
            }
            let name = String(parts[index][..<end])
            parts[index] = (values[name] ?? "") + parts[index][parts[index].index(after: end)...]
        }
        return parts.joined()
    }
}
