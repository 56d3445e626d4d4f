internal import Glibc
package import Primitives

/// The one owner of a bound, non-blocking UDP socket: noncopyable, so it is closed once.
package struct UDPSocket: ~Copyable, Sendable {
    /// For a poller; never closed by its borrower.
    package let descriptor: Int32
    /// As bound: the port that the system chose when 0 was asked for.
    package let address: SocketAddress

    /// - Parameters:
    ///   - address: a local address; port 0 lets the system choose.
    ///   - reusingPort: lets several sockets share the address, the kernel spreading datagrams over them (SO_REUSEPORT).
    ///   - reportingErrors: keeps what the network says about datagrams that could not be delivered, for `takeUnreachable`. Each such
    ///     report also fails one system call on the socket, which is then to be made again.
    ///   - reportingDestinations: tells with each datagram to which address it was sent, for a socket that others' ports are steered to.
    ///   - receiveBufferBytes: what the kernel may queue; nil keeps the system's default.
    package init(
        binding address: SocketAddress, reusingPort: Bool = false, reportingErrors: Bool = false, reportingDestinations: Bool = false, receiveBufferBytes: Int32? = nil
    ) throws(SocketError) {
        let descriptor = try openSocket(address.host, isStream: false)
        do throws(SocketError) {
            if reusingPort { try set(1, SOL_SOCKET, SO_REUSEPORT, on: descriptor) }
            if reportingErrors {
                switch address.host {
                case .v4: try set(1, Int32(IPPROTO_IP), IP_RECVERR, on: descriptor)
                case .v6: try set(1, Int32(IPPROTO_IPV6), IPV6_RECVERR, on: descriptor)
                }
            }
            if reportingDestinations {
                switch address.host {
                case .v4: try set(1, Int32(IPPROTO_IP), OriginalDestination.optionV4, on: descriptor)
                case .v6: try set(1, Int32(IPPROTO_IPV6), OriginalDestination.optionV6, on: descriptor)
                }
            }
            if let receiveBufferBytes { setBuffer(SO_RCVBUF, force: SO_RCVBUFFORCE, bytes: receiveBufferBytes, on: descriptor) }
            self.address = try bind(descriptor, to: address)
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { _ = Glibc.close(descriptor) }
}
