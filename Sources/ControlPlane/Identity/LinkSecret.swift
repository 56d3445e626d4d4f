package import Model
import OpenSSL
import Primitives

/// What a link in a mail ends with: the letter's id, and 16 bytes that only the platform's key makes of it. So nothing that opens
/// anything has to be stored, and whoever reads the log cannot follow a link.
package struct LinkSecret: Sendable {
    private let key: [UInt8]

    /// - Parameter vault: of the platform.
    package init(_ vault: Vault) { key = vault.derivedKey("links in mail") }

    package func text(of letter: LetterID) -> String { hex(letter.value.bytes + code(of: letter)) }

    /// nil: it was not made here.
    package func letter(_ text: String) -> LetterID? {
        guard text.utf8.count == 64, let bytes = bytes(hex: text), let id = UUIDv7(bytes: bytes[..<16]) else { return nil }
        let letter = LetterID(id)
        return constantTimeEquals(Array(bytes[16...]), code(of: letter)) ? letter : nil
    }

    private func code(of letter: LetterID) -> [UInt8] { Array(MAC.sha256(letter.value.bytes, key: key).prefix(16)) }
}
