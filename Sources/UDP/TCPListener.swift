internal import CShims
internal import Glibc
package import Primitives

/// The one owner of a listening, non-blocking TCP socket.
package struct TCPListener: ~Copyable, Sendable {
    /// For a poller; never closed by its borrower.
    package let descriptor: Int32
    /// As bound: the port that the system chose when 0 was asked for.
    package let address: SocketAddress

    /// - Parameter sharingPort: lets several processes share the address, the kernel spreading connections over them.
    package init(binding address: SocketAddress, sharingPort: Bool = false) throws(SocketError) {
        let descriptor = try openSocket(address.host, isStream: true)
        do throws(SocketError) {
            try set(1, SOL_SOCKET, SO_REUSEADDR, on: descriptor)
            if sharingPort { try set(1, SOL_SOCKET, SO_REUSEPORT, on: descriptor) }
            let bound = try bind(descriptor, to: address)
            guard listen(descriptor, 1_024) == 0 else { throw SocketError(call: "listen", address: address, code: errno) }
            self.address = bound
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { _ = Glibc.close(descriptor) }

    package enum Accepted: ~Copyable {
        case connection(TCPSocket)
        /// Nobody waits.
        case none
        /// The limit of open files is reached: whoever waits goes on waiting.
        case noDescriptor
    }

    package borrowing func accept() -> Accepted {
        while true {
            var storage = SystemAddress()
            var length = socklen_t(MemoryLayout<SystemAddress>.size)
            let descriptor = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe shims_accept(self.descriptor, $0, &length)
                }
            }
            guard descriptor >= 0 else {
                switch errno {
                case EINTR, ECONNABORTED, EPROTO: continue
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .noDescriptor
                default: return .none
                }
            }
            guard let remote = unsafe SocketAddress(reading: &storage) else {
                close(descriptor)
                continue
            }
            return .connection(TCPSocket(descriptor: descriptor, remote: remote))
        }
    }
}
