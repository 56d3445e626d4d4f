import Foundation
import OpenSSL
package import Primitives

/// The text of a voucher: sixteen characters of Crockford's alphabet, 80 bits, in groups of four. The log knows a keyed hash of it,
/// so that neither the log nor a copy of it lets anybody find a code. It prints as nothing else than a mask.
package struct VoucherCode: Sendable {
    /// To be shown once.
    package let text: String

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    private static let characters = 16

    package init(random: inout RandomSource) {
        let letters = random.bytes(Self.characters).map { Self.alphabet[Int($0 & 31)] }
        text = stride(from: 0, to: Self.characters, by: 4).map { String(letters[$0..<$0 + 4]) }.joined(separator: "-")
    }

    /// As somebody typed it: case, hyphens and spaces do not count, and letters that are taken for figures are those figures.
    package init(typed: String) {
        text = String(
            typed.uppercased().compactMap { letter -> Character? in
                switch letter {
                case "-", " ": nil
                case "O": "0"
                case "I", "L": "1"
                default: letter
                }
            })
    }

    /// - Parameter key: derived from the vault's, so that a code is not found by trying hashes.
    func hash(key: [UInt8]) -> Data {
        let letters = text.filter { $0 != "-" }
        return Data(Hash.hmacSHA256(Array(letters.utf8), key: key).prefix(16))
    }
}

extension VoucherCode: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "••••" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
