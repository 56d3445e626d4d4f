internal import COpenSSL

/// SHA-256 over bytes that come in parts: for files.
@safe public struct StreamingSHA256: ~Copyable {
    private let context: OpaquePointer

    public init() {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL has no SHA-256")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        let status = unsafe EVP_DigestUpdate(context, bytes, bytes.count)
        precondition(status == 1, "EVP_DigestUpdate failed")
    }

    /// The digest; the next bytes begin another one.
    public mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = unsafe EVP_DigestFinal_ex(context, &digest, nil) == 1 && EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
        precondition(status, "EVP_DigestFinal_ex failed")
        return digest
    }
}
