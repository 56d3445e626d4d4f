internal import CShims
internal import Glibc

/// The one owner of an epoll instance: which of many descriptors can be read.
@safe package struct ReadinessQueue: ~Copyable {
    private let descriptor: Int32
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
    package mutating func add(_ readable: Int32, tag: UInt64) throws(SocketError) {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        unsafe event.data.u64 = tag
        guard unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, readable, &event) == 0 else {
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
}
