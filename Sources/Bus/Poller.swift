internal import CShims
internal import CZeroMQ
internal import Glibc
public import Primitives

/// Waits for bus sockets, descriptors and a waker at once. Lives on the thread of its sockets.
///
/// What is watched reads as ready until it has been drained, so a loop may take a part and come back.
///
/// One `epoll_wait` instead of `zmq_poll`, which asks each of its sockets twice for each wait, by a system call each. libzmq makes a
/// socket's descriptor readable when something has happened to the socket since it was last looked into; and whatever sends or
/// receives looks into it by the way (zmq_getsockopt(3), ZMQ_FD). So a socket is asked what it has when its descriptor says so, and
/// before a wait when it was used since.
@safe public struct Poller: ~Copyable, Sendable {
    /// Names what is watched; of no use with another poller.
    public struct Token: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private enum Source {
        case socket(SocketHandle)
        case descriptor
        case waker(Waker)
    }

    private struct Watch: Sendable {
        let token: Token
        let source: Source
        /// In the queue; of a socket, the one of its present connection.
        var descriptor: Int32
        /// Which of its socket's lives the descriptor is from.
        var generation = 0
        var wantsWriting = false
        /// ZMQ_POLLIN, ZMQ_POLLOUT, ZMQ_POLLERR: what the latest wait has found.
        var found: Int32 = 0
    }

    /// An epoll instance.
    private let queue: Int32
    private var watches: [Watch] = []
    private var tokens: UInt64 = 0

    public init() {
        queue = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(queue >= 0, "epoll_create1: \(errno)")
    }

    deinit { _ = close(queue) }

    public mutating func add(_ socket: borrowing some BusSocket & ~Copyable) -> Token { add(handle: socket.handle) }

    mutating func add(handle: SocketHandle) -> Token { add(.socket(handle), handle.descriptor, generation: handle.generation) }

    /// - Parameter descriptor: stays the caller's, who removes it here before closing it.
    public mutating func add(descriptor: Int32) -> Token { add(.descriptor, descriptor) }

    /// A wake-up ends the wait, and is forgotten by the end of it.
    public mutating func add(_ waker: Waker) -> Token { add(.waker(waker), waker.descriptor) }

    private mutating func add(_ source: Source, _ descriptor: Int32, generation: Int = 0) -> Token {
        tokens += 1
        let token = Token(number: tokens)
        watches.append(Watch(token: token, source: source, descriptor: descriptor, generation: generation))
        control(EPOLL_CTL_ADD, descriptor, token, EPOLLIN.rawValue)
        return token
    }

    /// A token that is not watched any more changes nothing.
    public mutating func remove(_ token: Token) {
        guard let index = index(of: token) else { return }
        let watch = watches.remove(at: index)
        forget(watch.descriptor)
    }

    /// Whether a wait also ends when `token` can be written to: for a socket whose send was `.full`.
    public mutating func watchWriting(_ token: Token, _ wanted: Bool) {
        guard let index = index(of: token) else { return }
        watches[index].wantsWriting = wanted
        switch watches[index].source {
        // Its descriptor tells of both.
        case .socket(let handle): handle.isUnsettled = true
        case .descriptor, .waker:
            control(EPOLL_CTL_MOD, watches[index].descriptor, token, EPOLLIN.rawValue | (wanted ? EPOLLOUT.rawValue : 0))
        }
    }

    /// Waits until something is ready, or `deadline` has come; nil waits without end.
    /// - Returns: how many are ready. 0 also when a signal of the system cut the wait short.
    public mutating func wait(until deadline: Instant?, now: Instant) -> Int {
        guard let deadline else { return wait(for: nil) }
        return wait(for: deadline <= now ? .zero : deadline - now)
    }

    /// Whole milliseconds, rounded up: a wait does not end just before the time.
    public mutating func wait(for timeout: Duration?) -> Int {
        let deadline = timeout.map { systemInstant() + $0 }
        var rest = timeout
        while true {
            let mustLook = refresh()
            // Sockets that connect are looked after now and then, however long nothing happens.
            let slice = mustLook ? min(rest ?? lookAfter, lookAfter) : rest
            if let count = poll(slice) { return count }
            guard let deadline else { continue }
            let now = systemInstant()
            if now >= deadline { return 0 }
            rest = deadline - now
        }
    }

    /// - Returns: nil when the time has passed, or what happened was nothing to anybody.
    private mutating func poll(_ timeout: Duration?) -> Int? {
        var ready = 0
        for index in watches.indices {
            guard case .socket(let handle) = watches[index].source, handle.isUnsettled || watches[index].found != 0 else {
                watches[index].found = 0
                continue
            }
            look(index, handle)
            if watches[index].found != 0 { ready += 1 }
        }
        let milliseconds =
            ready > 0 ? 0 : timeout.map { Int32(clamping: max(0, $0.nanoseconds) / 1_000_000) + ($0.isWhole ? 0 : 1) } ?? -1
        let happened = unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: eventsAtOnce) { events in
            let count = unsafe epoll_wait(queue, events.baseAddress, Int32(events.count), milliseconds)
            for place in 0..<max(0, Int(count)) {
                let event = unsafe events[place]
                unsafe take(Token(number: event.data.u64), event.events)
            }
            return count
        }
        if happened < 0 {
            precondition(errno == EINTR, "epoll_wait: \(errno)")
            return ready
        }
        let count = watches.count { $0.found != 0 }
        return count == 0 ? nil : count
    }

    private mutating func take(_ token: Token, _ events: UInt32) {
        guard let index = index(of: token) else { return }
        switch watches[index].source {
        case .socket(let handle): look(index, handle)
        case .waker(let waker):
            waker.clear()
            watches[index].found = ZMQ_POLLIN
        case .descriptor:
            watches[index].found =
                (events & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 ? ZMQ_POLLIN : 0)
                | (events & EPOLLOUT.rawValue != 0 ? ZMQ_POLLOUT : 0) | (events & EPOLLERR.rawValue != 0 ? ZMQ_POLLERR : 0)
        }
    }

    private mutating func look(_ index: Int, _ handle: SocketHandle) {
        watches[index].found = handle.readiness & (watches[index].wantsWriting ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN)
    }

    /// Takes out what is closed, and connects again what has given up.
    /// - Returns: whether there are sockets that connect.
    private mutating func refresh() -> Bool {
        var hasClients = false
        for index in watches.indices.reversed() {
            guard case .socket(let handle) = watches[index].source else { continue }
            if handle.isClient {
                hasClients = true
                handle.heal()
            }
            if handle.isClosed {
                let watch = watches.remove(at: index)
                forget(watch.descriptor)
            } else if handle.generation != watches[index].generation {
                let former = watches[index].descriptor
                watches[index].descriptor = handle.descriptor
                watches[index].generation = handle.generation
                handle.isUnsettled = true
                forget(former)
                control(EPOLL_CTL_ADD, watches[index].descriptor, watches[index].token, EPOLLIN.rawValue)
            }
        }
        return hasClients
    }

    /// Takes a descriptor out of the queue, unless its number is another's by now: then it was closed, and has left the queue by that.
    private func forget(_ descriptor: Int32) {
        guard !watches.contains(where: { $0.descriptor == descriptor }) else { return }
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(queue, EPOLL_CTL_DEL, descriptor, &event)
    }

    private func control(_ call: Int32, _ descriptor: Int32, _ token: Token, _ events: UInt32) {
        var event = unsafe epoll_event()
        unsafe event.events = events
        unsafe event.data.u64 = token.number
        var status = unsafe epoll_ctl(queue, call, descriptor, &event)
        // A number that came back before its former owner had been taken out.
        if status != 0, errno == EEXIST { status = unsafe epoll_ctl(queue, EPOLL_CTL_MOD, descriptor, &event) }
        precondition(status == 0, "epoll_ctl: \(errno)")
    }

    /// Whether the latest wait found something to read, or an error that reading will tell.
    public func isReadable(_ token: Token) -> Bool { has(ZMQ_POLLIN | ZMQ_POLLERR, token) }

    /// Of a descriptor: whether the latest wait found an error (`EPOLLERR`), such as a report in a socket's error queue.
    public func hasError(_ token: Token) -> Bool { has(ZMQ_POLLERR, token) }

    public func isWritable(_ token: Token) -> Bool { has(ZMQ_POLLOUT, token) }

    private func has(_ events: Int32, _ token: Token) -> Bool {
        guard let index = index(of: token) else { return false }
        return watches[index].found & events != 0
    }

    // A handful of watches: looking through them costs less than a table.
    private func index(of token: Token) -> Int? { watches.firstIndex { $0.token == token } }
}

/// How long a wait leaves sockets alone.
private let lookAfter = Duration.seconds(1)

/// What is ready beyond these is found by the next wait.
private let eventsAtOnce = 32

extension Duration {
    fileprivate var isWhole: Bool { nanoseconds % 1_000_000 == 0 }
}
