internal import CZeroMQ
internal import Synchronization

/// The one owner of a libzmq context: its I/O thread, and the service thread that answers handshakes.
///
/// Every socket keeps its context alive, so the last one to go ends both threads.
@safe public final class BusContext: Sendable {
    // libzmq's contexts may be used from any thread; this one ends with its only owner.
    nonisolated(unsafe) let raw: UnsafeMutableRawPointer
    let authenticator = Authenticator()
    private let service: ContextService
    /// Names of endpoints within the process.
    private let names = Atomic<UInt64>(0)
    private let joinsInside: Bool
    /// The servers of this context by the endpoints that they are bound to.
    private let servers = Mutex<[String: LocalServer]>([:])

    /// - Parameter joinsInside: whether dealers and subscribers reach the routers and publishers of this same context without TCP and
    ///   CURVE, by the endpoints that these are bound to: for processes that run several roles.
    public init(joinsInside: Bool = false) throws(BusError) {
        self.joinsInside = joinsInside
        guard unsafe zmq_has("curve") == 1 else { throw .curveUnavailable }
        guard let raw = unsafe zmq_ctx_new() else {
            throw BusError(call: "zmq_ctx_new", endpoint: nil, code: zmq_errno())
        }
        unsafe zmq_ctx_set(raw, ZMQ_MAX_SOCKETS, 8_192)
        do throws(BusError) {
            service = unsafe try ContextService(context: raw, authenticator: authenticator)
        } catch {
            unsafe zmq_ctx_term(raw)
            throw error
        }
        unsafe self.raw = unsafe raw
    }

    deinit {
        // Every socket is closed by now. The shutdown ends the service thread, which closes its own.
        unsafe zmq_ctx_shutdown(raw)
        service.join()
        unsafe zmq_ctx_term(raw)
    }

    /// Makes the way into a server that listens on `endpoint` for clients of this context; nil where they take the others' way.
    func open(
        _ socket: UnsafeMutableRawPointer, known endpoint: String, key: CurvePublicKey, allowing allowlist: Allowlist, record: LinkRecord
    ) throws(BusError) -> LocalServer? {
        guard joinsInside else { return nil }
        let inside = "inproc://server-\(names.wrappingAdd(1, ordering: .relaxed).newValue)"
        guard unsafe zmq_bind(socket, inside) == 0 else {
            throw BusError(call: "zmq_bind", endpoint: nil, code: zmq_errno())
        }
        let server = LocalServer(inside, key: key, allowing: allowlist, record: record)
        servers.withLock { $0[endpoint] = server }
        return server
    }

    func close(_ server: LocalServer, known endpoint: String) {
        servers.withLock { if $0[endpoint] === server { $0[endpoint] = nil } }
        server.close()
    }

    func server(known endpoint: String) -> LocalServer? { servers.withLock { $0[endpoint] } }

    /// Counts what the monitor of `socket` tells, until the socket is closed.
    func watch(_ socket: UnsafeMutableRawPointer, into record: LinkRecord) throws(BusError) {
        let endpoint = "inproc://monitor-\(names.wrappingAdd(1, ordering: .relaxed).newValue)"
        let events =
            ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
            | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_MONITOR_STOPPED
        guard unsafe zmq_socket_monitor(socket, endpoint, events) == 0 else {
            throw BusError(call: "zmq_socket_monitor", endpoint: nil, code: zmq_errno())
        }
        // Connected here, before the first event: libzmq's I/O thread would wait for somebody to take it.
        let monitor = unsafe try inprocSocket(ZMQ_PAIR, in: raw)
        guard unsafe zmq_connect(monitor, endpoint) == 0 else {
            let error = BusError(call: "zmq_connect", endpoint: nil, code: zmq_errno())
            unsafe zmq_close(monitor)
            throw error
        }
        unsafe service.adopt(monitor, record: record)
    }
}

/// A socket within this process, whose queue has no end: what arrives is bounded by its senders.
func inprocSocket(_ type: Int32, in context: UnsafeMutableRawPointer) throws(BusError) -> UnsafeMutableRawPointer {
    guard let socket = unsafe zmq_socket(context, type) else {
        throw BusError(call: "zmq_socket", endpoint: nil, code: zmq_errno())
    }
    var zero: Int32 = 0
    unsafe zmq_setsockopt(socket, ZMQ_LINGER, &zero, 4)
    unsafe zmq_setsockopt(socket, ZMQ_RCVHWM, &zero, 4)
    unsafe zmq_setsockopt(socket, ZMQ_SNDHWM, &zero, 4)
    return unsafe socket
}
