internal import COpenSSL

/// One handshake of DTLS 1.2 for SRTP (RFC 5764) without a socket: datagrams go in, datagrams come out, and at the end both sides have keys.
///
/// Nothing but the handshake is carried: media are SRTP under the keys that it makes.
@safe public final class DTLSSession {
    public enum Role: Equatable, Sendable {
        /// We begin.
        case client
        /// The peer begins.
        case server
    }

    /// What the handshake has made.
    public struct Keys: Equatable, Sendable {
        /// The suite by its name in SDP, as `a=crypto` would have it.
        public let suite: String
        /// Master key and salt of what we send.
        public let sending: [UInt8]
        /// Of what the peer sends.
        public let receiving: [UInt8]
    }

    /// No datagram of ours is longer: what every path carries, IPv6 and a tunnel included.
    static let datagramBytesMax = 1_200

    public let role: Role
    private let session: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let identity: DTLSIdentity
    private let cookie: [UInt8]
    /// The handshake is done; who the peer is has still to be compared.
    public private(set) var isDone = false
    /// The peer has said that it ends.
    public private(set) var isFinished = false

    /// - Parameter cookie: for a server whose client's address nobody has checked: what only a client at that address can know. A first
    ///   message without it is answered with it, and with nothing else (RFC 6347 §4.2.1). Empty: the address has been checked.
    public init(_ role: Role, as identity: DTLSIdentity, cookie: [UInt8] = []) throws(TLSError) {
        guard let session = unsafe SSL_new(identity.context) else { throw .failed(reason: takeReason()) }
        guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            preconditionFailure("out of memory")
        }
        // The session owns both from here on.
        unsafe SSL_set_bio(session, incoming, outgoing)
        unsafe (self.session, self.incoming, self.outgoing) = unsafe (session, incoming, outgoing)
        self.identity = identity
        self.role = role
        self.cookie = cookie
        _ = unsafe SSL_ctrl(session, SSL_CTRL_SET_MTU, DTLSSession.datagramBytesMax, nil)
        // The session is freed with this object, and calls back only while it lives.
        _ = unsafe SSL_set_ex_data(session, 0, Unmanaged.passUnretained(self).toOpaque())
        switch role {
        case .client: unsafe SSL_set_connect_state(session)
        case .server:
            if !cookie.isEmpty { _ = unsafe SSL_set_options(session, DTLSSession.cookieExchange) }
            unsafe SSL_set_accept_state(session)
        }
    }

    deinit { unsafe SSL_free(session) }

    /// A client's first message.
    public func start() throws(TLSError) { try shakeHands() }

    /// Takes one datagram of the peer's.
    public func receive(_ datagram: [UInt8]) throws(TLSError) {
        guard !datagram.isEmpty else { return }
        let written = unsafe BIO_write(incoming, datagram, Int32(datagram.count))
        precondition(written == datagram.count, "a memory BIO takes everything")
        if !isDone { return try shakeHands() }
        // Repetitions of the peer's last messages are answered with ours; data that is no handshake is nobody's.
        var scratch = [UInt8](repeating: 0, count: 2_048)
        for _ in 0..<16 {
            let count = unsafe SSL_read(session, &scratch, Int32(scratch.count))
            if count <= 0 { return try settle(count) }
        }
    }

    /// How long to wait before `tick`; nil: nothing is waited for.
    public var timeout: Duration? {
        var time = timeval()
        guard !isDone, unsafe SSL_ctrl(session, Int32(DTLS_CTRL_GET_TIMEOUT), 0, &time) == 1 else { return nil }
        return .seconds(Int64(time.tv_sec)) + .microseconds(Int64(time.tv_usec))
    }

    /// What was not answered in time is sent again, later and later (RFC 6347 §4.2.4); after a dozen times it is given up.
    public func tick() throws(TLSError) {
        if unsafe SSL_ctrl(session, Int32(DTLS_CTRL_HANDLE_TIMEOUT), 0, nil) < 0 { throw .failed(reason: takeReason()) }
    }

    /// What is to be sent, in datagrams.
    public func takeDatagrams() -> [[UInt8]] {
        let pending = unsafe BIO_ctrl_pending(outgoing)
        guard pending > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: pending)
        let count = unsafe BIO_read(outgoing, &bytes, Int32(pending))
        bytes.removeLast(pending - Int(max(0, count)))
        return DTLSSession.datagrams(of: bytes)
    }

    /// The end of the handshake.
    public var keys: Keys? {
        guard isDone, let profile = unsafe SSL_get_selected_srtp_profile(session) else { return nil }
        let (suite, keyBytes, saltBytes): (String, Int, Int)
        switch unsafe profile.pointee.id {
        case UInt(SRTP_AES128_CM_SHA1_80): (suite, keyBytes, saltBytes) = ("AES_CM_128_HMAC_SHA1_80", 16, 14)
        case UInt(SRTP_AES128_CM_SHA1_32): (suite, keyBytes, saltBytes) = ("AES_CM_128_HMAC_SHA1_32", 16, 14)
        case UInt(SRTP_AEAD_AES_128_GCM): (suite, keyBytes, saltBytes) = ("AEAD_AES_128_GCM", 16, 12)
        case UInt(SRTP_AEAD_AES_256_GCM): (suite, keyBytes, saltBytes) = ("AEAD_AES_256_GCM", 32, 12)
        default: return nil
        }
        let label = "EXTRACTOR-dtls_srtp"
        var material = [UInt8](repeating: 0, count: 2 * (keyBytes + saltBytes))
        guard unsafe SSL_export_keying_material(session, &material, material.count, label, label.utf8.count, nil, 0, 0) == 1 else { return nil }
        // Client's key, server's key, client's salt, server's salt (RFC 5764 §4.2).
        let salts = material[(2 * keyBytes)...]
        let client = Array(material[..<keyBytes] + salts.prefix(saltBytes))
        let server = Array(material[keyBytes..<2 * keyBytes] + salts.suffix(saltBytes))
        return role == .client ? Keys(suite: suite, sending: client, receiving: server) : Keys(suite: suite, sending: server, receiving: client)
    }

    /// Of the certificate that the peer has shown.
    public func peerFingerprint(_ hash: FingerprintHash) -> [UInt8]? {
        guard let certificate = unsafe SSL_get1_peer_certificate(session) else { return nil }
        defer { unsafe X509_free(certificate) }
        return unsafe certificateDigest(certificate, hash)
    }

    // MARK: - Within

    /// Whole records, as many in a datagram as fit: the library writes one behind the other.
    private static func datagrams(of bytes: [UInt8]) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        var current: [UInt8] = []
        var offset = 0
        while offset + 13 <= bytes.count {
            let end = min(bytes.count, offset + 13 + Int(bytes[offset + 11]) << 8 + Int(bytes[offset + 12]))
            if !current.isEmpty, current.count + end - offset > datagramBytesMax {
                datagrams.append(current)
                current = []
            }
            current += bytes[offset..<end]
            offset = end
        }
        if !current.isEmpty { datagrams.append(current) }
        return datagrams
    }

    private func shakeHands() throws(TLSError) {
        let status = unsafe SSL_do_handshake(session)
        guard status == 1 else { return try settle(status) }
        isDone = true
    }

    /// Waiting for more is no error.
    private func settle(_ status: Int32) throws(TLSError) {
        switch unsafe SSL_get_error(session, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return
        case SSL_ERROR_ZERO_RETURN: isFinished = true
        default: throw .failed(reason: takeReason())
        }
    }

    /// Which cookie is the right one, only the session's object knows.
    static func setCookies(of context: OpaquePointer) {
        unsafe SSL_CTX_set_cookie_generate_cb(context) { session, bytes, count in
            guard let own = unsafe DTLSSession.object(of: session), let bytes = unsafe bytes, let count = unsafe count else { return 0 }
            unsafe bytes.update(from: own.cookie, count: own.cookie.count)
            unsafe count.pointee = UInt32(own.cookie.count)
            return 1
        }
        unsafe SSL_CTX_set_cookie_verify_cb(context) { session, bytes, count in
            guard let own = unsafe DTLSSession.object(of: session), let bytes = unsafe bytes else { return 0 }
            return unsafe constantTimeEquals(own.cookie, Array(UnsafeBufferPointer(start: bytes, count: Int(count)))) ? 1 : 0
        }
    }

    private static func object(of session: OpaquePointer?) -> DTLSSession? {
        guard let session = unsafe session, let pointer = unsafe SSL_get_ex_data(session, 0) else { return nil }
        return unsafe Unmanaged<DTLSSession>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// SSL_OP_COOKIE_EXCHANGE.
    private static let cookieExchange: UInt64 = 1 << 13
}
