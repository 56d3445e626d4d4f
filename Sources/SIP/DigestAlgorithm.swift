internal import OpenSSL
internal import Primitives

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
    ) -> String {
        let ha2 = hex(hash(Array("\(method):\(uri)".utf8)))
        let middle = count.map { "\(nonce):\($0.nc):\($0.cnonce):\($0.qop)" } ?? nonce
        return hex(hash(Array("\(hex(ha1)):\(middle):\(ha2)".utf8)))
    }
}
