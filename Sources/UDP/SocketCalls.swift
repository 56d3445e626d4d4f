internal import Glibc
internal import Primitives

/// A non-blocking socket of that host's family; IPv6 stands for itself alone.
func openSocket(_ host: SocketAddress.Host, isStream: Bool) throws(SocketError) -> Int32 {
    let family =
        switch host {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    let kind = isStream ? SOCK_STREAM : SOCK_DGRAM
    let descriptor = socket(family, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(call: "socket", address: nil, code: errno) }
    do throws(SocketError) {
        if family == AF_INET6 { try set(1, Int32(IPPROTO_IPV6), IPV6_V6ONLY, on: descriptor) }
    } catch {
        close(descriptor)
        throw error
    }
    return descriptor
}

func set(_ value: Int32, _ level: Int32, _ option: Int32, on descriptor: Int32) throws(SocketError) {
    var value = value
    guard unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
        throw SocketError(call: "setsockopt", address: nil, code: errno)
    }
}

/// - Returns: the address as bound.
func bind(_ descriptor: Int32, to address: SocketAddress) throws(SocketError) -> SocketAddress {
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

/// What the kernel may queue; beyond the limit that is set for everybody (net.core.rmem_max, wmem_max) where the process may. Less than was asked is no error.
func setBuffer(_ option: Int32, force: Int32, bytes: Int32, on descriptor: Int32) {
    var bytes = bytes
    let length = socklen_t(MemoryLayout<Int32>.size)
    if unsafe setsockopt(descriptor, SOL_SOCKET, force, &bytes, length) == 0 { return }
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &bytes, length)
}
