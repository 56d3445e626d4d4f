package import Bus
package import OpenSSL
package import UDP

/// Why a media worker cannot start, or had to stop; each says what to change.
package enum MediaWorkerError: Error, Equatable, CustomStringConvertible {
    case bus(BusError)
    /// Media cannot be received at the address.
    case media(SocketError)
    /// There is no certificate to be had for DTLS.
    case identity(TLSError)
    case tooFewPorts(ClosedRange<UInt16>)
    case noShards
    /// A thread that relays has ended; its calls have lost their audio.
    case shardEnded(String)

    package var description: String {
        switch self {
        case .bus(let error): error.description
        case .media(let error): "media address: \(error)"
        case .identity(let error): "a certificate for DTLS: \(error)"
        case .tooFewPorts(let ports):
            "ports \(ports.lowerBound)-\(ports.upperBound) are fewer than one session needs: give at least four"
        case .noShards: "a media worker needs at least one shard"
        case .shardEnded(let reason): "a relaying thread has ended: \(reason)"
        }
    }
}
