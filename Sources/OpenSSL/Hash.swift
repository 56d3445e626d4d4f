internal import COpenSSL

/// One-shot digests, for places where a digest is rare. For many in a row see `SHA256Hasher`.
public enum Hash {
    /// 16 bytes. For digest authentication alone (RFC 2617); MD5 protects nothing.
    public static func md5(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(bytes, fetchedMD5, count: 16) }

    /// 20 bytes. For the handshake of WebSocket alone (RFC 6455 §1.3), where it need not resist anybody.
    public static func sha1(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(bytes, fetchedSHA1, count: 20) }

    /// 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(bytes, fetchedSHA256, count: 32) }

    /// HMAC with SHA-256 (RFC 2104), 32 bytes. For many with one key see `HMACKey`.
    public static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] { HMACKey(key).sign(bytes) }

    /// A key as HMAC with SHA-256 needs it, made ready once.
    public struct HMACKey: Sendable {
        private var inner = [UInt8](repeating: 0x36, count: 64)
        private var outer = [UInt8](repeating: 0x5C, count: 64)

        public init(_ key: [UInt8]) {
            let short = key.count > 64 ? sha256(key) : key
            for index in short.indices {
                inner[index] ^= short[index]
                outer[index] ^= short[index]
            }
        }

        /// 32 bytes.
        public func sign(_ bytes: [UInt8]) -> [UInt8] { sha256(outer + sha256(inner + bytes)) }
    }

    // Fetched once: what `EVP_md5()` and the like name is looked up among the providers at every digest, which costs more than the
    // digest of a short text. They are never freed, and OpenSSL counts their users under a lock of its own.
    nonisolated(unsafe) private static let fetchedMD5 = unsafe EVP_MD_fetch(nil, "MD5", nil)
    nonisolated(unsafe) private static let fetchedSHA1 = unsafe EVP_MD_fetch(nil, "SHA1", nil)
    nonisolated(unsafe) private static let fetchedSHA256 = unsafe EVP_MD_fetch(nil, "SHA256", nil)

    private static func digest(_ bytes: [UInt8], _ algorithm: OpaquePointer?, count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { out, written in
            let status = unsafe bytes.withUnsafeBytes { input in
                unsafe EVP_Digest(input.baseAddress, input.count, out.baseAddress, nil, algorithm, nil)
            }
            // The algorithms are in OpenSSL's default provider; without it nothing of ours works.
            precondition(status == 1, "OpenSSL has no digest algorithms")
            written = count
        }
    }
}

/// Whether both are equal, in a time that depends on the lengths alone.
public func constantTimeEquals(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return unsafe CRYPTO_memcmp(a, b, a.count) == 0
}
