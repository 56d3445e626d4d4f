package import Primitives

/// The two sides of a session: a towards the caller, b towards the called.
package enum Side: Sendable {
    case a
    case b
}

/// What is to be done with a packet that came.
package enum RelayVerdict: Equatable, Sendable {
    /// Send the first `count` bytes of the buffer from one of our ports.
    case forward(from: UInt16, to: SocketAddress, count: Int)
    case drop(DropReason)
    /// A check or a part of a handshake: `RelayCore.takeReplies` has what is to be sent for it.
    case consumed
    /// It was taken in: `RelayCore.convertedPacket` has what becomes of it.
    case convert
}
