internal import COpenSSL

/// The certificate by which our side of DTLS is known (RFC 5763 §5): self-signed, made anew for each process and kept in memory, because
/// peers believe the fingerprint that signalling gave them and no authority.
@safe public final class DTLSIdentity: Sendable {
    /// What SRTP can be keyed for, most wanted first (RFC 5764 §4.1.2, RFC 7714 §14.2).
    static let profiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_32"

    nonisolated(unsafe) let context: OpaquePointer
    /// SHA-256 of the certificate.
    public let fingerprint: [UInt8]

    public init() throws(TLSError) {
        guard let key = unsafe DTLSIdentity.makeKey() else { throw .failed(reason: takeReason()) }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe DTLSIdentity.makeCertificate(key) else { throw .failed(reason: takeReason()) }
        defer { unsafe X509_free(certificate) }
        guard let fingerprint = unsafe certificateDigest(certificate, .sha256), let context = unsafe SSL_CTX_new(DTLS_method()) else {
            throw .failed(reason: takeReason())
        }
        // Macros in C, so they are spelled out; anything older than DTLS 1.2 is not offered.
        _ = unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(DTLS1_2_VERSION), nil)
        _ = unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
        _ = unsafe SSL_CTX_set_options(
            context, DTLSIdentity.noQueryMTU | DTLSIdentity.noTicket | DTLSIdentity.noRenegotiation | DTLSIdentity.serverPreference)
        // The peer must show a certificate; which one is compared with what signalling said, once the handshake is done.
        let any: @convention(c) (Int32, OpaquePointer?) -> Int32 = { _, _ in 1 }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any)
        unsafe DTLSSession.setCookies(of: context)
        guard unsafe SSL_CTX_use_certificate(context, certificate) == 1, unsafe SSL_CTX_use_PrivateKey(context, key) == 1,
            // 0 is success here alone.
            unsafe SSL_CTX_set_tlsext_use_srtp(context, DTLSIdentity.profiles) == 0
        else {
            unsafe SSL_CTX_free(context)
            throw .failed(reason: takeReason())
        }
        unsafe self.context = unsafe context
        self.fingerprint = fingerprint
    }

    deinit { unsafe SSL_CTX_free(context) }

    private static func makeKey() -> OpaquePointer? {
        guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1
        else { return nil }
        return unsafe key
    }

    private static func makeCertificate(_ key: OpaquePointer) -> OpaquePointer? {
        guard let certificate = unsafe X509_new() else { return nil }
        var serial = [UInt8](repeating: 0, count: 8)
        guard unsafe RAND_bytes(&serial, 8) == 1 else { return nil }
        let number = serial.reduce(Int64(0)) { ($0 << 8 | Int64($1)) & Int64.max }
        let name = unsafe X509_get_subject_name(certificate)
        let ascii = Int32(0x1001)  // MBSTRING_ASC
        let day = 86_400
        // Nobody looks at the time: it spans whatever a process lives, and clocks that are wrong.
        let isMade =
            unsafe X509_set_version(certificate, 2) == 1 && ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate), number) == 1
            && X509_gmtime_adj(X509_getm_notBefore(certificate), -day * 30) != nil
            && X509_gmtime_adj(X509_getm_notAfter(certificate), day * 3_650) != nil && X509_set_pubkey(certificate, key) == 1
            && X509_NAME_add_entry_by_txt(name, "CN", ascii, "ledgerline", -1, -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1 && X509_sign(certificate, key, EVP_sha256()) > 0
        guard isMade else {
            unsafe X509_free(certificate)
            return nil
        }
        return unsafe certificate
    }

    private static let noQueryMTU: UInt64 = 1 << 12
    private static let noTicket: UInt64 = 1 << 14
    private static let serverPreference: UInt64 = 1 << 22
    private static let noRenegotiation: UInt64 = 1 << 30
}

/// Digests in which a session description may give the fingerprint of a certificate (RFC 8122 §5); MD2 and MD5 are not among them.
public enum FingerprintHash: String, CaseIterable, Hashable, Sendable {
    case sha1 = "sha-1"
    case sha224 = "sha-224"
    case sha256 = "sha-256"
    case sha384 = "sha-384"
    case sha512 = "sha-512"

    public var byteCount: Int {
        switch self {
        case .sha1: 20
        case .sha224: 28
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    fileprivate var algorithm: OpaquePointer? {
        switch self {
        case .sha1: unsafe EVP_sha1()
        case .sha224: unsafe EVP_sha224()
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        }
    }
}

func certificateDigest(_ certificate: OpaquePointer, _ hash: FingerprintHash) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: hash.byteCount)
    var count: UInt32 = 0
    guard unsafe X509_digest(certificate, hash.algorithm, &bytes, &count) == 1, Int(count) == bytes.count else { return nil }
    return bytes
}
