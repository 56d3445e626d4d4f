internal import COpenSSL

/// HMAC (RFC 2104), for keys and messages that are small and rare.
public enum MAC {
    /// 20 bytes. For one-time codes alone (RFC 4226), whose apps know nothing else.
    public static func sha1(_ message: [UInt8], key: [UInt8]) -> [UInt8] { unsafe code(message, key, EVP_sha1(), count: 20) }

    /// 32 bytes.
    public static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8] { unsafe code(message, key, EVP_sha256(), count: 32) }

    private static func code(_ message: [UInt8], _ key: [UInt8], _ algorithm: OpaquePointer?, count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { out, written in
            var size: UInt32 = 0
            let code = unsafe HMAC(algorithm, key, Int32(key.count), message, message.count, out.baseAddress, &size)
            // Both digests are in OpenSSL's default provider.
            precondition(unsafe code != nil && Int(size) == count, "OpenSSL has no HMAC")
            written = count
        }
    }
}
