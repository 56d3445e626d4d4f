package import Primitives
package import UDP

/// The four sockets of a session. A class, so that an order to a shard can carry them; whoever drops the last
/// reference closes them.
package final class SessionSockets: Sendable {
    package let mediaA: UDPSocket
    package let controlA: UDPSocket
    package let mediaB: UDPSocket
    package let controlB: UDPSocket

    /// Binds all or, when it throws, none.
    package init(host: SocketAddress.Host, portA: UInt16, portB: UInt16) throws(SocketError) {
        mediaA = try UDPSocket(binding: SocketAddress(host, port: portA))
        controlA = try UDPSocket(binding: SocketAddress(host, port: portA + 1))
        mediaB = try UDPSocket(binding: SocketAddress(host, port: portB))
        controlB = try UDPSocket(binding: SocketAddress(host, port: portB + 1))
    }

    /// Each port with its socket.
    var descriptors: [(port: UInt16, descriptor: Int32)] {
        [
            (mediaA.address.port, mediaA.descriptor), (controlA.address.port, controlA.descriptor),
            (mediaB.address.port, mediaB.descriptor), (controlB.address.port, controlB.descriptor),
        ]
    }
}
