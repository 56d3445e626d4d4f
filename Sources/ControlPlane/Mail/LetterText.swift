internal import Mail
import Model
import Primitives

/// What a letter says, under the name and in the colours of whoever it is from.
struct LetterText {
    let letter: Letter
    var template: LetterTemplate
    let settings: MailSettings
    /// Whose mail it is; nil: the platform's.
    let provider: Provider?
    /// The secret that the link ends with.
    let secret: String
    /// What is said beside the product and the name.
    var gaps: [String: String] = [:]
    var attachments: [MailMessage.Attachment] = []

    /// The reader's, else that of whoever writes.
    var language: LetterLanguage { LetterLanguage.nearest([letter.language, provider?.language ?? ""]) }

    func message(at time: WallTime) -> MailMessage {
        let (words, values) = (language.words(template), values)
        func text(_ text: String) -> String { LetterLanguage.filled(text, values) }
        let domain = settings.server.from.split(separator: "@").last.map(String.init) ?? "localhost"
        let greeting = text(letter.name.isEmpty ? language.greeting : language.namedGreeting)
        let footer = text(template.isToCustomer ? language.customerFooter : language.footer)
        var plain = [greeting, "", text(words.text), ""]
        if let url { plain += [url, ""] }
        plain += ["-- ", product, footer]
        let id = (UUIDv7(bytes: letter.id)?.description ?? "") + ".letter"
        let link = url.map { (label: text(words.link), url: $0) }
        return MailMessage(
            id: id, domain: domain, from: settings.server.from, senderName: sender, to: letter.to, replyTo: brand.replyTo, language: language.tag,
            subject: text(words.subject), plain: plain.joined(separator: "\r\n"), html: html(greeting, text(words.text), link, footer), time: time,
            attachments: attachments)
    }

    private var brand: Brand { provider?.brand ?? Brand() }

    private var product: String {
        if !brand.productName.isEmpty { return brand.productName }
        return provider?.name ?? settings.productName
    }

    private var sender: String { brand.mailSenderName.isEmpty ? product : brand.mailSenderName }

    /// What the gaps of the words are filled with.
    private var values: [String: String] {
        var values = gaps
        (values["product"], values["name"], values["expiry"]) = (product, letter.name, expiry)
        return values
    }

    /// Where the letter's link leads; nil: there is none.
    private var url: String? {
        switch template {
        case .signUp: link("sign-up")
        case .alreadyRegistered: base + "/log-in"
        case .passwordReset, .invitation: link("set-password")
        case .passwordChanged: base + "/forgotten-password"
        case .invoice, .creditNote, .lowBalance, .spend: nil
        }
    }

    private var base: String {
        let url = brand.publicURL.isEmpty ? settings.publicURL : brand.publicURL
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// Behind a #, which no browser sends to a server: no log of a proxy has it.
    private func link(_ page: String) -> String { "\(base)/\(page)#token=\(secret)" }

    /// To the minute, in UTC.
    private var expiry: String {
        WallTime(microseconds: letter.expiresAt).rfc3339.prefix(16).replacing("T", with: " ") + " UTC"
    }

    private func html(_ greeting: String, _ text: String, _ link: (label: String, url: String)?, _ footer: String) -> String {
        let main = Self.color(brand.primaryColor) ?? "#1f4e79"
        let accent = Self.color(brand.secondaryColor) ?? "#f3f5f7"
        var body = "<p>\(Self.escaped(greeting))</p><p>\(Self.escaped(text))</p>"
        if let link {
            body += "<p><a style=\"background:\(main);color:#fff;padding:10px 16px;text-decoration:none;border-radius:4px\" "
                + "href=\"\(Self.escaped(link.url))\">\(Self.escaped(link.label))</a></p><p>\(Self.escaped(link.url))</p>"
        }
        let logo =
            brand.logoURL.hasPrefix("https://")
            ? "<img src=\"\(Self.escaped(brand.logoURL))\" alt=\"\(Self.escaped(product))\" height=\"40\">" : "<b>\(Self.escaped(product))</b>"
        return "<!doctype html><html lang=\"\(language.tag)\"><body style=\"font-family:sans-serif;background:\(accent)\"><div style=\"border-top:4px solid \(main);"
            + "background:#fff;max-width:560px;margin:auto;padding:24px\">\(logo)\(body)<p style=\"color:#667\">\(Self.escaped(footer))</p>"
            + "</div></body></html>"
    }

    /// nil for anything but #rrggbb: nothing else gets into the page's style.
    static func color(_ text: String) -> String? {
        let isColor = text.utf8.count == 7 && text.hasPrefix("#") && text.dropFirst().allSatisfy(\.isHexDigit)
        return isColor ? text : nil
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
