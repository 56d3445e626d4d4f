internal import CZeroMQ
internal import Glibc

/// One libzmq socket and the buffer that it receives into. Closed by the noncopyable type that made it;
/// a poller may hold it longer and then finds it closed.
///
/// Sendable unchecked: libzmq lets a socket move between threads, not be shared. Its owner is noncopyable and
/// sends and receives by `mutating` methods, so the compiler keeps two threads from using it at once; a poller has
/// to live on the thread of the sockets that it watches, as `Poller` says.
@safe public final class SocketHandle: @unchecked Sendable {
    enum Kind {
        case dealer, router, publisher, subscriber
    }

    enum Side {
        /// Who listens, with its allowlist.
        case server(CurveKeyPair, Allowlist)
        /// Who connects, and the key that the server must have.
        case client(CurveKeyPair, server: CurvePublicKey)
    }

    let limits: BusLimits
    private(set) var raw: UnsafeMutableRawPointer?
    /// Goes up when `raw` is another socket than before.
    private(set) var generation = 0
    /// It was used since `readiness` was asked for, so its descriptor may have nothing to say of what has come.
    var isUnsettled = true
    /// Messages that did not have the frames of the bus.
    var malformed: UInt64 = 0
    /// Received into, part after part.
    let part: UnsafeMutablePointer<zmq_msg_t>
    private let kind: Kind
    private let side: Side
    private let endpoint: Endpoint
    private let context: BusContext
    private let domain: String?
    private let record = LinkRecord()
    /// Whether it meets its peers within the process.
    private var inside = Inside.no

    private enum Inside {
        case no
        /// Which waits for clients of its context, and the endpoint that they know it by.
        case host(LocalServer, endpoint: String)
        /// A client, by its route.
        case guest(LocalServer, route: UInt64)
    }

    private init(
        _ kind: Kind, _ side: Side, _ endpoint: Endpoint, limits: BusLimits, in context: BusContext
    ) throws(BusError) {
        let domain: String? =
            switch side {
            case .server(_, let allowlist): context.authenticator.register(allowlist)
            case .client: nil
            }
        unsafe part = .allocate(capacity: 1)
        unsafe part.initialize(to: zmq_msg_t())
        unsafe zmq_msg_init(part)
        self.kind = kind
        self.side = side
        self.endpoint = endpoint
        self.limits = limits
        self.context = context
        self.domain = domain
        unsafe raw = unsafe try open()
    }

    deinit {
        close()
        if let domain { context.authenticator.unregister(domain: domain) }
        unsafe zmq_msg_close(part)
        unsafe part.deallocate()
    }

    static func connected(
        _ kind: Kind, to endpoint: String, server: CurvePublicKey, as keys: CurveKeyPair, limits: BusLimits,
        in context: BusContext
    ) throws(BusError) -> SocketHandle {
        let endpoint = try Endpoint(connecting: endpoint)
        let handle = try SocketHandle(kind, .client(keys, server: server), endpoint, limits: limits, in: context)
        try handle.connect()
        return handle
    }

    /// - Returns: also the endpoint as bound: with the port that the system chose when `*` was asked for.
    static func listening(
        _ kind: Kind, on endpoint: String, as keys: CurveKeyPair, allowing allowlist: Allowlist, limits: BusLimits,
        in context: BusContext
    ) throws(BusError) -> (SocketHandle, endpoint: String) {
        let endpoint = try Endpoint(listening: endpoint)
        let handle = try SocketHandle(kind, .server(keys, allowlist), endpoint, limits: limits, in: context)
        return (handle, try handle.bind())
    }

    /// What was accepted is still sent, for `BusLimits.linger`.
    func close() {
        guard let open = unsafe raw else { return }
        unsafe raw = nil
        leaveInside()
        unsafe zmq_close(open)
    }

    private func leaveInside() {
        switch inside {
        case .no: break
        case .host(let server, let endpoint): context.close(server, known: endpoint)
        case .guest(let server, let route): server.leave(route)
        }
        inside = .no
    }

    /// The name and the enrolment of who came in by `route` from this process.
    func guest(_ route: UInt64) -> LocalServer.Guest? {
        guard case .host(let server, _) = inside else { return nil }
        return server.guest(route)
    }

    var isClosed: Bool { unsafe raw == nil }

    /// Readable when something has happened to the socket since it was last looked into (zmq_getsockopt(3), ZMQ_FD); libzmq's own.
    var descriptor: Int32 { option(ZMQ_FD) }

    /// ZMQ_POLLIN, ZMQ_POLLOUT: what can be done with it now.
    var readiness: Int32 {
        isUnsettled = false
        return option(ZMQ_EVENTS)
    }

    private func option(_ name: Int32) -> Int32 {
        guard let raw = unsafe raw else { return 0 }
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        let status = unsafe zmq_getsockopt(raw, name, &value, &size)
        precondition(status == 0, "zmq_getsockopt: \(unsafe String(cString: zmq_strerror(zmq_errno())))")
        return value
    }

    var link: LinkCounters { record.counters }

    /// Whether this socket connects, and so may need `heal`.
    var isClient: Bool {
        switch side {
        case .client: true
        case .server: false
        }
    }

    /// Connects again where libzmq has given up.
    ///
    /// libzmq tries again after a lost connection, but never after a protocol error or a refusal: a worker that was
    /// started before it was enrolled would stay out for ever. So its socket is replaced, after the longest pause.
    func heal() {
        guard record.isEnded(for: limits.reconnectMax), let former = unsafe raw else { return }
        record.begin()
        // Without memory or descriptors for it, the former stays, to be tried again after the next pause.
        guard let fresh = unsafe try? open() else { return record.end() }
        leaveInside()
        unsafe zmq_close(former)
        unsafe raw = unsafe fresh
        generation += 1
        try? connect()
    }

    private func open() throws(BusError) -> UnsafeMutableRawPointer {
        guard let raw = unsafe zmq_socket(context.raw, kind.type) else {
            throw BusError(call: "zmq_socket", endpoint: nil, code: zmq_errno())
        }
        do throws(BusError) {
            let options = unsafe SocketOptions(raw: raw)
            try options.apply(limits)
            try options.apply(side, domain: domain)
            try options.apply(kind, isIPv6: endpoint.isIPv6)
            unsafe try context.watch(raw, into: record)
        } catch {
            unsafe zmq_close(raw)
            throw error
        }
        return unsafe raw
    }

    private func bind() throws(BusError) -> String {
        guard unsafe zmq_bind(raw, endpoint.text) == 0 else {
            throw BusError(call: "zmq_bind", endpoint: endpoint.text, code: zmq_errno())
        }
        var text = [CChar](repeating: 0, count: 256)
        var count = text.count
        guard unsafe zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &text, &count) == 0 else { return endpoint.text }
        let bound = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if case .server(let keys, let allowlist) = side, let raw = unsafe raw,
            let server = unsafe try context.open(raw, known: bound, key: keys.publicKey, allowing: allowlist, record: record)
        {
            inside = .host(server, endpoint: bound)
        }
        return bound
    }

    private func connect() throws(BusError) {
        if case .client(let keys, let key) = side, let server = context.server(known: endpoint.text) {
            let route = try server.join(as: keys.publicKey, expecting: key, record: record) { route throws(BusError) in
                unsafe try SocketOptions(raw: raw!).apply(route: route)
                try connect(to: server.endpoint)
            }
            if let route { inside = .guest(server, route: route) }
        } else {
            try connect(to: endpoint.text)
        }
    }

    private func connect(to endpoint: String) throws(BusError) {
        guard unsafe zmq_connect(raw, endpoint) == 0 else {
            throw BusError(call: "zmq_connect", endpoint: endpoint, code: zmq_errno())
        }
    }
}

extension SocketHandle.Kind {
    fileprivate var type: Int32 {
        switch self {
        case .dealer: ZMQ_DEALER
        case .router: ZMQ_ROUTER
        case .publisher: ZMQ_PUB
        case .subscriber: ZMQ_SUB
        }
    }
}
