internal import Glibc
internal import Primitives

/// Room for either family, in the system's form.
typealias SystemAddress = sockaddr_in6

extension SocketAddress {
    /// Writes the system's form into `target` and returns its length.
    func write(to target: UnsafeMutablePointer<SystemAddress>) -> socklen_t {
        switch host {
        case .v4(let value):
            unsafe target.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                unsafe address.pointee = sockaddr_in()
                unsafe address.pointee.sin_family = sa_family_t(AF_INET)
                unsafe address.pointee.sin_port = port.bigEndian
                unsafe address.pointee.sin_addr.s_addr = value.bigEndian
            }
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        case .v6(let high, let low):
            unsafe target.pointee = sockaddr_in6()
            unsafe target.pointee.sin6_family = sa_family_t(AF_INET6)
            unsafe target.pointee.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &target.pointee.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
                unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
    }

    /// nil for a family that is neither IPv4 nor IPv6.
    init?(reading source: UnsafePointer<SystemAddress>) {
        switch unsafe Int32(source.pointee.sin6_family) {
        case AF_INET:
            self = unsafe source.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                unsafe SocketAddress(
                    .v4(UInt32(bigEndian: address.pointee.sin_addr.s_addr)),
                    port: UInt16(bigEndian: address.pointee.sin_port))
            }
        case AF_INET6:
            let (high, low) = unsafe withUnsafeBytes(of: source.pointee.sin6_addr) { bytes in
                unsafe (
                    bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                )
            }
            self = unsafe SocketAddress(
                .v6(UInt64(bigEndian: high), UInt64(bigEndian: low)), port: UInt16(bigEndian: source.pointee.sin6_port))
        default: return nil
        }
    }
}
