import Primitives
import SIP

/// Between the plain bytes of one connection and SIP messages: framing, keep-alives, WebSocket. No I/O.
struct StreamCodec: Sendable {
    enum Output: Equatable, Sendable {
        case message([UInt8])
        /// To be sent back at once.
        case reply([UInt8])
        /// The connection is over, once the farewell is sent.
        case end(ConnectionEnd, farewell: [UInt8])
    }

    private enum Layer: Sendable {
        case plain(StreamFramer)
        case upgrading(WebSocketHandshake)
        case webSocket(WebSocketFramer)
        case over
    }

    private var layer: Layer
    private let framesMessages: Bool
    private var pings: Double
    private var countedAt: Instant
    private let limits: StreamLimits

    init(_ transport: Transport, isClient: Bool = false, limits: StreamLimits, now: Instant) {
        framesMessages = transport.isWebSocket && !isClient
        layer = framesMessages ? .upgrading(WebSocketHandshake(limits.origins)) : .plain(StreamFramer())
        self.limits = limits
        pings = limits.pingBurst
        countedAt = now
    }

    /// Messages can be sent.
    var isReady: Bool {
        if case .upgrading = layer { false } else { true }
    }

    /// A message has begun and is not whole.
    var isPartial: Bool {
        switch layer {
        case .plain(let framer): framer.isPartial
        case .webSocket(let framer): framer.isPartial
        case .upgrading, .over: false
        }
    }

    /// As a message goes over the connection.
    func encode(_ message: [UInt8]) -> [UInt8] { framesMessages ? WebSocketFramer.frame(message: message) : message }

    mutating func receive(_ bytes: [UInt8], now: Instant, into outputs: inout [Output]) {
        switch layer {
        case .plain(var framer):
            // Taken out meanwhile, so that its buffer is not copied.
            layer = .over
            framer.append(bytes)
            read(&framer, now, &outputs)
        case .upgrading(var handshake):
            switch handshake.receive(bytes) {
            case .reading: layer = .upgrading(handshake)
            case .refused(let response):
                layer = .over
                let reason = String(decoding: response.prefix { $0 != 0x0D }, as: UTF8.self)
                outputs.append(.end(.handshakeFailed(reason), farewell: response))
            case .foreign(let origin, let response):
                layer = .over
                outputs.append(.end(.foreignOrigin(String(origin.prefix(200))), farewell: response))
            case .open(let response, let rest):
                outputs.append(.reply(response))
                layer = .webSocket(WebSocketFramer())
                if !rest.isEmpty { receive(rest, now: now, into: &outputs) }
            }
        case .webSocket(var framer):
            layer = .over
            framer.append(bytes)
            read(&framer, now, &outputs)
        case .over: break
        }
    }

    private mutating func read(_ framer: inout StreamFramer, _ now: Instant, _ outputs: inout [Output]) {
        do throws(ParseError) {
            while let piece = try framer.next() {
                switch piece {
                case .message(let message): outputs.append(.message(message))
                case .ping:
                    guard admitsPing(now) else { return outputs.append(.end(.flood, farewell: [])) }
                    outputs.append(.reply([0x0D, 0x0A]))
                }
            }
            layer = .plain(framer)
        } catch {
            let answer = SIPMessage.rejection(of: framer.head, for: error) ?? []
            outputs.append(.end(.unreadable(error.reason), farewell: answer))
        }
    }

    private mutating func read(_ framer: inout WebSocketFramer, _ now: Instant, _ outputs: inout [Output]) {
        do throws(WebSocketFramer.Failure) {
            while let piece = try framer.next() {
                switch piece {
                case .message(let message):
                    guard message.allSatisfy({ $0 == 0x0D || $0 == 0x0A }) else {
                        outputs.append(.message(message))
                        continue
                    }
                    // RFC 5626's keep-alive in a frame, as some browsers' libraries have it.
                    guard admitsPing(now) else { return outputs.append(.end(.flood, farewell: [])) }
                    if message.count == 4 { outputs.append(.reply(WebSocketFramer.frame(message: [0x0D, 0x0A]))) }
                case .reply(let pong):
                    guard admitsPing(now) else { return outputs.append(.end(.flood, farewell: [])) }
                    outputs.append(.reply(pong))
                case .closed(let reply): return outputs.append(.end(.closed, farewell: reply))
                }
            }
            layer = .webSocket(framer)
        } catch {
            outputs.append(.end(.unreadable("\(error)"), farewell: error.farewell))
        }
    }

    private mutating func admitsPing(_ now: Instant) -> Bool {
        pings = min(limits.pingBurst, pings + Double((now - countedAt).nanoseconds) / 1e9 * limits.pingRate)
        countedAt = now
        guard pings >= 1 else { return false }
        pings -= 1
        return true
    }
}
