internal import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) with a 12-byte nonce and a 16-byte tag behind the ciphertext.
public struct Sealer: Sendable {
    public static let keyBytes = 32
    public static let nonceBytes = 12
    public static let tagBytes = 16
    private let key: [UInt8]

    /// - Parameter key: 32 bytes.
    public init(key: [UInt8]) {
        precondition(key.count == Self.keyBytes, "AES-256 needs a key of 32 bytes")
        self.key = key
    }

    /// Ciphertext and tag. A nonce must never be used twice with one key.
    public func seal(_ plain: [UInt8], nonce: [UInt8], associatedData: [UInt8]) -> [UInt8] {
        precondition(nonce.count == Self.nonceBytes, "GCM needs a nonce of 12 bytes")
        guard let context = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("out of memory") }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var status = unsafe EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce)
        var count: Int32 = 0
        status &= unsafe EVP_EncryptUpdate(context, nil, &count, associatedData, Int32(associatedData.count))
        var out = [UInt8](repeating: 0, count: plain.count + Self.tagBytes)
        status &= unsafe EVP_EncryptUpdate(context, &out, &count, plain, Int32(plain.count))
        var tag = [UInt8](repeating: 0, count: Self.tagBytes)
        status &= unsafe EVP_EncryptFinal_ex(context, &tag, &count)
        status &= unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagBytes), &tag)
        precondition(status == 1, "AES-256-GCM failed")
        out.replaceSubrange(plain.count..., with: tag)
        return out
    }

    /// nil when the bytes were not sealed with this key, nonce and associated data.
    public func open(_ sealed: [UInt8], nonce: [UInt8], associatedData: [UInt8]) -> [UInt8]? {
        guard sealed.count >= Self.tagBytes, nonce.count == Self.nonceBytes,
            let context = unsafe EVP_CIPHER_CTX_new()
        else { return nil }
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        let size = sealed.count - Self.tagBytes
        var tag = Array(sealed[size...])
        var plain = [UInt8](repeating: 0, count: size + Self.tagBytes)
        var count: Int32 = 0
        var status = unsafe EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce)
        status &= unsafe EVP_DecryptUpdate(context, nil, &count, associatedData, Int32(associatedData.count))
        status &= unsafe EVP_DecryptUpdate(context, &plain, &count, sealed, Int32(size))
        status &= unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagBytes), &tag)
        guard status == 1 else { return nil }
        var rest = [UInt8](repeating: 0, count: Self.tagBytes)
        guard unsafe EVP_DecryptFinal_ex(context, &rest, &count) == 1 else { return nil }
        return Array(plain[..<size])
    }
}
