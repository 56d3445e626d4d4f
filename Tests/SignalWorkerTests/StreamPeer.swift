import Foundation
import Primitives

/// A bare TCP connection of a test.
final class StreamPeer {
    let descriptor: Int32
    let address: SocketAddress
    private(set) var received: [UInt8] = []

    private struct Failure: Error {}

    /// Connects; loopback's queue takes it before anybody has accepted.
    init(_ remote: SocketAddress, from local: SocketAddress.Host? = nil) throws {
        let family =
            switch remote.host {
            case .v4: AF_INET
            case .v6: AF_INET6
            }
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        let isBound = local.map { host in Self.with(SocketAddress(host, port: 0)) { bind(descriptor, $0, $1) == 0 } } ?? true
        let isConnected = isBound && Self.with(remote) { connect(descriptor, $0, $1) == 0 }
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let host = local ?? remote.host
        let port: UInt16? = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
                ? UInt16(bigEndian: pointer.pointee.sin6_port) : nil
        }
        address = SocketAddress(host, port: port ?? 0)
        guard isConnected, port != nil else { throw Failure() }
    }

    deinit { close(descriptor) }

    private static func with(_ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        switch address.host {
        case .v4(let value):
            var storage = sockaddr_in()
            storage.sin_family = sa_family_t(AF_INET)
            storage.sin_port = address.port.bigEndian
            storage.sin_addr.s_addr = value.bigEndian
            return withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        case .v6(let high, let low):
            var storage = sockaddr_in6()
            storage.sin6_family = sa_family_t(AF_INET6)
            storage.sin6_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &storage.sin6_addr) {
                $0.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
                $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        }
    }

    func send(_ bytes: [UInt8]) { _ = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) }

    /// Everything so far.
    @discardableResult
    func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 { received += buffer[..<count] }
        return received
    }

    /// Whether the other side has closed.
    func isEnded(within seconds: Double) -> Bool {
        let end = Date().addingTimeInterval(seconds)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        repeat {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 { received += buffer[..<count] }
            if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { return true }
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&ready, 1, 10)
        } while Date() < end
        return false
    }

    /// The other side's system has acknowledged all that was sent.
    var isTaken: Bool {
        var left: Int32 = 0
        return ioctl(descriptor, UInt(TIOCOUTQ), &left) == 0 && left == 0
    }

    static let upgrade = Array(
        """
        GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n
        """.utf8)

    /// A client's frame, masked.
    static func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 4]
        let length: [UInt8] = payload.count < 126 ? [0x80 | UInt8(payload.count)] : [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        return [0x80 | opcode] + length + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }
}
