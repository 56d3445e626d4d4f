import Ledger
import OpenSSL

/// A C2SP signed note over a pack: the text, an empty line, and one line with the key's name, its id and the signature.
enum PackSignature {
    static func sign(_ body: String, name: String, _ key: SigningKey) -> String {
        body + "\n\u{2014} \(name) \(Base64.encode(keyID(name, key.verifyingKey) + key.sign(Array(body.utf8))))\n"
    }

    static func check(_ note: String, is body: String, name: String, _ key: VerifyingKey) throws(Contradiction) {
        guard note.hasPrefix(body + "\n\u{2014} ") else {
            throw Contradiction("the signature is over another pack: something that the operator signed was changed")
        }
        let fields = note.dropFirst(body.count + 1).split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 3, fields[0] == "\u{2014}", fields[1] == name, fields[2].hasSuffix("\n"), let bytes = Base64.decode(fields[2].dropLast()), bytes.count > 4 else {
            throw Contradiction("the pack's signature is not a signed note")
        }
        guard Array(bytes[..<4]) == keyID(name, key), key.isValid(Array(bytes[4...]), of: Array(body.utf8)) else {
            throw Contradiction("the pack's signature is not of the log's key")
        }
    }

    /// As C2SP signed-note makes it of name and Ed25519 key.
    private static func keyID(_ name: String, _ key: VerifyingKey) -> [UInt8] {
        Array(Hash.sha256(Array(name.utf8) + [0x0A, 0x01] + key.bytes)[..<4])
    }
}
