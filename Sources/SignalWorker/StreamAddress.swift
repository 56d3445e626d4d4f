package import Primitives
package import SIP

/// Where connections are taken, and what is spoken there.
package struct StreamAddress: Hashable, Sendable {
    package var transport: Transport
    package var address: SocketAddress
    /// Other workers take connections at the same address.
    package var isShared: Bool

    package init(_ transport: Transport, _ address: SocketAddress, isShared: Bool = false) {
        self.transport = transport
        self.address = address
        self.isShared = isShared
    }
}

extension StreamAddress: CustomStringConvertible {
    /// `tcp:192.0.2.1:5060`
    package var description: String { "\(transport.name.lowercased()):\(address)" }
}

/// How much connections may ask of a worker. Every bound that is reached is counted.
package struct StreamLimits: Sendable {
    package var connections = 20_000
    /// From one address; an office behind one NAT has many phones.
    package var perSource = 512
    /// For TLS and WebSocket to be agreed, from the first packet.
    package var handshake: Duration = .seconds(10)
    /// From the first byte of a message to its last, and for what we have written to be taken.
    package var message: Duration = .seconds(10)
    /// For a connection that we begin.
    package var connect: Duration = .seconds(2)
    /// How long a connection may be silent by which nobody has shown a right password, and one by which somebody has. A phone
    /// that sends no keep-alives is heard only when its registration is due.
    package var strangerIdle: Duration = .seconds(60)
    package var idle: Duration = .seconds(3_900)
    /// What may wait for a peer that does not read.
    package var writeBuffer = 262_144
    /// Keep-alives and pings in a second, on average and in a burst.
    package var pingRate = 10.0
    package var pingBurst = 40.0
    /// Whose pages may open a WebSocket.
    package var origins = WebOrigins()

    package init() {}
}
