import Primitives
import Testing
import UDP

/// Somebody was waited for in vain; the line says for whom.
struct NothingHeard: Error {
    let line: Int

    init(line: Int = #line) { self.line = line }
}

/// A phone's socket: sends, and waits for what comes. A packet that never comes ends the wait after a minute.
struct Phone: ~Copyable {
    let socket: UDPSocket
    private var queue: ReadinessQueue
    private var batch = DatagramBatch(capacity: 1)

    init() throws {
        let socket = try UDPSocket(binding: .loopback(0))
        var queue = try ReadinessQueue(capacity: 1)
        try queue.add(socket.descriptor, tag: 0)
        self.socket = socket
        self.queue = queue
    }

    var address: SocketAddress { socket.address }

    mutating func send(_ packet: [UInt8], to port: UInt16) {
        batch.load(packet.span, at: 0)
        batch.enqueue(0, count: packet.count, to: .loopback(port))
        let refused = batch.flush(over: socket.descriptor)
        #expect(refused == 0)
    }

    mutating func receive() throws -> (from: UInt16, packet: [UInt8]) {
        guard queue.wait(timeoutMilliseconds: 60_000) == 1, batch.receive(from: socket) == 1 else {
            throw NothingHeard()
        }
        let count = batch.count(at: 0)
        let packet = batch.withBytes(at: 0) { bytes in bytes.withUnsafeBytes { Array($0[..<count]) } }
        return (batch.source(at: 0)?.port ?? 0, packet)
    }
}
