internal import COpenSSL

/// What sessions of one side of TLS 1.2 and 1.3 share. Its certificates do not change: new ones make a new context, and sessions
/// that have begun keep theirs.
@safe public final class TLSContext {
    /// PEM files of one domain.
    public struct Files: Hashable, Sendable {
        /// As it stands in the certificate: `sip.example.com`, or `*.example.com`. `default` answers for every other name.
        public var domain: String
        public var certificate: String
        public var key: String

        public init(domain: String, certificate: String, key: String) {
            self.domain = domain
            self.certificate = certificate
            self.key = key
        }
    }

    let pointer: OpaquePointer
    private var domains: [String: OpaquePointer] = unsafe [:]

    /// The server's side. A client that names no domain, or one that is not here, is shown `default`, or else the first.
    public init(serving files: [Files]) throws(TLSError) {
        guard let first = files.first(where: { $0.domain == "default" }) ?? files.first else { throw .noCertificate }
        unsafe pointer = unsafe try TLSContext.server(first)
        for entry in files where entry != first {
            unsafe domains[entry.domain] = unsafe try TLSContext.server(entry)
        }
        if first.domain != "default" { unsafe domains[first.domain] = unsafe pointer }
        // Lives as long as every session that may call it: sessions keep their context.
        let own = unsafe Unmanaged.passUnretained(self).toOpaque()
        let chosen: @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
            session, _, context in
            guard let context = unsafe context, let session = unsafe session,
                let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name)
            else { return SSL_TLSEXT_ERR_NOACK }
            let this = unsafe Unmanaged<TLSContext>.fromOpaque(context).takeUnretainedValue()
            guard let domain = unsafe this.context(of: String(cString: name)) else { return SSL_TLSEXT_ERR_NOACK }
            _ = unsafe SSL_set_SSL_CTX(session, domain)
            return SSL_TLSEXT_ERR_OK
        }
        let erased = unsafe unsafeBitCast(chosen, to: (@convention(c) () -> Void).self)
        _ = unsafe SSL_CTX_callback_ctrl(pointer, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, erased)
        _ = unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0, own)
    }

    /// The client's side: whom we call must prove its name.
    /// - Parameters:
    ///   - authorities: a PEM file of those who may vouch for it; nil: those of the machine.
    ///   - files: shown to a peer that wants to know who we are.
    public init(trusting authorities: String?, presenting files: Files? = nil) throws(TLSError) {
        let context = unsafe try TLSContext.make(TLS_client_method(), files)
        let status =
            if let authorities { unsafe SSL_CTX_load_verify_locations(context, authorities, nil) } else {
                unsafe SSL_CTX_set_default_verify_paths(context)
            }
        guard status == 1 else {
            unsafe SSL_CTX_free(context)
            throw .file(path: authorities ?? "the machine's list of authorities", reason: takeReason())
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe pointer = unsafe context
    }

    deinit {
        for unsafe domain in unsafe domains.values where unsafe domain != pointer { unsafe SSL_CTX_free(domain) }
        unsafe SSL_CTX_free(pointer)
    }

    private func context(of name: String) -> OpaquePointer? {
        let name = name.lowercased()
        if let exact = unsafe domains[name] { return unsafe exact }
        guard let dot = name.firstIndex(of: ".") else { return nil }
        return unsafe domains["*" + name[dot...]]
    }

    private static func server(_ files: Files) throws(TLSError) -> OpaquePointer {
        unsafe try make(TLS_server_method(), files)
    }

    private static func load(_ files: Files, into context: OpaquePointer) throws(TLSError) {
        guard unsafe SSL_CTX_use_certificate_chain_file(context, files.certificate) == 1 else {
            throw .file(path: files.certificate, reason: takeReason())
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(context, files.key, SSL_FILETYPE_PEM) == 1 else {
            let reason = takeReason()
            throw reason.contains("mismatch")
                ? .mismatch(certificate: files.certificate, key: files.key) : .file(path: files.key, reason: reason)
        }
        guard unsafe SSL_CTX_check_private_key(context) == 1 else {
            _ = takeReason()
            throw .mismatch(certificate: files.certificate, key: files.key)
        }
    }

    private static func make(_ method: OpaquePointer?, _ files: Files?) throws(TLSError) -> OpaquePointer {
        guard let context = unsafe SSL_CTX_new(method) else { throw .failed(reason: takeReason()) }
        // These are macros in C, so they are spelled out.
        _ = unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        // A connection of a phone lasts for hours: buffers that are empty are let go, and sessions are not kept to be resumed.
        _ = unsafe SSL_CTX_ctrl(context, SSL_CTRL_MODE, releaseBuffers, nil)
        _ = unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
        _ = unsafe SSL_CTX_set_options(context, noTicket | noRenegotiation)
        _ = unsafe SSL_CTX_set_num_tickets(context, 0)
        guard let files else { return unsafe context }
        do throws(TLSError) {
            unsafe try load(files, into: context)
            return unsafe context
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
    }

    /// SSL_MODE_RELEASE_BUFFERS, SSL_OP_NO_TICKET and SSL_OP_NO_RENEGOTIATION.
    private static let releaseBuffers = 0x10
    private static let noTicket: UInt64 = 1 << 14
    private static let noRenegotiation: UInt64 = 1 << 30
}
