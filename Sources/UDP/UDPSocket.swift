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
    ///   - receiveBufferBytes: what the kernel may queue; nil keeps the system's default.
    package init(
        binding address: SocketAddress, reusingPort: Bool = false, reportingErrors: Bool = false, receiveBufferBytes: Int32? = nil
    ) throws(SocketError) {
        let family =
            switch address.host {
            case .v4: AF_INET
            case .v6: AF_INET6
            }
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError(call: "socket", address: nil, code: errno) }
        do throws(SocketError) {
            if family == AF_INET6 { try set(1, IPPROTO_IPV6_LEVEL, IPV6_V6ONLY, on: descriptor) }
            if reusingPort { try set(1, SOL_SOCKET, SO_REUSEPORT, on: descriptor) }
            if reportingErrors {
                try family == AF_INET6
                    ? set(1, IPPROTO_IPV6_LEVEL, IPV6_RECVERR, on: descriptor)
                    : set(1, Int32(IPPROTO_IP), IP_RECVERR, on: descriptor)
            }
            if let receiveBufferBytes { try set(receiveBufferBytes, SOL_SOCKET, SO_RCVBUF, on: descriptor) }
            self.address = try bind(descriptor, to: address)
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { _ = Glibc.close(descriptor) }
}

private let IPPROTO_IPV6_LEVEL = Int32(IPPROTO_IPV6)

private func set(_ value: Int32, _ level: Int32, _ option: Int32, on descriptor: Int32) throws(SocketError) {
    var value = value
    guard unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
        throw SocketError(call: "setsockopt", address: nil, code: errno)
    }
}

private func bind(_ descriptor: Int32, to address: SocketAddress) throws(SocketError) -> SocketAddress {
    var storage = SystemAddress()
    var length = unsafe address.write(to: &storage)
    let bound = unsafe withUnsafePointer(to: &storage) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Glibc.bind(descriptor, $0, length) }
    }
    guard bound == 0 else { throw SocketError(call: "bind", address: address, code: errno) }
    length = socklen_t(MemoryLayout<SystemAddress>.size)
    let named = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
    }
    guard named == 0, let address = unsafe SocketAddress(reading: &storage) else {
        throw SocketError(call: "getsockname", address: address, code: errno)
    }
    return address
}
