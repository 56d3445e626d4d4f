internal import OpenSSL

/// The hash of a digest (RFC 7616 §3.2). Session variants are not offered.
package enum DigestAlgorithm: String, Hashable, Sendable, CaseIterable {
    case sha256 = "SHA-256"
    case md5 = "MD5"

    /// By the name in a header, which may be left out (RFC 7616 §3.3); nil: one that we do not have.
    init?(named name: String?) {
        guard let name else { self = .md5; return }
        guard let known = Self.allCases.first(where: { $0.rawValue.equalsIgnoringCase(name) }) else { return nil }
        self = known
    }

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
        var asked = TextWriter(capacity: 128)
        asked += method.description
        asked += ":"
        asked += uri
        var text = TextWriter(capacity: 256)
        text += hexadecimal(ha1)
        text += ":"
        text += nonce
        if let count {
            text += ":"
            text += count.nc
            text += ":"
            text += count.cnonce
            text += ":"
            text += count.qop
        }
        text += ":"
        text += hexadecimal(hash(asked.bytes))
        return hexadecimal(hash(text.bytes))
    }
}

/// Lower-case digits as bytes, ready to be hashed again.
func hexadecimal(_ bytes: some Collection<UInt8>) -> [UInt8] {
    let size = bytes.count * 2
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { digits, written in
        for byte in bytes {
            guard written + 2 <= size else { break }
            unsafe digits[written] = digit(byte >> 4)
            unsafe digits[written + 1] = digit(byte & 0x0F)
            written += 2
        }
    }

    func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
}
