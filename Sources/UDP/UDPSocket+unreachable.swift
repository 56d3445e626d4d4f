internal import CShims
internal import Glibc
package import Primitives

extension UDPSocket {
    /// The destination of a datagram that the network could not deliver: nobody listens on that port, or there is no way to
    /// that host (ICMP, ip(7) on IP_RECVERR). nil when nothing is reported; reports about anything else are passed over.
    package func takeUnreachable() -> SocketAddress? {
        while true {
            switch takeReport() {
            case .none: return nil
            case .other: continue
            case .unreachable(let address): return address
            }
        }
    }

    private enum Report {
        case none
        case other
        case unreachable(SocketAddress)
    }

    private func takeReport() -> Report {
        var name = SystemAddress()
        // A control message header, then a sock_extended_err and the address of who reported it.
        var control = (0..<16).map { _ in UInt64(0) }
        var message = unsafe msghdr()
        return unsafe withUnsafeMutablePointer(to: &name) { name in
            unsafe control.withUnsafeMutableBytes { control in
                unsafe message.msg_name = UnsafeMutableRawPointer(name)
                unsafe message.msg_namelen = socklen_t(MemoryLayout<SystemAddress>.size)
                unsafe message.msg_control = control.baseAddress
                unsafe message.msg_controllen = control.count
                let count = unsafe recvmsg(descriptor, &message, Int32(MSG_ERRQUEUE | MSG_DONTWAIT))
                guard count >= 0 else { return .none }
                let headerBytes = MemoryLayout<cmsghdr>.size
                guard unsafe message.msg_controllen >= headerBytes + 5 else { return .other }
                // ee_errno (4 bytes), then ee_origin: 2 is ICMP, 3 is ICMPv6.
                let code = unsafe control.loadUnaligned(fromByteOffset: headerBytes, as: Int32.self)
                let origin = unsafe control.loadUnaligned(fromByteOffset: headerBytes + 4, as: UInt8.self)
                guard origin == 2 || origin == 3, code == ECONNREFUSED || code == EHOSTUNREACH || code == ENETUNREACH,
                    let address = unsafe SocketAddress(reading: name)
                else { return .other }
                return .unreachable(address)
            }
        }
    }
}
