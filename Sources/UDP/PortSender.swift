internal import Glibc
package import Primitives

/// Sends datagrams from any port of this machine with one system call for many: a raw socket, which takes the headers with the packets.
/// Only for who may (CAP_NET_RAW).
package struct PortSender: ~Copyable, Sendable {
    /// What is put into a `DatagramBatch` with its source is flushed over it.
    package let descriptor: Int32

    package init(family host: SocketAddress.Host) throws(SocketError) {
        let family =
            switch host {
            case .v4: AF_INET
            case .v6: AF_INET6
            }
        // IPPROTO_RAW: headers are ours, and nothing is received (raw(7)).
        descriptor = socket(family, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), Int32(IPPROTO_RAW))
        guard descriptor >= 0 else { throw SocketError(call: "socket", address: nil, code: errno) }
        setBuffer(SO_SNDBUF, force: SO_SNDBUFFORCE, bytes: 4 << 20, on: descriptor)
    }

    deinit { _ = close(descriptor) }
}
