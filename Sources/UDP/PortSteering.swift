internal import CSteering
internal import Glibc
package import Primitives

/// Has the kernel hand the datagrams of chosen ports of one address to a few sockets, whatever sockets are bound to those ports
/// (BPF sk_lookup). Only for who may (CAP_BPF and CAP_NET_ADMIN). It ends with this object, or with the process.
@safe package final class PortSteering: Sendable {
    /// Its words for the ports are written whole, by whichever thread has the port, and read by the kernel.
    nonisolated(unsafe) private let steering: ll_steering

    /// - Parameter places: sockets that datagrams can be steered to.
    package init(host: SocketAddress.Host, places: Int) throws(SocketError) {
        var steering = unsafe ll_steering()
        let bytes = host.bytesOnTheWire
        let result = unsafe ll_steering_open(bytes, UInt32(bytes.count), UInt32(places), &steering)
        guard result == 0 else { throw SocketError(call: "bpf", address: nil, code: -result) }
        unsafe self.steering = steering
    }

    deinit { unsafe ll_steering_close(steering) }

    /// - Parameter socket: of the address's family; it stays at the place until it is closed.
    package func put(_ socket: borrowing UDPSocket, at place: Int) throws(SocketError) {
        let result = unsafe ll_steering_put_socket(steering, UInt32(place), socket.descriptor)
        guard result == 0 else { throw SocketError(call: "bpf", address: nil, code: -result) }
    }

    /// From the next datagram on.
    package func steer(_ port: UInt16, to place: Int) { unsafe ll_steering_put_port(steering, port, Int32(place)) }

    /// The port's own socket gets its datagrams again.
    package func release(_ port: UInt16) { unsafe ll_steering_put_port(steering, port, -1) }
}

extension SocketAddress.Host {
    fileprivate var bytesOnTheWire: [UInt8] {
        switch self {
        case .v4(let value): bytes(of: value)
        case .v6(let high, let low): bytes(of: high) + bytes(of: low)
        }
    }

    private func bytes<Word: FixedWidthInteger>(of word: Word) -> [UInt8] {
        (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> (Word.bitWidth - 8 - $0 * 8)) }
    }
}
