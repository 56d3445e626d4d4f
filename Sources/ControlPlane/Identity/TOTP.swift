import OpenSSL
package import Primitives

/// One-time codes of six digits, a new one every 30 seconds (RFC 6238 with HMAC-SHA-1, which is what apps know).
package struct TOTP: Sendable {
    package static let stepSeconds: Int64 = 30
    /// A phone's clock may be off by so many steps in either direction (RFC 6238 §5.2).
    package static let drift: Int64 = 1
    package static let keyBytes = 20

    package let key: [UInt8]
    package let digits: Int

    package init(key: [UInt8], digits: Int = 6) {
        self.key = key
        self.digits = digits
    }

    package static func step(at time: WallTime) -> UInt64 {
        UInt64(max(0, time.microseconds / 1_000_000 / stepSeconds))
    }

    /// RFC 4226 §5.3.
    package func code(step: UInt64) -> String {
        let digest = MAC.sha1((0..<8).map { UInt8(truncatingIfNeeded: step >> UInt64(56 - $0 * 8)) }, key: key)
        let offset = Int(digest[19] & 0x0F)
        let word = digest[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        var modulus: UInt32 = 1
        for _ in 0..<digits { modulus *= 10 }
        let text = String(word % modulus)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// The step that the code is of, if it is near the time and behind the last one that was accepted; nil: it is not accepted.
    package func step(of code: String, at time: WallTime, after last: UInt64) -> UInt64? {
        let now = Int64(Self.step(at: time))
        var found: UInt64?
        for step in max(0, now - Self.drift)...(now + Self.drift) where step > 0 {
            // All are computed and compared, so that the time tells nothing.
            let isSame = constantTimeEquals(Array(self.code(step: UInt64(step)).utf8), Array(code.utf8))
            if isSame, UInt64(step) > last { found = UInt64(step) }
        }
        return found
    }

    /// What an app reads from a picture.
    package func uri(issuer: String, account: String) -> String {
        "otpauth://totp/\(Self.escaped(issuer)):\(Self.escaped(account))?secret=\(Base32.encode(key))&issuer=\(Self.escaped(issuer))"
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            return isPlain || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte) ? String(UnicodeScalar(byte)) : "%" + hex([byte]).uppercased()
        }.joined()
    }
}

/// RFC 4648 §6, without padding.
package enum Base32 {
    package static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var out: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xFFFF
            count += 8
            while count >= 5 {
                out.append(alphabet[bits >> (count - 5) & 31])
                count -= 5
            }
        }
        if count > 0 { out.append(alphabet[bits << (5 - count) & 31]) }
        return String(decoding: out, as: UTF8.self)
    }
}
