/// A transport as a Via header names it (RFC 3261 §18, RFC 7118 for WebSocket).
package struct Transport: Hashable, Sendable {
    /// Upper case.
    package let name: String

    package init(_ name: String) { self.name = name.uppercased() }

    package static let udp = Transport("UDP")
    package static let tcp = Transport("TCP")
    package static let tls = Transport("TLS")
    package static let webSocket = Transport("WS")
    package static let secureWebSocket = Transport("WSS")
    /// All that this project speaks.
    package static let all = [udp, tcp, tls, webSocket, secureWebSocket]

    /// Whether the transport itself delivers or fails, so that transactions do not repeat.
    package var isReliable: Bool { self != .udp }
    package var isWebSocket: Bool { self == .webSocket || self == .secureWebSocket }
    package var isSecure: Bool { self == .tls || self == .secureWebSocket }
    package var defaultPort: UInt16 {
        switch name {
        case "TLS": 5061
        case "WS": 80
        case "WSS": 443
        default: 5060
        }
    }
}
