package import Primitives

/// The path of one message: the listener that it came in by or leaves by, and the peer's address.
/// A peer is answered, and reached later, on the same hop (RFC 3581 §4), so that NATs let it through.
package struct Hop: Hashable, Sendable {
    package var transport: Transport
    package var listener: SocketAddress
    package var remote: SocketAddress
    /// Which connection of the process that holds it; 0: a datagram, or whichever connection to `remote` there is or can be made.
    package var connection: UInt64
    /// Whom a secure connection that we begin must lead to: the host as it was named before it was looked up. nil: `remote`.
    package var name: String?
    /// The process that holds the listener, for messages that another process relays; nil: this one.
    package var relay: String?

    package init(
        _ transport: Transport = .udp, listener: SocketAddress, remote: SocketAddress, connection: UInt64 = 0, name: String? = nil,
        relay: String? = nil
    ) {
        self.transport = transport
        self.listener = listener
        self.remote = remote
        self.connection = connection
        self.name = name
        self.relay = relay
    }
}
