import OpenSSL
import Primitives
import Testing

@testable import Mail

private func message(subject: String = "Hello", sender: String = "Kages") -> MailMessage {
    MailMessage(
        id: "0190.letter", domain: "mail.example", from: "noreply@mail.example", senderName: sender, to: "anna@example.net",
        replyTo: "help@kages.example", subject: subject, plain: "Grüß Gott", html: "<p>Grüß Gott</p>",
        time: WallTime(microseconds: 1_700_000_000_000_000))
}

@Test func aMessageIsWhatTheRFCsSay() throws {
    let text = message().text
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    #expect(lines.contains("From: Kages <noreply@mail.example>"))
    #expect(lines.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000"))
    #expect(lines.contains("Message-ID: <0190.letter@mail.example>"))
    #expect(lines.contains("Reply-To: <help@kages.example>"))
    #expect(lines.contains(Substring(Base64.encode(Array("Grüß Gott".utf8)))))
    #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 0x80 } })
    #expect(!text.replacing("\r\n", with: "").contains(where: { $0 == "\r" || $0 == "\n" }))
}

@Test func whatIsNoPlainTextIsEncodedAndBeginsNoOtherHeader() {
    #expect(MailMessage.word("Kages Telecom") == "Kages Telecom")
    #expect(MailMessage.word("Müller") == "=?utf-8?B?TcO8bGxlcg==?=")
    #expect(MailMessage.word("a\"b").hasPrefix("=?utf-8?B?"))
    for word in MailMessage.word(String(repeating: "é€🎉", count: 40)).split(separator: " ") { #expect(word.utf8.count <= 75) }
    let text = message(subject: "x\r\nBcc: y@example.net", sender: "K\nBcc: z@example.net").text
    #expect(!text.contains("\r\nBcc:") && !text.contains("\nBcc"))
}

@Test func whatAServerIsToldAndWhatItSaysIsNoSecret() {
    let server = MailServer(host: "::1", port: 25, encryption: .none, from: "a@b.example", user: "u", password: "geheim")
    #expect("\(server)" == "smtp://[::1]:25 as u")
    #expect(!String(reflecting: server).contains("geheim"))
    #expect(MailError.refused(code: 550).isFinal)
    #expect(!MailError.refused(code: 451).isFinal)
    #expect(!MailError.refused(code: 530).isFinal)
    #expect(!MailError.noLogin.isFinal)
}
