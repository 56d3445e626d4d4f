internal import OpenSSL

/// One `a=crypto` line: an SRTP key as SDES carries it (RFC 4568 §9.1).
///
/// Holds key material: never to be logged. `description` is for the peer alone.
package struct SDPCrypto: Hashable, Sendable {
    package enum Suite: String, Hashable, Sendable, CaseIterable {
        case aesCM128HMACSHA1_80 = "AES_CM_128_HMAC_SHA1_80"
        case aesCM128HMACSHA1_32 = "AES_CM_128_HMAC_SHA1_32"
        case aes256CMHMACSHA1_80 = "AES_256_CM_HMAC_SHA1_80"
        case aes256CMHMACSHA1_32 = "AES_256_CM_HMAC_SHA1_32"
        case aeadAES128GCM = "AEAD_AES_128_GCM"
        case aeadAES256GCM = "AEAD_AES_256_GCM"

        /// Master key and master salt together (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.2).
        package var keyLength: Int {
            switch self {
            case .aesCM128HMACSHA1_80, .aesCM128HMACSHA1_32: 30
            case .aes256CMHMACSHA1_80, .aes256CMHMACSHA1_32: 46
            case .aeadAES128GCM: 28
            case .aeadAES256GCM: 44
            }
        }
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
        guard let encoded = fields.first, fields.count <= 2, let key = Base64.decode(padded(encoded)),
            key.count == suite.keyLength
        else { return nil }
        // A lifetime may follow; a field with a colon would be a master key index.
        if fields.count == 2, fields[1].contains(":") { return nil }
        self.init(tag: tag, suite: suite, key: key)
    }

    package var description: String { "\(tag) \(suite.rawValue) inline:\(Base64.encode(key))" }
}

/// Some phones leave the padding of a key of 28, 44 or 46 bytes out.
private func padded(_ text: Substring) -> String { String(text) + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4) }
