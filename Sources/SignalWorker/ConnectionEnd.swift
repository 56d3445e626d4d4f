/// Why a connection is over, or never came to be.
package enum ConnectionEnd: Hashable, Sendable {
    /// The peer has closed it.
    case closed
    /// Nothing was heard for so long.
    case idle
    /// TLS or WebSocket was not agreed in time.
    case slowHandshake
    case handshakeFailed(String)
    /// A browser's page of somewhere that is not allowed.
    case foreignOrigin(String)
    /// A message began and did not end in time.
    case slowMessage
    /// The peer does not read what we send.
    case slowReader
    /// What came cannot be cut into messages.
    case unreadable(String)
    /// More keep-alives than anybody needs.
    case flood
    case tooManyFromSource
    case tooMany
    /// The process has no file descriptor left.
    case noDescriptor
    /// One that we began did not come to be.
    case unreachable(String)

    /// As it is counted.
    package var name: String {
        switch self {
        case .closed: "connection_closed"
        case .idle: "connection_idle"
        case .slowHandshake: "connection_slow_handshake"
        case .handshakeFailed: "connection_handshake_failed"
        case .foreignOrigin: "connection_foreign_origin"
        case .slowMessage: "connection_slow_message"
        case .slowReader: "connection_slow_reader"
        case .unreadable: "connection_unreadable"
        case .flood: "connection_flood"
        case .tooManyFromSource: "connection_too_many_from_source"
        case .tooMany: "connection_too_many"
        case .noDescriptor: "connection_no_descriptor"
        case .unreachable: "connection_unreachable"
        }
    }

    /// For the log.
    var text: String {
        switch self {
        case .closed: "the peer closed it"
        case .idle: "silent for too long"
        case .slowHandshake: "TLS or WebSocket was not agreed in time"
        case .handshakeFailed(let reason): "TLS or WebSocket was not agreed: \(reason)"
        case .foreignOrigin(let origin): "WebSocket is not open to pages of \(origin)"
        case .slowMessage: "a message was not whole in time"
        case .slowReader: "the peer does not read what it is sent"
        case .unreadable(let reason): "what came is no SIP: \(reason)"
        case .flood: "more keep-alives than anybody needs"
        case .tooManyFromSource: "too many connections of one address"
        case .tooMany: "too many connections"
        case .noDescriptor: "no file descriptor is left: raise the limit (ulimit -n)"
        case .unreachable(let reason): reason
        }
    }

    /// Whether an operator should hear of it.
    var isWorthTelling: Bool {
        switch self {
        case .closed, .idle, .unreachable: false
        case .slowHandshake, .handshakeFailed, .foreignOrigin, .slowMessage, .slowReader, .unreadable, .flood, .tooManyFromSource, .tooMany, .noDescriptor: true
        }
    }
}
