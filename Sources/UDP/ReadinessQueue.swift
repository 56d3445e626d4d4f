internal import CShims
internal import Glibc

/// The one owner of an epoll instance: which of many descriptors can be read, or written.
@safe package struct ReadinessQueue: ~Copyable {
    /// Readable itself when something in it is ready, so that one queue can be watched by another; never closed by its borrower.
    package let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private let capacity: Int

    /// - Parameter capacity: descriptors reported by one wait; the others are reported by the next.
    package init(capacity: Int) throws(SocketError) {
        precondition(capacity > 0)
        let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SocketError(call: "epoll_create1", address: nil, code: errno) }
        self.descriptor = descriptor
        self.capacity = capacity
        unsafe events = .allocate(capacity: capacity)
        unsafe events.initialize(repeating: epoll_event(), count: capacity)
    }

    deinit {
        unsafe events.deallocate()
        _ = close(descriptor)
    }

    /// - Parameter tag: comes back when `readable` can be read. The descriptor leaves the queue when it is closed.
    package mutating func add(_ readable: Int32, tag: UInt64, isWriter: Bool = false) throws(SocketError) {
        try control(EPOLL_CTL_ADD, readable, tag, reads: true, writes: isWriter)
    }

    /// Watches what is watched already for other things.
    package mutating func change(_ watched: Int32, tag: UInt64, reads: Bool = true, writes: Bool) throws(SocketError) {
        try control(EPOLL_CTL_MOD, watched, tag, reads: reads, writes: writes)
    }

    private func control(_ call: Int32, _ watched: Int32, _ tag: UInt64, reads: Bool, writes: Bool) throws(SocketError) {
        var event = unsafe epoll_event()
        unsafe event.events = (reads ? EPOLLIN.rawValue : 0) | (writes ? EPOLLOUT.rawValue : 0)
        unsafe event.data.u64 = tag
        guard unsafe epoll_ctl(descriptor, call, watched, &event) == 0 else {
            throw SocketError(call: "epoll_ctl", address: nil, code: errno)
        }
    }

    /// - Parameter timeoutMilliseconds: nil waits for as long as it takes.
    /// - Returns: how many tags can be read with `tag(at:)`; 0 after the time-out or a signal.
    package mutating func wait(timeoutMilliseconds: Int32?) -> Int {
        let count = unsafe epoll_wait(descriptor, events, Int32(capacity), timeoutMilliseconds ?? -1)
        return Int(max(0, count))
    }

    package func tag(at index: Int) -> UInt64 {
        precondition(index >= 0 && index < capacity)
        return unsafe events[index].data.u64
    }
    /// Whether it can be written to, or has failed, which writing tells.
    package func isWritable(at index: Int) -> Bool {
        precondition(index >= 0 && index < capacity)
        return unsafe events[index].events & (EPOLLOUT.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
    }
}
