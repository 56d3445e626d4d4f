internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// The thread beside a context: answers ZAP requests (RFC 27) and reads the monitors of the sockets.
///
/// It is the only place of the bus where two threads meet, and they meet in `Mutex`es: the allowlists, the
/// link records, and the list of monitors that sockets hand over.
@safe final class ContextService: Sendable {
    // A libzmq socket may change threads as long as one at a time uses it: a monitor belongs to the thread that
    // made it until it is in `arrivals`, then to the service thread; nobody keeps a second reference.
    @safe private struct Monitor: @unchecked Sendable {
        let socket: UnsafeMutableRawPointer
        let record: LinkRecord
    }

    private let authenticator: Authenticator
    private let waker: Waker
    private let arrivals = Mutex<[Monitor]>([])
    // Used by the service thread alone, once it runs.
    private nonisolated(unsafe) let zap: UnsafeMutableRawPointer
    private let thread = Mutex<pthread_t?>(nil)

    init(context: UnsafeMutableRawPointer, authenticator: Authenticator) throws(BusError) {
        let waker = try Waker()
        let zap = unsafe try inprocSocket(ZMQ_REP, in: context)
        // Bound before any socket can listen: libzmq lets everyone in when nobody answers at this endpoint.
        guard unsafe zmq_bind(zap, "inproc://zeromq.zap.01") == 0 else {
            let error = BusError(call: "zmq_bind", endpoint: nil, code: zmq_errno())
            unsafe zmq_close(zap)
            throw error
        }
        self.authenticator = authenticator
        self.waker = waker
        unsafe self.zap = unsafe zap
        var thread = pthread_t()
        // The thread keeps its own reference to this object.
        let argument = unsafe Unmanaged.passRetained(self)
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                unsafe Unmanaged<ContextService>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard status == 0 else {
            unsafe argument.release()
            unsafe zmq_close(zap)
            throw BusError(call: "pthread_create", endpoint: nil, code: status)
        }
        self.thread.withLock { $0 = thread }
    }

    /// Takes over a connected monitor socket.
    func adopt(_ monitor: UnsafeMutableRawPointer, record: LinkRecord) {
        let monitor = unsafe Monitor(socket: monitor, record: record)
        arrivals.withLock { $0.append(monitor) }
        waker.wake()
    }

    /// Waits until the thread has ended, which it does when its context is shut down.
    func join() {
        guard let thread = thread.withLock({ $0 }) else { return }
        pthread_join(thread, nil)
    }

    private func run() {
        var monitors: [Monitor] = []
        while true {
            var items: [zmq_pollitem_t] = unsafe [
                zmq_pollitem_t(socket: zap, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
                zmq_pollitem_t(socket: nil, fd: waker.descriptor, events: Int16(ZMQ_POLLIN), revents: 0),
            ]
            for monitor in monitors {
                unsafe items.append(
                    zmq_pollitem_t(socket: monitor.socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
            }
            let ready = unsafe zmq_poll(&items, Int32(items.count), -1)
            if ready < 0 {
                if zmq_errno() == EINTR { continue }
                break  // ETERM: the context is shut down
            }
            if unsafe items[0].revents != 0 { answerHandshakes() }
            for index in monitors.indices.reversed() where unsafe items[index + 2].revents != 0 {
                if drain(monitors[index]) { continue }
                unsafe zmq_close(monitors[index].socket)
                monitors.remove(at: index)
            }
            if unsafe items[1].revents != 0 {
                waker.clear()
                monitors += takeArrivals()
            }
        }
        unsafe zmq_close(zap)
        for monitor in monitors + takeArrivals() { unsafe zmq_close(monitor.socket) }
    }

    private func takeArrivals() -> [Monitor] {
        arrivals.withLock { arrivals in
            defer { arrivals = [] }
            return arrivals
        }
    }

    private func answerHandshakes() {
        while let request = unsafe receiveFrames(zap) {
            let reply = authenticator.answer(request)
            for (index, frame) in reply.enumerated() {
                let flags = index + 1 < reply.count ? ZMQ_SNDMORE : 0
                unsafe zmq_send(zap, frame, frame.count, flags)
            }
        }
    }

    /// - Returns: false when the watched socket is gone.
    private func drain(_ monitor: Monitor) -> Bool {
        while let frames = unsafe receiveFrames(monitor.socket) {
            // The event's number in the first two bytes, in the machine's order (zmq_socket_monitor(3)).
            guard let first = frames.first, first.count == 6 else { continue }
            let event = Int32(UInt16(littleEndian: UInt16(first[0]) | UInt16(first[1]) << 8))
            if event == ZMQ_EVENT_MONITOR_STOPPED { return false }
            monitor.record.count(event)
        }
        return true
    }
}

/// All frames of one waiting message; nil when none waits.
private func receiveFrames(_ socket: UnsafeMutableRawPointer) -> [[UInt8]]? {
    var frames: [[UInt8]] = []
    var part = zmq_msg_t()
    return unsafe withUnsafeMutablePointer(to: &part) { part in
        unsafe zmq_msg_init(part)
        defer { unsafe zmq_msg_close(part) }
        repeat {
            guard unsafe zmq_msg_recv(part, socket, ZMQ_DONTWAIT) >= 0 else { return nil }
            frames.append(
                unsafe Array(UnsafeRawBufferPointer(start: zmq_msg_data(part), count: zmq_msg_size(part))))
        } while unsafe zmq_msg_more(part) == 1
        return frames
    }
}
