internal import COpenSSL

/// AES-256-GCM for many small parts, each under a key that is used once: contexts and algorithms are fetched once, which is
/// most of the cost of a part.
///
/// The key of a part is made of its subject's key and a random salt by the one-step derivation of NIST SP 800-56C with
/// SHA-256: `SHA-256(00000001 ‖ key ‖ salt)`. As no such key is used twice, the nonce is all zeros; and a single part can be
/// shown to somebody by handing over its key, without the subject's.
@safe public struct PartCipher: ~Copyable {
    public static let saltBytes = 12
    public static let tagBytes = 16
    private let encryption: OpaquePointer
    private let decryption: OpaquePointer
    private let cipher: OpaquePointer
    private let hasher = SHA256Hasher()
    private static let nonce = [UInt8](repeating: 0, count: 12)

    public init() {
        guard let encryption = unsafe EVP_CIPHER_CTX_new(), let decryption = unsafe EVP_CIPHER_CTX_new(),
            let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil),
            unsafe EVP_EncryptInit_ex2(encryption, cipher, nil, nil, nil) == 1,
            unsafe EVP_DecryptInit_ex2(decryption, cipher, nil, nil, nil) == 1
        else { preconditionFailure("OpenSSL has no AES-256-GCM") }
        unsafe (self.encryption, self.decryption, self.cipher) = unsafe (encryption, decryption, cipher)
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(encryption)
        unsafe EVP_CIPHER_CTX_free(decryption)
        unsafe EVP_CIPHER_free(cipher)
    }

    /// The key of one part.
    public func partKey(_ subject: SHA256Digest, salt: ArraySlice<UInt8>) -> SHA256Digest {
        var input: [UInt8] = [0, 0, 0, 1]
        input.reserveCapacity(48)
        for index in 0..<32 { input.append(subject.storage[index]) }
        input += salt
        return unsafe hasher.hash(input.span.bytes)
    }

    /// Ciphertext and tag behind what `out` holds.
    public func seal(
        _ plain: [UInt8], key: SHA256Digest, associatedData: [UInt8], into out: inout [UInt8]
    ) {
        var count: Int32 = 0
        var status = unsafe key.storage.span.bytes.withUnsafeBytes { key in
            unsafe EVP_EncryptInit_ex2(
                encryption, nil, key.baseAddress?.assumingMemoryBound(to: UInt8.self), Self.nonce, nil)
        }
        status &= unsafe EVP_EncryptUpdate(encryption, nil, &count, associatedData, Int32(associatedData.count))
        let start = out.count
        out += [UInt8](repeating: 0, count: plain.count + Self.tagBytes)
        status &= unsafe out.withUnsafeMutableBufferPointer { out in
            let body = unsafe out.baseAddress! + start
            let tag = unsafe body + plain.count
            var status = unsafe EVP_EncryptUpdate(encryption, body, &count, plain, Int32(plain.count))
            status &= unsafe EVP_EncryptFinal_ex(encryption, tag, &count)
            return unsafe status
                & EVP_CIPHER_CTX_ctrl(encryption, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagBytes), tag)
        }
        precondition(status == 1, "AES-256-GCM failed")
    }

    /// nil when the bytes were not sealed with this key and associated data.
    public func open(_ sealed: ArraySlice<UInt8>, key: SHA256Digest, associatedData: [UInt8]) -> [UInt8]? {
        guard sealed.count >= Self.tagBytes else { return nil }
        let size = sealed.count - Self.tagBytes
        var count: Int32 = 0
        var status = unsafe key.storage.span.bytes.withUnsafeBytes { key in
            unsafe EVP_DecryptInit_ex2(
                decryption, nil, key.baseAddress?.assumingMemoryBound(to: UInt8.self), Self.nonce, nil)
        }
        status &= unsafe EVP_DecryptUpdate(decryption, nil, &count, associatedData, Int32(associatedData.count))
        var plain = [UInt8](repeating: 0, count: size)
        var tag = Array(sealed.suffix(Self.tagBytes))
        status &= unsafe sealed.withUnsafeBufferPointer { input in
            unsafe EVP_DecryptUpdate(decryption, &plain, &count, input.baseAddress, Int32(size))
        }
        status &= unsafe EVP_CIPHER_CTX_ctrl(decryption, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagBytes), &tag)
        var rest = [UInt8](repeating: 0, count: Self.tagBytes)
        guard status == 1, unsafe EVP_DecryptFinal_ex(decryption, &rest, &count) == 1 else { return nil }
        return plain
    }
}
