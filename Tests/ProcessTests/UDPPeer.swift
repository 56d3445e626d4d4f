import Foundation

/// A bare UDP socket on loopback.
final class UDPPeer: Sendable {
    private let descriptor: Int32
    let port: UInt16

    /// - Parameter host: of the loopback network.
    init(host: UInt32 = 0x7F00_0001) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ServerFailure(description: "no socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = host.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
        }
        guard bound else { throw ServerFailure(description: "no port") }
        port = UInt16(bigEndian: address.sin_port)
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8], to port: UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func receive() -> String? { datagram().map { String(decoding: $0, as: UTF8.self) } }

    private func datagram() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// What comes until there are so many, within five seconds.
    func datagrams(_ count: Int, within seconds: Double = 5) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        let deadline = Date().addingTimeInterval(seconds)
        while datagrams.count < count, Date() < deadline { if let datagram = datagram() { datagrams.append(datagram) } }
        return datagrams
    }

    /// Sends a packet until the other side hears it, and forgets what is heard of it there.
    func open(_ port: UInt16, to other: UDPPeer, by packet: [UInt8]) {
        let deadline = Date().addingTimeInterval(5)
        repeat { send(packet, to: port) } while other.datagram() == nil && Date() < deadline
        while other.datagram() != nil {}
    }

    /// Forgets what has come so far.
    func drain() { while receive() != nil {} }

    /// The first datagram with that text, within five seconds.
    func receive(containing text: String) -> String? {
        let deadline = Date().addingTimeInterval(5)
        while Date() < deadline {
            if let message = receive(), message.contains(text) { return message }
        }
        return nil
    }
}
