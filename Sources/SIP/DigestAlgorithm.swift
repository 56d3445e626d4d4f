internal import OpenSSL

/// The hash of a digest (RFC 7616 §3.2). Session variants are not offered.
package enum DigestAlgorithm: String, Hashable, Sendable, CaseIterable {
    case sha256 = "SHA-256"
    case md5 = "MD5"

    func hash(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .sha256: Hash.sha256(bytes)
        case .md5: Hash.md5(bytes)
        }
    }

    /// H(username ":" realm ":" password), all that a server needs to keep: 32 or 16 bytes. As secret as a password.
    package func ha1(username: String, realm: String, password: String) -> [UInt8] {
        hash(Array("\(username):\(realm):\(password)".utf8))
    }

    /// The request-digest of RFC 7616 §3.4.1, lower-case hexadecimal; without `count` the older form of RFC 2069.
    func response(
        ha1: [UInt8], nonce: String, count: (nc: String, cnonce: String, qop: String)?, method: Method, uri: String
    ) -> [UInt8] {
        var text = hexadecimal(ha1)
        text.append(ASCII.colon)
        text += nonce.utf8
        if let count {
            text += ":\(count.nc):\(count.cnonce):\(count.qop)".utf8
        }
        text.append(ASCII.colon)
        text += hexadecimal(hash(Array("\(method):\(uri)".utf8)))
        return hexadecimal(hash(text))
    }
}

/// Lower-case digits as bytes, ready to be hashed again.
func hexadecimal(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var digits: [UInt8] = []
    digits.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        digits.append(digit(byte >> 4))
        digits.append(digit(byte & 0x0F))
    }
    return digits

    func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
}
