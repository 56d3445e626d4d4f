package import Primitives

extension SDP {
    /// Where the peer wants the packets of a stream: its own `c=`, else the session's. nil when refused or out of range.
    package func connection(of index: Int) -> Address? {
        guard media.indices.contains(index), !media[index].isRefused else { return nil }
        return media[index].connection ?? connection
    }

    /// The same as a socket address; nil also for a name of a host and for a held stream's `0.0.0.0`.
    package func remoteAddress(of index: Int) -> SocketAddress? {
        guard let address = connection(of: index), !address.isUnspecified, let host = SocketAddress.Host(address.host)
        else { return nil }
        return SocketAddress(host, port: media[index].port)
    }

    /// The section's direction, else the session's, else both ways (RFC 8866 §6.7); `0.0.0.0` is a hold (RFC 3264 §8.4).
    package func direction(of index: Int) -> Direction {
        guard media.indices.contains(index) else { return .inactive }
        let direction = media[index].direction ?? lines.direction ?? .sendrecv
        // Under ICE that address only says that the candidates are still being looked for (RFC 8840 §4.1.1).
        guard connection(of: index)?.isUnspecified == true, iceFragment(of: index) == nil else { return direction }
        switch direction {
        case .sendrecv, .sendonly: return .sendonly
        case .recvonly, .inactive: return .inactive
        }
    }

    /// The first stream of that kind that is not refused.
    package func firstIndex(of kind: String) -> Int? { media.firstIndex { $0.kind == kind && !$0.isRefused } }

    /// Points one stream at our own media address, and takes out what told the peer's: candidates of ICE,
    /// its RTCP address, its keys. RTCP goes to the next port (RFC 3605 says so when nothing is written).
    package mutating func redirect(_ index: Int, to address: SocketAddress) {
        guard media.indices.contains(index) else { return }
        media[index].port = address.port
        media[index].portCount = nil
        media[index].connection = Address(address.host)
        media[index].removeAttributes(SDP.ofTransport)
    }

    private static let ofTransport = AttributeNames([
        "candidate", "end-of-candidates", "remote-candidates", "ice-ufrag", "ice-pwd", "ice-options", "rtcp", "crypto", "fingerprint", "setup",
        "tls-id", "connection",
    ])

    /// Refuses a stream in an answer, or ends it in an offer (RFC 3264 §6, §8.2): port 0, no attributes.
    package mutating func refuse(_ index: Int) {
        guard media.indices.contains(index) else { return }
        media[index].port = 0
        media[index].portCount = nil
        media[index].connection = nil
        media[index].lines = []
    }
}

extension SDP.Address {
    package init(_ host: SocketAddress.Host) {
        switch host {
        case .v4: self.init(isIPv6: false, host: host.description)
        case .v6: self.init(isIPv6: true, host: host.bare)
        }
    }
}
