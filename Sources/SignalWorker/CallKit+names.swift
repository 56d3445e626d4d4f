import DNS
import Model
import Primitives
import SIP

/// Where a host is, as far as DNS has said.
enum HostAddresses: Sendable {
    /// The first is to be tried first; never empty.
    case found([SocketAddress])
    /// DNS is being asked.
    case waiting
    case failed(reason: String)
}

extension CallKit {
    /// - Parameters:
    ///   - port: 0: RFC 3263 says.
    ///   - seed: the same seed is sent the same way, as long as nobody fails.
    mutating func addresses(of host: String, port: UInt32, by transport: Transport = .udp, seed: UInt64) -> HostAddresses {
        let port = UInt16(exactly: port).flatMap { $0 == 0 ? nil : $0 }
        var questions: [DNSQuestion] = []
        let location = names.locate(host, port: port, by: transport, now: now, ask: &questions)
        for question in questions { effects.append(.lookUp(question)) }
        switch location {
        case .needs: return .waiting
        case .failed(let reason): return .failed(reason: reason)
        case .targets(let targets):
            var random = RandomSource(seed: seed)
            return .found(names.sorted(targets, now: now, &random))
        }
    }
}

extension SocketAddress.Host {
    var isV4: Bool {
        switch self {
        case .v4: true
        case .v6: false
        }
    }
}
