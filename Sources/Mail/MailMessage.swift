internal import OpenSSL
package import Primitives

/// A message with a plain and an HTML body, and files beside them, ready for SMTP (RFC 5322, RFC 2045, RFC 2047).
package struct MailMessage: Equatable, Sendable {
    package struct Attachment: Equatable, Sendable {
        /// Letters, digits, points and hyphens; anything else becomes a hyphen.
        package var name: String
        package var mediaType: String
        package var bytes: [UInt8]

        package init(name: String, mediaType: String, bytes: [UInt8]) {
            (self.name, self.mediaType, self.bytes) = (name, mediaType, bytes)
        }
    }

    /// Unique, and the same at every attempt, so that a message that arrives twice is seen to be one.
    package var id: String
    /// What stands behind the @ of the message's id and of the sender.
    package var domain: String
    package var from: String
    package var senderName: String
    package var to: String
    package var replyTo: String
    /// BCP 47 (RFC 3282).
    package var language: String
    package var subject: String
    package var plain: String
    package var html: String
    package var time: WallTime
    package var attachments: [Attachment]

    package init(
        id: String, domain: String, from: String, senderName: String, to: String, replyTo: String = "", language: String = "", subject: String,
        plain: String, html: String, time: WallTime, attachments: [Attachment] = []
    ) {
        self.id = id
        self.domain = domain
        self.from = from
        self.senderName = senderName
        self.to = to
        self.replyTo = replyTo
        self.language = language
        self.attachments = attachments
        self.subject = subject
        self.plain = plain
        self.html = html
        self.time = time
    }

    /// With CRLF behind each line, and no line longer than 78 bytes but where an address is.
    package var text: String {
        let boundary = "=_\(id.filter { $0.isLetter || $0.isNumber })"
        let outer = boundary + "-all"
        let bodies = "Content-Type: multipart/alternative; boundary=\"\(boundary)\""
        var lines = [
            "From: \(Self.word(senderName)) <\(from)>", "To: <\(to)>", "Subject: \(Self.word(subject))", "Date: \(Self.date(time))",
            "Message-ID: <\(id)@\(domain)>", "MIME-Version: 1.0", "Auto-Submitted: auto-generated",
            attachments.isEmpty ? bodies : "Content-Type: multipart/mixed; boundary=\"\(outer)\"",
        ]
        if !replyTo.isEmpty { lines.append("Reply-To: <\(replyTo)>") }
        if !language.isEmpty { lines.append("Content-Language: \(language)") }
        if !attachments.isEmpty { lines += ["", "--\(outer)", bodies] }
        lines.append("")
        for (type, body) in [("plain", plain), ("html", html)] {
            lines += ["--\(boundary)", "Content-Type: text/\(type); charset=utf-8", "Content-Transfer-Encoding: base64", ""]
            lines += Self.wrapped(Base64.encode(Array(body.utf8)), at: 76)
        }
        lines.append("--\(boundary)--")
        for attachment in attachments {
            let name = String(attachment.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "-" }.prefix(60))
            lines += [
                "--\(outer)", "Content-Type: \(attachment.mediaType); name=\"\(name)\"", "Content-Disposition: attachment; filename=\"\(name)\"",
                "Content-Transfer-Encoding: base64", "",
            ]
            lines += Self.wrapped(Base64.encode(attachment.bytes), at: 76)
        }
        if !attachments.isEmpty { lines.append("--\(outer)--") }
        return lines.map { Self.oneLine($0) + "\r\n" }.joined()
    }

    /// A header's value cannot begin another header.
    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    /// As it is where it is plain ASCII; else as encoded words of at most 75 bytes (RFC 2047 §2).
    static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } && text.utf8.count <= 60
        let isAtoms = text.allSatisfy { $0.isLetter || $0.isNumber || " -'".contains($0) }
        if isPlain, isAtoms { return text }
        var words: [String] = []
        var piece: [UInt8] = []
        for character in text {
            // A character is not cut in two.
            if piece.count + character.utf8.count > 42 {
                words.append("=?utf-8?B?\(Base64.encode(piece))?=")
                piece = []
            }
            piece += Array(character.utf8)
        }
        words.append("=?utf-8?B?\(Base64.encode(piece))?=")
        return words.joined(separator: " ")
    }

    private static func wrapped(_ text: String, at width: Int) -> [String] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: width).map { String(decoding: bytes[$0..<min($0 + width, bytes.count)], as: UTF8.self) }
    }

    /// RFC 5322 §3.3, in UTC.
    static func date(_ time: WallTime) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let (year, month, day) = time.civil
        let second = max(0, time.microseconds / 1_000_000)
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(weekdays[Int(second / 86_400 % 7)]), \(two(day)) \(months[Int(month) - 1]) \(year) "
            + "\(two(second / 3_600 % 24)):\(two(second / 60 % 60)):\(two(second % 60)) +0000"
    }
}
