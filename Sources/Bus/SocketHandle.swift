internal import CZeroMQ
internal import Glibc
private import Primitives

/// One libzmq socket and the buffer that it receives into. Closed by the noncopyable type that made it;
/// a poller may hold it longer and then finds it closed.
///
/// Sendable unchecked: libzmq lets a socket move between threads, not be shared. Its owner is noncopyable and
/// sends and receives by `mutating` methods, so the compiler keeps two threads from using it at once; a poller has
/// to live on the thread of the sockets that it watches, as `Poller` says.
@safe package final class SocketHandle: @unchecked Sendable {
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
    /// Messages that did not have the frames of the bus.
    var malformed: UInt64 = 0
    /// Received into, part after part.
    private let part: UnsafeMutablePointer<zmq_msg_t>
    private let kind: Kind
    private let side: Side
    private let endpoint: Endpoint
    private let context: BusContext
    private let domain: String?
    private let record = LinkRecord()

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
        unsafe zmq_close(open)
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
        unsafe zmq_close(former)
        unsafe raw = unsafe fresh
        try? connect()
    }

    private func open() throws(BusError) -> UnsafeMutableRawPointer {
        guard let raw = unsafe zmq_socket(context.raw, kind.type) else {
            throw BusError(call: "zmq_socket", endpoint: nil, code: zmq_errno())
        }
        do throws(BusError) {
            unsafe try apply(limits, to: raw)
            unsafe try apply(side, domain: domain, to: raw)
            // Only where it is needed: otherwise IPv4 addresses read as mapped ones.
            if endpoint.isIPv6 { unsafe try set(ZMQ_IPV6, 1, on: raw) }
            switch kind {
            case .router: unsafe try set(ZMQ_ROUTER_MANDATORY, 1, on: raw)
            case .subscriber: unsafe try set(ZMQ_SUBSCRIBE, [], on: raw)
            case .dealer, .publisher: break
            }
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
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func connect() throws(BusError) {
        guard unsafe zmq_connect(raw, endpoint.text) == 0 else {
            throw BusError(call: "zmq_connect", endpoint: endpoint.text, code: zmq_errno())
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

// Sending: a message leaves whole or not at all.
extension SocketHandle {
    /// - Parameter route: of a router's peer; nil for other sockets.
    func send(route: UInt64? = nil, _ message: BusMessage) -> SendOutcome {
        guard message.body.count <= limits.bodyBytesMax else { return .tooLarge }
        if let route {
            let bytes = (route << 24).bigEndian
            let status = unsafe withUnsafeBytes(of: bytes) { route in
                unsafe zmq_send(raw, route.baseAddress, routeBytes, ZMQ_DONTWAIT | ZMQ_SNDMORE)
            }
            let outcome = outcome(of: status)
            if outcome != .sent { return outcome }
        }
        return sendFrame(of: message)
    }

    func send(body: [UInt8]) -> SendOutcome {
        guard body.count <= limits.bodyBytesMax else { return .tooLarge }
        return outcome(of: unsafe zmq_send(raw, body, body.count, ZMQ_DONTWAIT))
    }

    /// Any frames, as they are: what tests have a peer say.
    func send(frames: [[UInt8]]) -> SendOutcome {
        for (index, frame) in frames.enumerated() {
            let flags = index + 1 < frames.count ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT
            let outcome = outcome(of: unsafe zmq_send(raw, frame, frame.count, flags))
            if outcome != .sent { return outcome }
        }
        return .sent
    }

    /// Writes `BusMessage.frame` straight into libzmq's buffer.
    private func sendFrame(of message: BusMessage) -> SendOutcome {
        let kind: FrameKind = message.id == nil ? .notice : .request
        let count = kind.headerBytes + message.body.count
        return unsafe withUnsafeTemporaryAllocation(of: zmq_msg_t.self, capacity: 1) { buffer in
            guard let frame = buffer.baseAddress, unsafe zmq_msg_init_size(frame, count) == 0,
                let data = unsafe zmq_msg_data(frame)
            else { preconditionFailure("out of memory") }
            unsafe data.storeBytes(of: kind.rawValue, as: UInt8.self)
            if let id = message.id {
                unsafe data.storeBytes(of: id.high.bigEndian, toByteOffset: 1, as: UInt64.self)
                unsafe data.storeBytes(of: id.low.bigEndian, toByteOffset: 9, as: UInt64.self)
            }
            unsafe message.body.withUnsafeBytes { body in
                guard let start = body.baseAddress else { return }
                unsafe (data + kind.headerBytes).copyMemory(from: start, byteCount: body.count)
            }
            let outcome = unsafe outcome(of: zmq_msg_send(frame, raw, ZMQ_DONTWAIT))
            if outcome != .sent { unsafe zmq_msg_close(frame) }
            return outcome
        }
    }

    private func outcome(of status: Int32) -> SendOutcome {
        if status >= 0 { return .sent }
        switch zmq_errno() {
        case EAGAIN, EINTR: return .full
        case EHOSTUNREACH: return .unreachable
        case let code: preconditionFailure("zmq_send: \(unsafe String(cString: zmq_strerror(code)))")
        }
    }
}

// Receiving: part by part into one buffer, copied out.
extension SocketHandle {
    /// - Returns: false when nothing waits.
    func receivePart() -> Bool {
        while true {
            if unsafe zmq_msg_recv(part, raw, ZMQ_DONTWAIT) >= 0 { return true }
            switch zmq_errno() {
            case EAGAIN: return false
            case EINTR: continue
            case let code: preconditionFailure("zmq_msg_recv: \(unsafe String(cString: zmq_strerror(code)))")
            }
        }
    }

    var partHasMore: Bool { unsafe zmq_msg_more(part) == 1 }

    var partBytes: [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: zmq_msg_data(part), count: zmq_msg_size(part)))
    }

    /// What the peer's handshake attached to the message: `User-Id`, and what the authenticator added.
    func partProperty(_ name: String) -> String? {
        guard let text = unsafe zmq_msg_gets(part, name) else { return nil }
        return unsafe String(cString: text)
    }

    /// The route of a router's peer, which libzmq chose: a zero and four bytes. nil when the peer chose one itself.
    var partRoute: UInt64? {
        guard unsafe zmq_msg_size(part) == routeBytes else { return nil }
        var route: UInt64 = 0
        for index in 0..<routeBytes {
            route = unsafe route << 8 | UInt64(zmq_msg_data(part).load(fromByteOffset: index, as: UInt8.self))
        }
        return route
    }

    /// The message in `part`; nil when it is malformed, which is counted. Takes all its parts.
    func message() -> BusMessage? {
        let count = unsafe zmq_msg_size(part)
        guard !partHasMore, count > 0, let data = unsafe zmq_msg_data(part),
            let kind = unsafe FrameKind(rawValue: data.load(as: UInt8.self)), count >= kind.headerBytes
        else { return dropMalformed() }
        let id: RequestID? =
            switch kind {
            case .notice: nil
            case .request:
                unsafe RequestID(
                    high: UInt64(bigEndian: data.loadUnaligned(fromByteOffset: 1, as: UInt64.self)),
                    low: UInt64(bigEndian: data.loadUnaligned(fromByteOffset: 9, as: UInt64.self)))
            }
        let body = unsafe UnsafeRawBufferPointer(start: data + kind.headerBytes, count: count - kind.headerBytes)
        return unsafe BusMessage(id: id, body: Array(body))
    }

    /// Counts the message and skips what is left of it.
    func dropMalformed<Value>() -> Value? {
        malformed += 1
        while partHasMore, receivePart() {}
        return nil
    }
}

private let routeBytes = 5

private func apply(_ limits: BusLimits, to raw: UnsafeMutableRawPointer) throws(BusError) {
    func milliseconds(_ duration: Duration) -> Int32 { Int32(clamping: duration.milliseconds) }
    unsafe try set(ZMQ_SNDHWM, limits.sendQueueMessages, on: raw)
    unsafe try set(ZMQ_RCVHWM, limits.receiveQueueMessages, on: raw)
    unsafe try set(ZMQ_LINGER, milliseconds(limits.linger), on: raw)
    unsafe try set(ZMQ_HANDSHAKE_IVL, milliseconds(limits.handshake), on: raw)
    unsafe try set(ZMQ_CONNECT_TIMEOUT, milliseconds(limits.handshake), on: raw)
    unsafe try set(ZMQ_HEARTBEAT_IVL, milliseconds(limits.heartbeatInterval), on: raw)
    unsafe try set(ZMQ_HEARTBEAT_TIMEOUT, milliseconds(limits.heartbeatTimeout), on: raw)
    unsafe try set(ZMQ_HEARTBEAT_TTL, milliseconds(limits.heartbeatTimeout), on: raw)
    unsafe try set(ZMQ_RECONNECT_IVL, milliseconds(limits.reconnect), on: raw)
    unsafe try set(ZMQ_RECONNECT_IVL_MAX, milliseconds(limits.reconnectMax), on: raw)
    // Without a connection nothing is queued: who repeats a request must not find all its copies sent later.
    unsafe try set(ZMQ_IMMEDIATE, 1, on: raw)
    // A frame on the wire carries the header, the body, and CURVE's nonce and authenticator (RFC 26 §MESSAGE).
    var frameBytesMax = Int64(limits.bodyBytesMax + 64)
    guard unsafe zmq_setsockopt(raw, ZMQ_MAXMSGSIZE, &frameBytesMax, 8) == 0 else {
        throw BusError(call: "zmq_setsockopt", endpoint: nil, code: zmq_errno())
    }
}

private func apply(_ side: SocketHandle.Side, domain: String?, to raw: UnsafeMutableRawPointer) throws(BusError) {
    switch side {
    case .server(let keys, _):
        unsafe try set(ZMQ_CURVE_SERVER, 1, on: raw)
        unsafe try set(ZMQ_CURVE_SECRETKEY, keys.secretKey, on: raw)
        unsafe try set(ZMQ_ZAP_DOMAIN, Array((domain ?? "").utf8), on: raw)
    case .client(let keys, let server):
        unsafe try set(ZMQ_CURVE_SERVERKEY, server.bytes, on: raw)
        unsafe try set(ZMQ_CURVE_PUBLICKEY, keys.publicKey.bytes, on: raw)
        unsafe try set(ZMQ_CURVE_SECRETKEY, keys.secretKey, on: raw)
    }
}

private func set(_ option: Int32, _ value: Int32, on raw: UnsafeMutableRawPointer) throws(BusError) {
    var value = value
    guard unsafe zmq_setsockopt(raw, option, &value, 4) == 0 else {
        throw BusError(call: "zmq_setsockopt", endpoint: nil, code: zmq_errno())
    }
}

private func set(_ option: Int32, _ bytes: [UInt8], on raw: UnsafeMutableRawPointer) throws(BusError) {
    guard unsafe zmq_setsockopt(raw, option, bytes, bytes.count) == 0 else {
        throw BusError(call: "zmq_setsockopt", endpoint: nil, code: zmq_errno())
    }
}
