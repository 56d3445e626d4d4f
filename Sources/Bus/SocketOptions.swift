internal import CZeroMQ
internal import Primitives

/// Sets the options of a socket that is being made.
@safe struct SocketOptions {
    let raw: UnsafeMutableRawPointer

    func apply(_ limits: BusLimits) throws(BusError) {
        func milliseconds(_ duration: Duration) -> Int32 { Int32(clamping: duration.milliseconds) }
        try set(ZMQ_SNDHWM, limits.sendQueueMessages)
        try set(ZMQ_RCVHWM, limits.receiveQueueMessages)
        try set(ZMQ_LINGER, milliseconds(limits.linger))
        try set(ZMQ_HANDSHAKE_IVL, milliseconds(limits.handshake))
        try set(ZMQ_CONNECT_TIMEOUT, milliseconds(limits.handshake))
        try set(ZMQ_HEARTBEAT_IVL, milliseconds(limits.heartbeatInterval))
        try set(ZMQ_HEARTBEAT_TIMEOUT, milliseconds(limits.heartbeatTimeout))
        try set(ZMQ_HEARTBEAT_TTL, milliseconds(limits.heartbeatTimeout))
        try set(ZMQ_RECONNECT_IVL, milliseconds(limits.reconnect))
        try set(ZMQ_RECONNECT_IVL_MAX, milliseconds(limits.reconnectMax))
        // Without a connection nothing is queued: who repeats a request must not find all its copies sent later.
        try set(ZMQ_IMMEDIATE, 1)
        // A frame on the wire carries the header, the body, and CURVE's nonce and authenticator (RFC 26 §MESSAGE).
        var frameBytesMax = Int64(limits.bodyBytesMax + 64)
        guard unsafe zmq_setsockopt(raw, ZMQ_MAXMSGSIZE, &frameBytesMax, 8) == 0 else {
            throw BusError(call: "zmq_setsockopt", endpoint: nil, code: zmq_errno())
        }
    }

    func apply(_ side: SocketHandle.Side, domain: String?) throws(BusError) {
        switch side {
        case .server(let keys, _):
            try set(ZMQ_CURVE_SERVER, 1)
            try set(ZMQ_CURVE_SECRETKEY, keys.secretKey)
            try set(ZMQ_ZAP_DOMAIN, Array((domain ?? "").utf8))
        case .client(let keys, let server):
            try set(ZMQ_CURVE_SERVERKEY, server.bytes)
            try set(ZMQ_CURVE_PUBLICKEY, keys.publicKey.bytes)
            try set(ZMQ_CURVE_SECRETKEY, keys.secretKey)
        }
    }

    func apply(_ kind: SocketHandle.Kind, isIPv6: Bool) throws(BusError) {
        switch kind {
        case .router: try set(ZMQ_ROUTER_MANDATORY, 1)
        case .subscriber: try set(ZMQ_SUBSCRIBE, [])
        case .dealer, .publisher: break
        }
        // Only where it is needed: otherwise IPv4 addresses read as mapped ones.
        if isIPv6 { try set(ZMQ_IPV6, 1) }
    }

    /// The route by which a router knows this dealer, as `Router.Peer` has it.
    func apply(route: UInt64) throws(BusError) {
        try set(ZMQ_ROUTING_ID, SocketHandle.bytes(ofRoute: route))
    }

    private func set(_ option: Int32, _ value: Int32) throws(BusError) {
        var value = value
        guard unsafe zmq_setsockopt(raw, option, &value, 4) == 0 else {
            throw BusError(call: "zmq_setsockopt", endpoint: nil, code: zmq_errno())
        }
    }

    private func set(_ option: Int32, _ bytes: [UInt8]) throws(BusError) {
        guard unsafe zmq_setsockopt(raw, option, bytes, bytes.count) == 0 else {
            throw BusError(call: "zmq_setsockopt", endpoint: nil, code: zmq_errno())
        }
    }
}
