internal import Primitives

/// One `a=crypto` line: an SRTP key as SDES carries it (RFC 4568 §9.1).
///
/// Holds key material: never to be logged. `description` is for the peer alone.
package struct SDPCrypto: Hashable, Sendable {
    package enum Suite: String, Hashable, Sendable, CaseIterable {
        case aesCM128HMACSHA1_80 = "AES_CM_128_HMAC_SHA1_80"
        case aesCM128HMACSHA1_32 = "AES_CM_128_HMAC_SHA1_32"

        /// Master key and master salt together (RFC 4568 §6.2).
        package var keyLength: Int { 30 }
    }
    package var tag: UInt32
    package var suite: Suite
    /// Master key, then master salt.
    package var key: [UInt8]

    package init(tag: UInt32, suite: Suite, key: [UInt8]) {
        self.tag = tag
        self.suite = suite
        self.key = key
    }
}

extension SDPCrypto: CustomStringConvertible {
    /// The value after `crypto:`. nil for a suite that we do not have, a key of another length, more than one
    /// key, a master key index, and session parameters that would change the packets (§6.3): such a line
    /// must be passed over, not half understood.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count >= 3, let tag = UInt32(parts[0]), tag <= 999_999_999, parts[0].utf8.allSatisfy(\.isDigit),
            let suite = Suite(rawValue: String(parts[1])), parts[2].hasPrefix("inline:"), !parts[2].contains(";")
        else { return nil }
        for parameter in parts[3...] {
            // Only a hint to the sender's replay window changes nothing for us.
            guard parameter.hasPrefix("WSH=") else { return nil }
        }
        let fields = parts[2].dropFirst("inline:".count).split(separator: "|", omittingEmptySubsequences: false)
        guard let encoded = fields.first, fields.count <= 2, let key = decodeBase64(encoded), key.count == suite.keyLength
        else { return nil }
        // A lifetime may follow; a field with a colon would be a master key index.
        if fields.count == 2, fields[1].contains(":") { return nil }
        self.init(tag: tag, suite: suite, key: key)
    }

    package var description: String { "\(tag) \(suite.rawValue) inline:\(encodeBase64(key))" }
}

private let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

private func encodeBase64(_ bytes: [UInt8]) -> String {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        var word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
        word <<= 8
        for position in 0..<4 {
            if position <= group.count {
                result.append(base64Digits[Int(word >> 26)])
                word <<= 6
            } else {
                result.append(ASCII.equals)
            }
        }
    }
    return String(decoding: result, as: UTF8.self)
}

/// With or without padding; nil for any other character.
private func decodeBase64(_ text: Substring) -> [UInt8]? {
    let digits = text.utf8.prefix { $0 != ASCII.equals }
    let padding = text.utf8.dropFirst(digits.count)
    guard padding.count <= 2, padding.allSatisfy({ $0 == ASCII.equals }), digits.count % 4 != 1 else { return nil }
    var result: [UInt8] = []
    var word: UInt32 = 0
    var bits = 0
    for digit in digits {
        let value: UInt8
        switch digit {
        case 0x41...0x5A: value = digit - 0x41
        case 0x61...0x7A: value = digit - 0x61 + 26
        case 0x30...0x39: value = digit - 0x30 + 52
        case 0x2B: value = 62
        case 0x2F: value = 63
        default: return nil
        }
        word = word << 6 | UInt32(value)
        bits += 6
        if bits >= 8 {
            bits -= 8
            result.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
        }
    }
    return result
}
