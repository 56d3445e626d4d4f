package import Primitives

/// The path of one message: the listener that it came in by or leaves by, and the peer's address.
/// A peer is answered, and reached later, on the same hop (RFC 3581 §4), so that NATs let it through.
package struct Hop: Hashable, Sendable {
    package var transport: Transport
    package var listener: SocketAddress
    package var remote: SocketAddress
    /// The process that holds the listener, for messages that another process relays; nil: this one.
    package var relay: String?

    package init(_ transport: Transport = .udp, listener: SocketAddress, remote: SocketAddress, relay: String? = nil) {
        self.transport = transport
        self.listener = listener
        self.remote = remote
        self.relay = relay
    }
}
