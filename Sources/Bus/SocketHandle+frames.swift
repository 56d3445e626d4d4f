internal import CZeroMQ
internal import Glibc

// Sending: a message leaves whole or not at all.
extension SocketHandle {
    /// - Parameter route: of a router's peer; nil for other sockets.
    func send(route: UInt64? = nil, _ message: BusMessage) -> SendOutcome {
        guard message.body.count <= limits.bodyBytesMax else { return .tooLarge }
        if let route {
            let status = unsafe withUnsafeBytes(of: Self.leftAligned(route)) { route in
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
        isUnsettled = true
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
            if unsafe zmq_msg_recv(part, raw, ZMQ_DONTWAIT) >= 0 {
                isUnsettled = true
                return true
            }
            switch zmq_errno() {
            case EAGAIN:
                // It has looked for more before it said so: what comes from here on makes the descriptor readable.
                isUnsettled = false
                return false
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

    /// The route of a router's peer: a zero and four bytes where libzmq chose it, `LocalServer`'s for a guest of this process. nil when
    /// it is of another length, as only a peer that chose one itself can have.
    var partRoute: UInt64? {
        guard unsafe zmq_msg_size(part) == routeBytes else { return nil }
        var route: UInt64 = 0
        for index in 0..<routeBytes {
            route = unsafe route << 8 | UInt64(zmq_msg_data(part).load(fromByteOffset: index, as: UInt8.self))
        }
        return route
    }

    /// A route as libzmq has it.
    static func bytes(ofRoute route: UInt64) -> [UInt8] { unsafe withUnsafeBytes(of: leftAligned(route)) { unsafe Array($0.prefix(routeBytes)) } }

    private static func leftAligned(_ route: UInt64) -> UInt64 { (route << 24).bigEndian }

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
