import OpenSSL
import Primitives
import SIP
import UDP

/// One connection: its socket, TLS if it has it, what is being read and what waits to be written.
final class StreamConnection {
    let socket: TCPSocket
    let hop: Hop
    /// The hop that asked for it, when we began it.
    let asked: Hop?
    private let tls: TLSSession?
    private var codec: StreamCodec
    private let limits: StreamLimits
    private var out: [UInt8] = []
    private var written = 0
    private(set) var isConnecting: Bool
    /// Somebody has shown a right password by it, or it is ours.
    var isTrusted = false
    /// It is in the queue for writing.
    var isWatchedForWriting: Bool
    /// A SIP message has gone by it, one way or the other.
    private(set) var hasCarried = false
    private let begunAt: Instant
    private var heardAt: Instant
    private var partialSince: Instant?
    private var stalledSince: Instant?
    /// Nothing more is read, and it is over then: what was read before has so much time for its answers.
    private var parting: (at: Instant, why: ConnectionEnd, farewell: [UInt8])?

    private static let partingTime = Duration.milliseconds(500)

    init(_ socket: consuming TCPSocket, hop: Hop, asked: Hop?, tls: TLSSession?, limits: StreamLimits, now: Instant) {
        self.socket = socket
        self.hop = hop
        self.asked = asked
        self.tls = tls
        self.limits = limits
        codec = StreamCodec(hop.transport, isClient: asked != nil, limits: limits, now: now)
        isConnecting = asked != nil
        isTrusted = asked != nil
        isWatchedForWriting = asked != nil
        begunAt = now
        heardAt = now
    }

    var number: UInt64 { hop.connection }
    var hasUnwritten: Bool { written < out.count }
    var isParting: Bool { parting != nil }
    private var isReady: Bool { tls?.isOpen != false && codec.isReady }

    /// When it is over unless something happens, and why.
    var deadline: (at: Instant, why: ConnectionEnd) {
        if let parting { return (parting.at, parting.why) }
        if isConnecting { return (begunAt + limits.connect, .unreachable("no connection in time")) }
        if !isReady { return (begunAt + limits.handshake, .slowHandshake) }
        var first: (at: Instant, why: ConnectionEnd) = (heardAt + (isTrusted ? limits.idle : limits.strangerIdle), .idle)
        if let partialSince, partialSince + limits.message < first.at { first = (partialSince + limits.message, .slowMessage) }
        if let stalledSince, stalledSince + limits.message < first.at { first = (stalledSince + limits.message, .slowReader) }
        return first
    }

    /// Takes what was read from the socket.
    func receive(_ bytes: [UInt8], now: Instant) -> [StreamCodec.Output] {
        heardAt = now
        var outputs: [StreamCodec.Output] = []
        if let tls {
            do throws(TLSError) {
                let plain = try tls.receive(bytes)
                if !plain.isEmpty { codec.receive(plain, now: now, into: &outputs) }
            } catch {
                let reason = "\(error)"
                outputs.append(.end(tls.isOpen ? .unreadable(reason) : .handshakeFailed(reason), farewell: []))
            }
            out += tls.takeOutput()
            if tls.isFinished { outputs.append(.end(.closed, farewell: [])) }
        } else {
            codec.receive(bytes, now: now, into: &outputs)
        }
        let hasNews = outputs.contains { if case .message = $0 { true } else { false } }
        if hasNews { hasCarried = true }
        // A message that began behind a whole one has a time of its own.
        partialSince = codec.isPartial ? (hasNews ? now : partialSince ?? now) : nil
        return outputs
    }

    /// What came with whole messages ends the connection, once those are answered.
    func part(_ end: ConnectionEnd, farewell: [UInt8], now: Instant) { parting = (now + StreamConnection.partingTime, end, farewell) }

    /// Queues one message.
    func send(message: [UInt8]) -> ConnectionEnd? {
        hasCarried = true
        return queue(codec.encode(message))
    }

    /// Queues plain bytes as they are.
    func queue(_ plain: [UInt8]) -> ConnectionEnd? {
        if let tls {
            do throws(TLSError) { try tls.send(plain) } catch { return .closed }
            out += tls.takeOutput()
        } else {
            out += plain
        }
        return out.count - written + (tls?.waitingBytes ?? 0) > limits.writeBuffer ? .slowReader : nil
    }

    /// Writes what the system takes.
    func flush(now: Instant) -> ConnectionEnd? {
        guard !isConnecting, hasUnwritten else { return nil }
        guard let count = socket.write(out[written...]) else { return .closed }
        written += count
        if written == out.count {
            out.removeAll(keepingCapacity: out.capacity <= 8_192)
            written = 0
            stalledSince = nil
        } else {
            if count > 0 || stalledSince == nil { stalledSince = now }
            if written >= 65_536 {
                out.removeFirst(written)
                written = 0
            }
        }
        return nil
    }

    /// The socket can be written to for the first time.
    func connected(now: Instant) -> ConnectionEnd? {
        guard isConnecting else { return nil }
        if let failure = socket.failure() { return .unreachable("\(failure)") }
        isConnecting = false
        heardAt = now
        if let tls { out += tls.takeOutput() }
        return nil
    }

    /// The last words: what is queued, TLS's own goodbye, as far as the system takes them at once.
    func sayGoodbye(_ farewell: [UInt8], now: Instant) {
        guard !isConnecting else { return }
        let farewell = parting?.farewell ?? farewell
        if !farewell.isEmpty { _ = queue(farewell) }
        if let tls {
            tls.finish()
            out += tls.takeOutput()
        }
        _ = flush(now: now)
    }
}
