package import Bus
package import DNS
package import OpenSSL
package import UDP

/// Why a signal worker cannot start; each says what to change.
package enum SignalWorkerError: Error, Equatable, CustomStringConvertible {
    case bus(BusError)
    case listener(SocketError)
    case noListener
    case dns(DNSError)
    case certificates(TLSError)
    /// TLS is asked for, and no directory with certificates.
    case noCertificates
    /// The outbox cannot be read or written.
    case outbox(path: String, reason: String)

    package var description: String {
        switch self {
        case .bus(let error): error.description
        case .listener(let error): "SIP listener: \(error)"
        case .dns(.malformedServers(let text)): "--dns-server \(text) cannot be read: give addresses such as 192.0.2.53:53, several with commas"
        case .dns(let error): "DNS: \(error)"
        case .noListener: "a signal worker needs at least one SIP address: give --listen or --cluster"
        case .certificates(let error): "certificates: \(error)"
        case .noCertificates: "TLS and secure WebSocket need certificates: give --certificates with a directory of DOMAIN.crt and DOMAIN.key"
        case .outbox(let path, let reason): "the outbox \(path) cannot be used (\(reason)): check that the directory can be written"
        }
    }
}
