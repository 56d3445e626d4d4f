import Primitives
import UDP

/// One SIP address: its socket, what has been received and what is to be sent.
final class Listener {
    let socket: UDPSocket
    private var incoming = DatagramBatch(capacity: 64, datagramBytesMax: 65_535, spareBytes: 0)
    private var outgoing = DatagramBatch(capacity: 64, datagramBytesMax: 65_535, spareBytes: 0)
    private var queued = 0

    init(_ address: SocketAddress, isShared: Bool) throws(SocketError) {
        socket = try UDPSocket(binding: address, reusingPort: isShared, reportingErrors: true, receiveBufferBytes: 4 << 20)
    }

    /// Whom the network says it could not reach from here.
    func takeUnreachable() -> [SocketAddress] {
        var remotes: [SocketAddress] = []
        while remotes.count < 64, let remote = socket.takeUnreachable() { remotes.append(remote) }
        return remotes
    }

    /// What waits, as much as fits one batch; empty when nothing waits.
    func receive() -> [(bytes: [UInt8], source: SocketAddress)] {
        let count = incoming.receive(from: socket)
        var datagrams: [(bytes: [UInt8], source: SocketAddress)] = []
        datagrams.reserveCapacity(count)
        for index in 0..<count {
            guard let source = incoming.source(at: index) else { continue }
            let size = incoming.count(at: index)
            let bytes = incoming.withBytes(at: index) { span in
                unsafe span.withUnsafeBytes { unsafe Array($0.prefix(size)) }
            }
            datagrams.append((bytes, source))
        }
        return datagrams
    }

    func send(_ bytes: [UInt8], to destination: SocketAddress) {
        // UDP cannot carry more (RFC 768); SIP says so to whoever asks for it.
        guard bytes.count <= 65_507 else { return }
        outgoing.load(bytes.span, at: queued)
        outgoing.enqueue(queued, count: bytes.count, to: destination)
        queued += 1
        if queued == outgoing.capacity { flush() }
    }

    func flush() {
        guard queued > 0 else { return }
        // What the kernel refuses is lost as any datagram may be; the transactions send it again.
        _ = outgoing.flush(over: socket.descriptor)
        queued = 0
    }
}
