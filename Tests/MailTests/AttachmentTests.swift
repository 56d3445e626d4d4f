import OpenSSL
import Primitives
import Testing

@testable import Mail

@Test func filesStandBehindBothBodies() throws {
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
    let message = MailMessage(
        id: "0190.letter", domain: "mail.example", from: "noreply@mail.example", senderName: "Kages", to: "anna@example.net", language: "pt-BR",
        subject: "Fatura", plain: "Olá", html: "<p>Olá</p>", time: WallTime(microseconds: 1_700_000_000_000_000),
        attachments: [
            MailMessage.Attachment(name: "K-1\r\n\"é.pdf", mediaType: "application/pdf", bytes: bytes),
            MailMessage.Attachment(name: "K-1.xml", mediaType: "application/xml", bytes: Array("<a/>".utf8)),
        ])
    let text = message.text
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    #expect(lines.contains("Content-Language: pt-BR"))
    #expect(lines.contains("Content-Type: multipart/mixed; boundary=\"=_0190letter-all\""))
    #expect(lines.contains("Content-Disposition: attachment; filename=\"K-1---.pdf\""))
    #expect(lines.contains("Content-Type: application/xml; name=\"K-1.xml\""))
    #expect(lines.filter { $0.hasPrefix("--") }.map(String.init) == [
        "--=_0190letter-all", "--=_0190letter", "--=_0190letter", "--=_0190letter--", "--=_0190letter-all", "--=_0190letter-all", "--=_0190letter-all--",
    ])
    #expect(lines.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 0x80 } })
    let start = try #require(lines.firstIndex(of: "Content-Disposition: attachment; filename=\"K-1---.pdf\"")) + 3
    let end = try #require(lines[start...].firstIndex { $0.hasPrefix("--") })
    #expect(Base64.decode(lines[start..<end].joined()) == bytes)
}
