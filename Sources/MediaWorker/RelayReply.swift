package import Primitives

/// A datagram of our own to a peer: an answer to a check, or a part of a handshake.
package struct RelayReply: Equatable, Sendable {
    /// Ours, from which it leaves.
    package let port: UInt16
    package let destination: SocketAddress
    package let bytes: [UInt8]
}
