internal import COpenSSL

/// Why TLS cannot be had, or a connection ended.
public enum TLSError: Error, Equatable, CustomStringConvertible {
    /// The certificate or the key in that file cannot be used.
    case file(path: String, reason: String)
    /// The key is not the certificate's.
    case mismatch(certificate: String, key: String)
    case noCertificate
    /// The peer broke the protocol, offered nothing that we take, or did not prove who it is.
    case failed(reason: String)

    public var description: String {
        switch self {
        case .file(let path, let reason): "\(path) cannot be used (\(reason)): it must be PEM"
        case .mismatch(let certificate, let key): "\(key) is not the key of \(certificate)"
        case .noCertificate: "no certificate: put DOMAIN.crt and DOMAIN.key into the directory"
        case .failed(let reason): "TLS: \(reason)"
        }
    }
}

/// What OpenSSL says went wrong in this thread; forgets it.
func takeReason() -> String {
    var text = "no reason given"
    while case let code = ERR_get_error(), code != 0 {
        if let reason = unsafe ERR_reason_error_string(code) { text = unsafe String(cString: reason) }
    }
    return text
}
