internal import Mail
import Model
import Primitives

/// What a letter says, under the name and in the colours of whoever it is from.
struct LetterText {
    let letter: Letter
    let settings: MailSettings
    /// Whose mail it is; nil: the platform's.
    let provider: Provider?
    /// The secret that the link ends with.
    let secret: String

    func message(at time: WallTime) -> MailMessage {
        let words = words
        let domain = settings.server.from.split(separator: "@").last.map(String.init) ?? "localhost"
        let greeting = letter.name.isEmpty ? "Hello," : "Hello \(letter.name),"
        let footer = "You get this mail because somebody entered your address at \(product)."
        var plain = [greeting, "", words.text, ""]
        if let link = words.link { plain += [link.url, ""] }
        plain += ["-- ", product, footer]
        let id = (UUIDv7(bytes: letter.id)?.description ?? "") + ".letter"
        return MailMessage(
            id: id, domain: domain, from: settings.server.from, senderName: sender, to: letter.to, replyTo: brand.replyTo,
            subject: words.subject, plain: plain.joined(separator: "\r\n"), html: html(greeting, words, footer), time: time)
    }

    private var brand: Brand { provider?.brand ?? Brand() }

    private var product: String {
        if !brand.productName.isEmpty { return brand.productName }
        return provider?.name ?? settings.productName
    }

    private var sender: String { brand.mailSenderName.isEmpty ? product : brand.mailSenderName }

    private struct Words {
        var subject: String
        var text: String
        var link: (label: String, url: String)?
    }

    private var words: Words {
        switch letter.kind {
        case .signUp:
            Words(
                subject: "Confirm your address for \(product)",
                text: "follow this link to confirm your address and to finish signing up. It works once, until \(expiry).",
                link: ("Finish signing up", link("sign-up")))
        case .alreadyRegistered:
            Words(
                subject: "You have an account at \(product)",
                text: "somebody, perhaps you, wants to sign up with this address. It has an account already: log in, or ask for a new "
                    + "password if you have forgotten yours. If it was not you, nothing has to be done.",
                link: ("Log in", base + "/log-in"))
        case .passwordReset:
            Words(
                subject: "A new password for \(product)",
                text: "follow this link to set a new password. It works once, until \(expiry). If you have not asked for it, nothing has to "
                    + "be done: your password stays as it is.",
                link: ("Set a new password", link("set-password")))
        case .invitation:
            Words(
                subject: "You are invited to \(product)",
                text: "an account has been made for you. Follow this link to set your password. It works once, until \(expiry).",
                link: ("Set your password", link("set-password")))
        case .passwordChanged, .UNRECOGNIZED:
            Words(
                subject: "Your password for \(product) was changed",
                text: "your password was changed, and all your sessions were ended. If it was not you, ask for a new password at once.",
                link: ("Ask for a new password", base + "/forgotten-password"))
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

    private func html(_ greeting: String, _ words: Words, _ footer: String) -> String {
        let main = Self.color(brand.primaryColor) ?? "#1f4e79"
        let accent = Self.color(brand.secondaryColor) ?? "#f3f5f7"
        var body = "<p>\(Self.escaped(greeting))</p><p>\(Self.escaped(words.text))</p>"
        if let link = words.link {
            body += "<p><a style=\"background:\(main);color:#fff;padding:10px 16px;text-decoration:none;border-radius:4px\" "
                + "href=\"\(Self.escaped(link.url))\">\(Self.escaped(link.label))</a></p><p>\(Self.escaped(link.url))</p>"
        }
        let logo =
            brand.logoURL.hasPrefix("https://")
            ? "<img src=\"\(Self.escaped(brand.logoURL))\" alt=\"\(Self.escaped(product))\" height=\"40\">" : "<b>\(Self.escaped(product))</b>"
        return "<!doctype html><html><body style=\"font-family:sans-serif;background:\(accent)\"><div style=\"border-top:4px solid \(main);"
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
