import OpenSSL
import Primitives
import SIP
import UDP

/// All connections of a worker, in its own thread: takes them, begins them, reads whole messages off them and writes messages to
/// them, within the limits.
struct Connections: ~Copyable {
    enum Event: Sendable {
        case message([UInt8], Hop)
        /// What was to go this way is lost; `never`: there has not been such a connection.
        case lost(Hop, never: Bool)
        case note(SignalNote)
    }

    private static let accepted = 64
    /// What one turn takes of one connection, and how many connections have their turn at once: nobody, and not all together, keeps
    /// the loop from its other duties for long.
    private static let readBytes = 16_384
    private static let turns = 64
    private static let expireAtMost = Duration.milliseconds(100)

    /// As bound, in the order that was asked for.
    let addresses: [StreamAddress]
    private let limits: StreamLimits
    private let listeners: [ListenerBox]
    private var queue: ReadinessQueue
    private var certificates: Certificates?
    private var connections: [UInt64: StreamConnection] = [:]
    /// How many each source has begun.
    private var bySource: [SocketAddress.Host: Int] = [:]
    /// The last connection to each peer.
    private var byPeer: [Peer: UInt64] = [:]
    private var nextNumber: UInt64
    private var buffer = [UInt8](repeating: 0, count: Connections.readBytes)
    private var expireAt: Instant?
    private var expiredAt = Instant.zero
    /// No file descriptor is left: nobody is taken until then.
    private var restUntil: Instant?

    private struct Peer: Hashable {
        let transport: Transport
        let remote: SocketAddress
        let name: String?
    }

    private final class ListenerBox {
        let socket: TCPListener
        init(_ socket: consuming TCPListener) { self.socket = socket }
    }

    /// - Parameter start: connections are numbered from there; another one at each start, so that an old number means nothing.
    init(_ wanted: [StreamAddress], limits: StreamLimits, certificates: Certificates?, start: UInt64) throws(SocketError) {
        var queue = try ReadinessQueue(capacity: Connections.turns)
        var listeners: [ListenerBox] = []
        var addresses: [StreamAddress] = []
        for entry in wanted {
            let listener = try TCPListener(binding: entry.address, sharingPort: entry.isShared)
            addresses.append(StreamAddress(entry.transport, listener.address, isShared: entry.isShared))
            try queue.add(listener.descriptor, tag: UInt64(listeners.count))
            listeners.append(ListenerBox(listener))
        }
        self.limits = limits
        self.certificates = certificates
        self.queue = queue
        self.listeners = listeners
        self.addresses = addresses
        nextNumber = max(start, UInt64(wanted.count) + 1)
    }

    /// Readable when `turn` has something to do.
    var descriptor: Int32 { queue.descriptor }
    var count: Int { connections.count }
    /// Connections with something that their peers have not taken yet.
    var unwritten: Int { connections.values.count { $0.hasUnwritten } }
    var nextWake: Instant? { earliest(expireAt, restUntil) }

    // MARK: Reading

    /// Everything that is ready, a part of each connection's share: the rest is ready the next time.
    mutating func turn(now: Instant, into events: inout [Event]) {
        let count = queue.wait(timeoutMilliseconds: 0)
        for index in 0..<count {
            let tag = queue.tag(at: index)
            if tag < UInt64(listeners.count) {
                accept(Int(tag), now, &events)
            } else if let connection = connections[tag] {
                if queue.isWritable(at: index) {
                    if let end = connection.connected(now: now) ?? connection.flush(now: now) {
                        close(connection, end, now, &events)
                        continue
                    }
                    watch(connection)
                }
                if connection.isParting {
                    // It has failed, as it is watched for nothing else.
                    if !connection.hasUnwritten { close(connection, .closed, now, &events) }
                } else if !connection.isConnecting {
                    read(connection, now, &events)
                }
            }
        }
    }

    private mutating func read(_ connection: StreamConnection, _ now: Instant, _ events: inout [Event]) {
        switch connection.socket.read(into: &buffer) {
        case .nothing: return
        case .end: return close(connection, .closed, now, &events)
        case .bytes(let count):
            var hasMessage = false
            for output in connection.receive(Array(buffer[..<count]), now: now) {
                switch output {
                case .message(let message):
                    hasMessage = true
                    events.append(.message(message, connection.hop))
                case .reply(let bytes):
                    if let end = connection.queue(bytes) { return close(connection, end, now, &events) }
                case .end(let end, let farewell):
                    guard hasMessage else { return close(connection, end, now, &events, farewell: farewell) }
                    connection.part(end, farewell: farewell, now: now)
                }
            }
            write(connection, now, &events)
            expect(connection)
        }
    }

    private mutating func accept(_ index: Int, _ now: Instant, _ events: inout [Event]) {
        for _ in 0..<Connections.accepted {
            switch listeners[index].socket.accept() {
            case .none: return
            case .noDescriptor:
                // The kernel keeps those who wait; looking again at once would only burn the processor.
                events.append(.note(.connection(source: addresses[index].address, .noDescriptor)))
                restUntil = now + .seconds(1)
                for (number, box) in listeners.enumerated() {
                    try? queue.change(box.socket.descriptor, tag: UInt64(number), reads: false, writes: false)
                }
                return
            case .connection(let socket):
                let source = socket.remote
                let refusal: ConnectionEnd? =
                    connections.count >= limits.connections
                    ? .tooMany : bySource[source.host.source, default: 0] >= limits.perSource ? .tooManyFromSource : nil
                if let refusal {
                    socket.resetOnClose()
                    events.append(.note(.connection(source: source, refusal)))
                } else {
                    let hop = Hop(
                        addresses[index].transport, listener: addresses[index].address, remote: source, connection: nextNumber)
                    begin(socket, hop, asked: nil, now, &events)
                }
            }
        }
    }

    private mutating func begin(
        _ socket: consuming TCPSocket, _ hop: Hop, asked: Hop?, _ now: Instant, _ events: inout [Event]
    ) {
        let source = hop.remote
        var tls: TLSSession?
        if hop.transport.isSecure {
            guard let certificates else { return events.append(.note(.connection(source: source, .handshakeFailed("no certificate")))) }
            do throws(TLSError) {
                tls =
                    if let asked {
                        try TLSSession(
                            connecting: certificates.client, to: asked.name ?? source.host.literal, isAddress: asked.name == nil)
                    } else {
                        try TLSSession(accepting: certificates.server)
                    }
            } catch {
                return events.append(.note(.connection(source: source, .handshakeFailed("\(error)"))))
            }
        }
        let connection = StreamConnection(socket, hop: hop, asked: asked, tls: tls, limits: limits, now: now)
        do throws(SocketError) {
            try queue.add(connection.socket.descriptor, tag: hop.connection, isWriter: asked != nil)
        } catch {
            return events.append(.note(.connection(source: source, .noDescriptor)))
        }
        nextNumber += 1
        connections[hop.connection] = connection
        if asked == nil { bySource[source.host.source, default: 0] += 1 }
        byPeer[Peer(transport: hop.transport, remote: source, name: asked?.name)] = hop.connection
        expect(connection)
    }

    // MARK: Writing

    mutating func send(_ message: [UInt8], by hop: Hop, now: Instant, into events: inout [Event]) {
        if let connection = connections[hop.connection] ?? existing(hop) {
            if let end = connection.send(message: message) { return close(connection, end, now, &events) }
            return write(connection, now, &events)
        }
        // A peer that came by a connection that is gone is not called back: its address then was not its own, or it comes again.
        guard hop.connection == 0, !hop.transport.isWebSocket else { return events.append(.lost(hop, never: false)) }
        guard connections.count < limits.connections, let listener = addresses.first(where: { $0.transport == hop.transport }) else {
            return events.append(.lost(hop, never: true))
        }
        var own = hop
        own.connection = nextNumber
        do throws(SocketError) {
            let socket = try TCPSocket(connectingTo: hop.remote, from: hop.listener.host)
            begin(socket, own, asked: hop, now, &events)
        } catch {
            events.append(.note(.connection(source: listener.address, .unreachable("\(error)"))))
        }
        guard let connection = connections[own.connection] else { return events.append(.lost(hop, never: true)) }
        if let end = connection.send(message: message) { close(connection, end, now, &events) }
    }

    private func existing(_ hop: Hop) -> StreamConnection? {
        byPeer[Peer(transport: hop.transport, remote: hop.remote, name: hop.name)].flatMap { connections[$0] }
    }

    private mutating func write(_ connection: StreamConnection, _ now: Instant, _ events: inout [Event]) {
        if let end = connection.flush(now: now) { return close(connection, end, now, &events) }
        watch(connection)
        if connection.hasUnwritten { expect(connection) }
    }

    private mutating func watch(_ connection: StreamConnection) {
        let wanted = connection.isConnecting || connection.hasUnwritten
        guard connection.isWatchedForWriting != wanted || connection.isParting else { return }
        connection.isWatchedForWriting = wanted
        // A descriptor that is in the queue can always be changed there.
        try? queue.change(connection.socket.descriptor, tag: connection.number, reads: !connection.isParting, writes: wanted)
    }

    // MARK: Ending

    /// Somebody has shown a right password by it.
    mutating func trust(_ hop: Hop) { connections[hop.connection]?.isTrusted = true }

    /// Ends those whose time has come, and looks after certificates.
    mutating func expire(now: Instant, into events: inout [Event]) {
        switch certificates?.refresh(now: now) {
        case .success(let count): events.append(.note(.certificates("\(count) loaded")))
        case .failure(let error): events.append(.note(.certificates("the old ones stay: \(error)")))
        case nil: break
        }
        if let until = restUntil, now >= until {
            restUntil = nil
            for (number, box) in listeners.enumerated() {
                try? queue.change(box.socket.descriptor, tag: UInt64(number), writes: false)
            }
        }
        guard let expireAt, now >= expireAt else { return }
        expiredAt = now
        self.expireAt = nil
        var due: [StreamConnection] = []
        for connection in connections.values {
            if connection.deadline.at <= now { due.append(connection) } else { expect(connection) }
        }
        // In order, because what follows from an end is told in order.
        for connection in due.sorted(by: { $0.number < $1.number }) { close(connection, connection.deadline.why, now, &events) }
    }

    /// Its deadline is looked at when it is due. One that has moved meanwhile costs one look in vain, at most ten in a second.
    private mutating func expect(_ connection: StreamConnection) {
        let at = max(connection.deadline.at, expiredAt + Connections.expireAtMost)
        expireAt = min(expireAt ?? at, at)
    }

    private mutating func close(
        _ connection: StreamConnection, _ end: ConnectionEnd, _ now: Instant, _ events: inout [Event], farewell: [UInt8] = []
    ) {
        let hop = connection.hop
        guard connections.removeValue(forKey: hop.connection) != nil else { return }
        let neverOpen = connection.isConnecting
        connection.sayGoodbye(farewell, now: now)
        if connection.asked == nil {
            let left = bySource[hop.remote.host.source, default: 1] - 1
            bySource[hop.remote.host.source] = left > 0 ? left : nil
        }
        let peer = Peer(transport: hop.transport, remote: hop.remote, name: connection.asked?.name)
        events.append(.note(.connection(source: hop.remote, end)))
        if byPeer[peer] == hop.connection {
            byPeer[peer] = nil
            // Whatever was to go by any connection to that peer went by this one.
            if connection.hasCarried {
                var any = hop
                (any.connection, any.name) = (0, peer.name)
                events.append(.lost(connection.asked ?? any, never: neverOpen))
            }
        }
        if connection.hasCarried, !neverOpen { events.append(.lost(hop, never: false)) }
    }
}

extension SocketAddress.Host {
    /// Without brackets, as a certificate has it.
    fileprivate var literal: String {
        let text = description
        return text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : text
    }
}
