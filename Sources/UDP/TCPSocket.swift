internal import CShims
internal import Glibc
package import Primitives

/// The one owner of a non-blocking TCP connection: noncopyable, so it is closed once.
package struct TCPSocket: ~Copyable, Sendable {
    /// For a poller; never closed by its borrower.
    package let descriptor: Int32
    package let remote: SocketAddress

    init(descriptor: Int32, remote: SocketAddress) {
        self.descriptor = descriptor
        self.remote = remote
        // A message is written as a whole, so waiting for more would only make it late; a peer that is gone without a word is found
        // out within some minutes. A socket that refuses an option works without it.
        try? set(1, Int32(IPPROTO_TCP), TCP_NODELAY, on: descriptor)
        try? set(1, SOL_SOCKET, SO_KEEPALIVE, on: descriptor)
        try? set(120, Int32(IPPROTO_TCP), TCP_KEEPIDLE, on: descriptor)
        try? set(20, Int32(IPPROTO_TCP), TCP_KEEPINTVL, on: descriptor)
        try? set(4, Int32(IPPROTO_TCP), TCP_KEEPCNT, on: descriptor)
    }

    /// Begins a connection; it is there when the socket can be written to and `failure` is nil.
    /// - Parameter local: the host that it leaves by.
    package init(connectingTo remote: SocketAddress, from local: SocketAddress.Host) throws(SocketError) {
        let descriptor = try openSocket(remote.host, isStream: true)
        do throws(SocketError) {
            _ = try bind(descriptor, to: SocketAddress(local, port: 0))
            var storage = SystemAddress()
            let length = unsafe remote.write(to: &storage)
            let status = unsafe withUnsafePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
            }
            guard status == 0 || errno == EINPROGRESS else { throw SocketError(call: "connect", address: nil, code: errno) }
        } catch {
            close(descriptor)
            throw error
        }
        self.init(descriptor: descriptor, remote: remote)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// What the system says went wrong, a connection that was refused among it.
    package borrowing func failure() -> SocketError? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code != 0 else { return nil }
        return SocketError(call: "connect", address: nil, code: code)
    }

    package enum Read: Equatable {
        case bytes(Int)
        /// Nothing waits.
        case nothing
        /// The peer sends no more, or is gone.
        case end
    }

    package borrowing func read(into buffer: inout [UInt8]) -> Read {
        while true {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            default: return .end
            }
        }
    }

    /// - Returns: how many bytes the system took; nil: the connection is gone.
    package borrowing func write(_ bytes: ArraySlice<UInt8>) -> Int? {
        while true {
            let count = unsafe bytes.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            default: return nil
            }
        }
    }

    /// When it is closed the peer is told at once that it is over, and the system keeps nothing of it.
    package borrowing func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }
}
