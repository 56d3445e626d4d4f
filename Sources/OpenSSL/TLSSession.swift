internal import COpenSSL

/// One TLS connection without a socket: what came from the network goes in, plain bytes come out, and the other way round.
@safe public final class TLSSession {
    private let session: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    /// Its callback may be called as long as the session lives.
    private let context: TLSContext
    /// Plain bytes that wait for the end of the handshake.
    private var waiting: [UInt8] = []
    /// The handshake is done.
    public private(set) var isOpen = false
    /// The peer has said that nothing more comes.
    public private(set) var isFinished = false

    public convenience init(accepting context: TLSContext) throws(TLSError) {
        try self.init(context)
        unsafe SSL_set_accept_state(session)
    }

    /// - Parameter name: what the peer must prove to be: a name of a host, or an address.
    public convenience init(connecting context: TLSContext, to name: String, isAddress: Bool) throws(TLSError) {
        try self.init(context)
        unsafe SSL_set_connect_state(session)
        if isAddress {
            let parameters = unsafe SSL_get0_param(session)
            guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 else { throw .failed(reason: takeReason()) }
        } else {
            guard unsafe SSL_set1_host(session, name) == 1 else { throw .failed(reason: takeReason()) }
            var text = name.utf8CString.map { $0 }
            _ = unsafe text.withUnsafeMutableBytes { name in
                unsafe SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), name.baseAddress)
            }
        }
        try shakeHands()
    }

    private init(_ context: TLSContext) throws(TLSError) {
        guard let session = unsafe SSL_new(context.pointer) else { throw .failed(reason: takeReason()) }
        guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            preconditionFailure("out of memory")
        }
        // The session owns both from here on.
        unsafe SSL_set_bio(session, incoming, outgoing)
        unsafe (self.session, self.incoming, self.outgoing) = unsafe (session, incoming, outgoing)
        self.context = context
    }

    deinit { unsafe SSL_free(session) }

    /// `TLSv1.3` and so on.
    public var version: String { unsafe String(cString: SSL_get_version(session)) }

    /// Takes bytes of the network.
    /// - Returns: the plain bytes that they held.
    public func receive(_ bytes: [UInt8]) throws(TLSError) -> [UInt8] {
        let written = unsafe BIO_write(incoming, bytes, Int32(bytes.count))
        precondition(written == bytes.count, "a memory BIO takes everything")
        if !isOpen { try shakeHands() }
        guard isOpen else { return [] }
        var plain: [UInt8] = []
        // One record; sessions that only wait need none.
        var scratch = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe SSL_read(session, &scratch, Int32(scratch.count))
            guard count > 0 else {
                try settle(count)
                return plain
            }
            plain += scratch[..<Int(count)]
        }
    }

    /// Takes plain bytes; `takeOutput` has what is to be sent.
    public func send(_ plain: [UInt8]) throws(TLSError) {
        guard isOpen else {
            waiting += plain
            return
        }
        guard !plain.isEmpty else { return }
        // A memory BIO takes a whole record, so nothing is left over.
        let count = unsafe SSL_write(session, plain, Int32(plain.count))
        if count <= 0 { try settle(count) }
    }

    /// Plain bytes that are held back until the handshake is done.
    public var waitingBytes: Int { waiting.count }

    /// Says that nothing more comes from us.
    public func finish() {
        guard isOpen, unsafe SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0 else { return }
        _ = unsafe SSL_shutdown(session)
        _ = takeReason()
    }

    /// What is to be sent to the network.
    public func takeOutput() -> [UInt8] {
        let pending = unsafe BIO_ctrl_pending(outgoing)
        guard pending > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: pending)
        let count = unsafe BIO_read(outgoing, &bytes, Int32(pending))
        bytes.removeLast(pending - Int(max(0, count)))
        return bytes
    }

    private func shakeHands() throws(TLSError) {
        let status = unsafe SSL_do_handshake(session)
        guard status == 1 else { return try settle(status) }
        isOpen = true
        guard !waiting.isEmpty else { return }
        let plain = waiting
        waiting = []
        try send(plain)
    }

    /// Waiting for more is no error.
    private func settle(_ status: Int32) throws(TLSError) {
        switch unsafe SSL_get_error(session, status) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return
        case SSL_ERROR_ZERO_RETURN: isFinished = true
        default: throw .failed(reason: takeReason())
        }
    }
}
