internal import CZeroMQ
internal import Glibc
package import Primitives

/// Waits for bus sockets, descriptors and a waker at once (zmq_poll). Lives on the thread of its sockets.
///
/// What is watched reads as ready until it has been drained, so a loop may take a part and come back.
@safe package struct Poller: ~Copyable, Sendable {
    /// Names what is watched; of no use with another poller.
    package struct Token: Hashable, Sendable {
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
    }

    private var watches: [Watch] = []
    // Holds pointers of sockets that `watches` keeps; a closed one is taken out before the next wait.
    private nonisolated(unsafe) var items: [zmq_pollitem_t] = unsafe []
    private var tokens: UInt64 = 0

    package init() {}

    package mutating func add(_ socket: borrowing some BusSocket & ~Copyable) -> Token { add(handle: socket.handle) }

    mutating func add(handle: SocketHandle) -> Token {
        unsafe add(.socket(handle), zmq_pollitem_t(socket: handle.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    /// - Parameter descriptor: stays the caller's, who removes it here before closing it.
    package mutating func add(descriptor: Int32) -> Token {
        unsafe add(.descriptor, zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    /// A wake-up ends the wait, and is forgotten by the end of it.
    package mutating func add(_ waker: Waker) -> Token {
        unsafe add(
            .waker(waker), zmq_pollitem_t(socket: nil, fd: waker.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    private mutating func add(_ source: Source, _ item: zmq_pollitem_t) -> Token {
        tokens += 1
        let token = Token(number: tokens)
        watches.append(Watch(token: token, source: source))
        unsafe items.append(item)
        return token
    }

    /// A token that is not watched any more changes nothing.
    package mutating func remove(_ token: Token) {
        guard let index = index(of: token) else { return }
        watches.remove(at: index)
        unsafe items.remove(at: index)
    }

    /// Whether a wait also ends when `token` can be written to: for a socket whose send was `.full`.
    package mutating func watchWriting(_ token: Token, _ wanted: Bool) {
        guard let index = index(of: token) else { return }
        unsafe items[index].events = Int16(wanted ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN)
    }

    /// Waits until something is ready, or `deadline` has come; nil waits without end.
    /// - Returns: how many are ready. 0 also when a signal of the system cut the wait short.
    package mutating func wait(until deadline: Instant?, now: Instant) -> Int {
        guard let deadline else { return wait(for: nil) }
        return wait(for: deadline <= now ? .zero : deadline - now)
    }

    /// Whole milliseconds, rounded up: a wait does not end just before the time.
    package mutating func wait(for timeout: Duration?) -> Int {
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

    /// - Returns: nil when the time has passed.
    private mutating func poll(_ timeout: Duration?) -> Int? {
        let milliseconds =
            timeout.map { Int(clamping: max(0, $0.nanoseconds) / 1_000_000) + ($0.isWhole ? 0 : 1) } ?? -1
        let count = unsafe zmq_poll(&items, Int32(items.count), milliseconds)
        if count < 0 {
            let code = zmq_errno()
            precondition(code == EINTR, "zmq_poll: \(unsafe String(cString: zmq_strerror(code)))")
            for index in watches.indices { unsafe items[index].revents = 0 }
            return 0
        }
        for (index, watch) in watches.enumerated() where unsafe items[index].revents != 0 {
            if case .waker(let waker) = watch.source { waker.clear() }
        }
        return count == 0 ? nil : Int(count)
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
            if unsafe handle.raw == nil {
                watches.remove(at: index)
                unsafe items.remove(at: index)
            } else {
                unsafe items[index].socket = unsafe handle.raw
            }
        }
        return hasClients
    }

    /// Whether the latest wait found something to read, or an error that reading will tell.
    package func isReadable(_ token: Token) -> Bool { has(ZMQ_POLLIN | ZMQ_POLLERR, token) }

    package func isWritable(_ token: Token) -> Bool { has(ZMQ_POLLOUT, token) }

    private func has(_ events: Int32, _ token: Token) -> Bool {
        guard let index = index(of: token) else { return false }
        return unsafe Int32(items[index].revents) & events != 0
    }

    // A handful of watches: looking through them costs less than a table.
    private func index(of token: Token) -> Int? { watches.firstIndex { $0.token == token } }
}

/// How long a wait leaves sockets alone.
private let lookAfter = Duration.seconds(1)

extension Duration {
    fileprivate var isWhole: Bool { nanoseconds % 1_000_000 == 0 }
}
