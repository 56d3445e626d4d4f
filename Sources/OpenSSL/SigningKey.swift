internal import COpenSSL

/// An Ed25519 private key (RFC 8032), kept as its 32-byte seed.
public struct SigningKey: Sendable {
    public static let byteCount = 32
    /// Secret: goes into a file of mode 0600 and nowhere else.
    public let seed: [UInt8]
    public let verifyingKey: VerifyingKey

    /// nil unless there are exactly 32 bytes.
    public init?(seed: [UInt8]) {
        guard seed.count == Self.byteCount,
            let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
        else { return nil }
        defer { unsafe EVP_PKEY_free(key) }
        var publicKey = [UInt8](repeating: 0, count: 32)
        var count = publicKey.count
        guard unsafe EVP_PKEY_get_raw_public_key(key, &publicKey, &count) == 1,
            let verifying = VerifyingKey(bytes: publicKey)
        else { return nil }
        self.seed = seed
        verifyingKey = verifying
    }

    /// 64 bytes.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        guard let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count),
            let context = unsafe EVP_MD_CTX_new()
        else { preconditionFailure("out of memory") }
        defer {
            unsafe EVP_MD_CTX_free(context)
            unsafe EVP_PKEY_free(key)
        }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        let status = unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1
            && EVP_DigestSign(context, &signature, &count, message, message.count) == 1
        precondition(status, "Ed25519 signing failed")
        return signature
    }
}

/// An Ed25519 public key.
public struct VerifyingKey: Hashable, Sendable {
    public let bytes: [UInt8]

    /// nil unless there are exactly 32 bytes that OpenSSL takes for a key.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32, let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
        else { return nil }
        unsafe EVP_PKEY_free(key)
        self.bytes = bytes
    }

    public func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count),
            let context = unsafe EVP_MD_CTX_new()
        else { return false }
        defer {
            unsafe EVP_MD_CTX_free(context)
            unsafe EVP_PKEY_free(key)
        }
        return unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
