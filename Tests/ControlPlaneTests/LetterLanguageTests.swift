import Foundation
import Mail
import Model
import Primitives
import SwiftProtobuf
import Testing

@testable import ControlPlane

/// Whoever translates may leave nothing out that is said, and may say nothing that nobody fills in.
@Test func everyLetterSaysTheSameInEveryLanguage() {
    #expect(LetterLanguage.all.map(\.tag) == ["en", "de", "es", "fr", "pt-BR"])
    for template in LetterTemplate.allCases {
        let wanted = LetterLanguage.english.words(template)
        for language in LetterLanguage.all {
            let words = language.words(template)
            #expect(words.gaps == wanted.gaps, "\(template.rawValue) in \(language.tag)")
            #expect(!words.subject.isEmpty && !words.text.isEmpty && words.link.isEmpty == wanted.link.isEmpty, "\(template.rawValue) in \(language.tag)")
            #expect(words.subject.count <= 80, "\(template.rawValue) in \(language.tag)")
            if language.tag != "en" { #expect(words.text != wanted.text, "\(template.rawValue) in \(language.tag) is English") }
        }
    }
    for language in LetterLanguage.all {
        #expect(LetterLanguage.gaps(in: language.namedGreeting) == ["name"] && LetterLanguage.gaps(in: language.greeting).isEmpty)
        #expect(LetterLanguage.gaps(in: language.footer) == ["product"] && LetterLanguage.gaps(in: language.customerFooter) == ["product"])
    }
}

@Test func theReadersLanguageGoesBeforeTheProvidersAndEnglishIsLast() {
    func nearest(_ tags: String...) -> String { LetterLanguage.nearest(tags).tag }
    #expect(nearest("de-AT") == "de" && nearest("PT") == "pt-BR" && nearest("pt-PT", "de") == "pt-BR")
    #expect(nearest("", "fr") == "fr" && nearest("ja", "es-MX") == "es" && nearest("ja", "zh") == "en" && nearest() == "en")
}

@Test func whatStandsInAGapIsNoGap() {
    #expect(LetterLanguage.filled("{a} and {b}, {c}", ["a": "{b}", "b": "2"]) == "{b} and 2, ")
    #expect(LetterLanguage.filled("no { gap", [:]) == "no { gap")
}

@Test func aLetterIsInTheReadersLanguageWithEverythingFilledIn() {
    var settings = MailSettings(server: MailServer(host: "127.0.0.1", port: 25, encryption: .none, from: "noreply@platform.example"), publicURL: "https://console.example")
    settings.productName = "Ledgerline"
    let provider = Provider.with { ($0.name, $0.language) = ("Kages", "fr") }
    for language in LetterLanguage.all {
        for template in LetterTemplate.allCases {
            let letter = Letter.with { ($0.to, $0.name, $0.language, $0.expiresAt) = ("anna@example.net", "Anna", language.tag, 1_700_000_000_000_000) }
            var text = LetterText(letter: letter, template: template, settings: settings, provider: provider, secret: "s")
            text.gaps = Dictionary(uniqueKeysWithValues: language.words(template).gaps.map { ($0, "<\($0)>") })
            let message = text.message(at: WallTime(microseconds: 1_700_000_000_000_000))
            #expect(message.language == language.tag)
            for part in [message.subject, message.plain, message.html] { #expect(!part.contains("{"), "\(template.rawValue) in \(language.tag): \(part)") }
            #expect(message.plain.contains("Kages") && message.plain.contains("Anna"))
            #expect(message.html.contains("<html lang=\"\(language.tag)\">") && !message.html.contains("<number>"))
        }
    }
    // Nobody said which language the reader has: the provider's.
    let unknown = LetterText(letter: Letter(), template: .passwordChanged, settings: settings, provider: provider, secret: "")
    #expect(unknown.message(at: WallTime(microseconds: 1)).subject == "Votre mot de passe pour Kages a été changé")
}
