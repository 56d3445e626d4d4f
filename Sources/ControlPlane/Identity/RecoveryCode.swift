package import Foundation
import OpenSSL
package import Primitives

/// A word that lets in once, for whoever has lost the phone with the codes. Only hashes are kept, of 49 random bits each.
package enum RecoveryCode {
    package static let count = 10
    private static let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789".utf8)

    package static func make(_ random: inout RandomSource) -> [String] {
        (0..<count).map { _ in
            let letters = (0..<10).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
            return String(decoding: letters[..<5] + [0x2D] + letters[5...], as: UTF8.self)
        }
    }

    /// Of what somebody types: spaces, hyphens and capitals make no difference.
    package static func hash(_ text: String) -> Data {
        Data(Hash.sha256(Array("recovery\0".utf8) + text.lowercased().utf8.filter { $0 != 0x2D && $0 != 0x20 }))
    }
}
