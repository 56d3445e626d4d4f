import Primitives
import UDP

/// A datagram that a test's socket has received.
struct Heard {
    let source: SocketAddress?
    /// For sockets that report it.
    let destinationPort: UInt16?
    let bytes: [UInt8]
    let isTruncated: Bool
}

/// So many datagrams, or what came within a minute: a busy kernel delivers over loopback after the sender's call has returned.
func receive(_ count: Int, from socket: borrowing UDPSocket, datagramBytesMax: Int = 2_048) throws -> [Heard] {
    var queue = try ReadinessQueue(capacity: 1)
    try queue.add(socket.descriptor, tag: 0)
    var batch = DatagramBatch(capacity: 16, datagramBytesMax: datagramBytesMax, readsDestinations: true)
    var heard: [Heard] = []
    while heard.count < count, queue.wait(timeoutMilliseconds: 60_000) == 1 {
        for index in 0..<batch.receive(from: socket) {
            let bytes = min(batch.count(at: index), datagramBytesMax)
            heard.append(
                Heard(
                    source: batch.source(at: index), destinationPort: batch.destinationPort(at: index),
                    bytes: batch.withBytes(at: index) { span in span.withUnsafeBytes { Array($0[..<bytes]) } }, isTruncated: batch.isTruncated(at: index)))
        }
    }
    return heard
}
