internal import CShims
internal import Glibc
package import Primitives

/// Buffers for many datagrams, received with one system call and sent on, from where they lie, with one more.
///
/// Everything is allocated when the batch is made; receiving, changing in place and sending allocate nothing.
@safe package struct DatagramBatch: ~Copyable {
    /// Datagrams received at once.
    package let capacity: Int
    /// Longest datagram taken whole; a longer one is cut and marked.
    package let datagramBytesMax: Int
    private let stride: Int
    private let bytes: UnsafeMutableRawPointer
    private let incoming: UnsafeMutablePointer<shims_message>
    private let outgoing: UnsafeMutablePointer<shims_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let addresses: UnsafeMutablePointer<SystemAddress>
    /// Where the kernel says to which address a datagram came; nil: it is not asked.
    private let controls: UnsafeMutablePointer<OriginalDestination>?
    private var queued = 0
    /// Of the newest call.
    private var received = 0
    /// In front of each datagram, for the headers of one that is sent by a `PortSender`.
    private static let headroom = 64

    /// - Parameters:
    ///   - spareBytes: room after each datagram for what is appended in place (an SRTP tag).
    ///   - readsDestinations: for sockets that get the datagrams of many ports, see `destinationPort(at:)`.
    package init(capacity: Int, datagramBytesMax: Int = 2_048, spareBytes: Int = 256, readsDestinations: Bool = false) {
        precondition(capacity > 0 && datagramBytesMax > 0 && spareBytes >= 0)
        self.capacity = capacity
        self.datagramBytesMax = datagramBytesMax
        stride = (Self.headroom + datagramBytesMax + spareBytes + 63) & ~63
        unsafe bytes = .allocate(byteCount: stride * capacity, alignment: 64)
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: stride * capacity)
        unsafe incoming = .allocate(capacity: capacity)
        unsafe incoming.initialize(repeating: shims_message(), count: capacity)
        unsafe outgoing = .allocate(capacity: capacity)
        unsafe outgoing.initialize(repeating: shims_message(), count: capacity)
        // The first half serves `incoming`, the second `outgoing`.
        unsafe vectors = .allocate(capacity: capacity * 2)
        unsafe vectors.initialize(repeating: iovec(), count: capacity * 2)
        unsafe addresses = .allocate(capacity: capacity * 2)
        unsafe addresses.initialize(repeating: SystemAddress(), count: capacity * 2)
        if readsDestinations {
            let controls = UnsafeMutablePointer<OriginalDestination>.allocate(capacity: capacity)
            unsafe controls.initialize(repeating: OriginalDestination(), count: capacity)
            unsafe self.controls = controls
        } else {
            unsafe controls = nil
        }
        for index in 0..<capacity {
            unsafe incoming[index].header.msg_iov = vectors + index
            unsafe incoming[index].header.msg_iovlen = 1
            unsafe incoming[index].header.msg_name = UnsafeMutableRawPointer(addresses + index)
            unsafe outgoing[index].header.msg_iov = vectors + capacity + index
            unsafe outgoing[index].header.msg_iovlen = 1
            unsafe outgoing[index].header.msg_name = UnsafeMutableRawPointer(addresses + capacity + index)
            unsafe vectors[index].iov_base = bytes + index * stride + Self.headroom
            unsafe vectors[index].iov_len = datagramBytesMax
            if let controls = unsafe controls { unsafe incoming[index].header.msg_control = UnsafeMutableRawPointer(controls + index) }
        }
        received = capacity
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe incoming.deallocate()
        unsafe outgoing.deallocate()
        unsafe vectors.deallocate()
        unsafe addresses.deallocate()
        unsafe controls?.deallocate()
    }

    /// Takes what is waiting, up to `capacity`, and forgets what was received before.
    /// - Returns: 0 when nothing waits; an error that the kernel had kept for the socket also reads as nothing.
    package mutating func receive(from socket: borrowing UDPSocket) -> Int { receive(descriptor: socket.descriptor) }

    package mutating func receive(descriptor: Int32) -> Int {
        queued = 0
        // The kernel has written how much of these it used.
        for index in 0..<received {
            unsafe incoming[index].header.msg_namelen = socklen_t(MemoryLayout<SystemAddress>.size)
            if unsafe controls != nil { unsafe incoming[index].header.msg_controllen = MemoryLayout<OriginalDestination>.size }
        }
        let count = unsafe shims_receive_messages(descriptor, incoming, UInt32(capacity), Int32(MSG_DONTWAIT))
        received = Int(max(0, count))
        return received
    }

    package func count(at index: Int) -> Int {
        precondition(index >= 0 && index < capacity)
        return unsafe Int(incoming[index].count)
    }

    /// The datagram was longer than `datagramBytesMax`.
    package func isTruncated(at index: Int) -> Bool {
        precondition(index >= 0 && index < capacity)
        return unsafe incoming[index].header.msg_flags & Int32(MSG_TRUNC) != 0
    }

    /// nil for a family that is neither IPv4 nor IPv6.
    package func source(at index: Int) -> SocketAddress? {
        precondition(index >= 0 && index < capacity)
        return unsafe SocketAddress(reading: addresses + index)
    }

    /// The port to which it was sent, whatever socket it was received from; nil: the socket does not tell
    /// (`UDPSocket(reportingDestinations:)`).
    package func destinationPort(at index: Int) -> UInt16? {
        precondition(index >= 0 && index < capacity)
        guard let controls = unsafe controls, unsafe incoming[index].header.msg_controllen > 0 else { return nil }
        return unsafe controls[index].port
    }

    /// The datagram's buffer, spare room included.
    package mutating func withBytes<Result>(at index: Int, _ body: (inout MutableRawSpan) -> Result) -> Result {
        precondition(index >= 0 && index < capacity)
        var span = unsafe MutableRawSpan(_unsafeStart: bytes + index * stride + Self.headroom, byteCount: stride - Self.headroom)
        return body(&span)
    }

    /// Puts the first `count` bytes of a buffer among those to send, in order.
    package mutating func enqueue(_ index: Int, count: Int, to destination: SocketAddress) {
        precondition(index >= 0 && index < capacity && count >= 0 && count <= stride - Self.headroom && queued < capacity)
        unsafe vectors[capacity + queued].iov_base = bytes + index * stride + Self.headroom
        unsafe vectors[capacity + queued].iov_len = count
        unsafe outgoing[queued].header.msg_namelen = destination.write(to: addresses + capacity + queued)
        queued += 1
    }

    /// The same, with headers that name the source too: for a `PortSender`.
    /// - Returns: whether it was put in: not if source and destination are of different families.
    package mutating func enqueue(_ index: Int, count: Int, from source: SocketAddress, to destination: SocketAddress) -> Bool {
        precondition(index >= 0 && index < capacity && count >= 0 && count <= stride - Self.headroom && queued < capacity)
        let payload = unsafe bytes + index * stride + Self.headroom
        guard let headerBytes = unsafe PacketHeaders.write(before: payload, count: count, from: source, to: destination) else { return false }
        unsafe vectors[capacity + queued].iov_base = payload - headerBytes
        unsafe vectors[capacity + queued].iov_len = headerBytes + count
        // The port stands in the header; a raw socket of IPv6 refuses one here.
        let host = SocketAddress(destination.host, port: 0)
        unsafe outgoing[queued].header.msg_namelen = host.write(to: addresses + capacity + queued)
        queued += 1
        return true
    }

    package var hasQueued: Bool { queued > 0 }

    /// Sends what was put in, and empties the queue.
    /// - Returns: how many the kernel refused (no route, wrong family, full buffer); UDP loses those.
    package mutating func flush(over descriptor: Int32) -> Int {
        var next = 0
        var refused = 0
        var reports = 0
        while next < queued {
            let sent = unsafe shims_send_messages(
                descriptor, outgoing + next, UInt32(queued - next), Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            if sent > 0 {
                next += Int(sent)
            } else if errno == ECONNREFUSED, reports < capacity {
                // A report about an earlier datagram (see `reportingErrors`), not about this one: again.
                reports += 1
            } else if errno != EINTR {
                // The call stops at the first message that fails: that one is lost, the rest go on.
                refused += 1
                next += 1
            }
        }
        queued = 0
        return refused
    }

    /// Copies `payload` into buffer `index`, for senders that bring their own bytes.
    package mutating func load(_ payload: Span<UInt8>, at index: Int) {
        precondition(index >= 0 && index < capacity && payload.count <= stride - Self.headroom)
        unsafe payload.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe (bytes + index * stride + Self.headroom).copyMemory(from: base, byteCount: source.count)
        }
    }
}
