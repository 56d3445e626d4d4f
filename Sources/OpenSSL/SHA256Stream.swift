internal import COpenSSL

/// SHA-256 of bytes that come in pieces, such as those of a file.
@safe public struct SHA256Stream: ~Copyable {
    private let context: OpaquePointer

    public init() {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL has no SHA-256")
        }
        unsafe self.context = unsafe context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: RawSpan) {
        let status = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(status == 1, "EVP_DigestUpdate failed")
    }

    public consuming func finish() -> SHA256Digest {
        var digest = SHA256Digest.zero
        var span = digest.storage.mutableSpan
        let status = unsafe span.withUnsafeMutableBytes { unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil) }
        precondition(status == 1, "EVP_DigestFinal_ex failed")
        return digest
    }
}
