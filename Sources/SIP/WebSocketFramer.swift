/// The server's side of an open WebSocket (RFC 6455 §5): frames in, whole SIP messages out (RFC 7118 §5: one in each).
package struct WebSocketFramer: Sendable {
    package enum Piece: Hashable, Sendable {
        case message([UInt8])
        /// To be sent back: a pong.
        case reply([UInt8])
        /// The peer has said goodbye; our half of it is to be sent, and then the connection is over (§5.5.1).
        case closed(reply: [UInt8])
    }

    /// Why the connection ends (§7.4.1).
    package enum Failure: Error, Hashable, Sendable {
        /// Reserved bits or opcodes, frames without a mask, control frames that are too long or in parts.
        case protocolError
        case tooLarge
        /// A message in more parts than anybody needs.
        case tooManyParts
        /// Text that is no UTF-8 (§8.1).
        case notText

        /// The frame that says so.
        package var farewell: [UInt8] {
            let code: UInt16 =
                switch self {
                case .protocolError: 1002
                case .tooLarge: 1009
                case .tooManyParts: 1008
                case .notText: 1007
                }
            return WebSocketFramer.frame(.close, [UInt8(code >> 8), UInt8(code & 0xFF)])
        }
    }

    enum Opcode: UInt8 {
        case continuation = 0x0
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xA
    }

    package static let messageMax = HeaderScanner.sizeMax
    static let partsMax = 64

    private var buffer: [UInt8] = []
    private var message: [UInt8] = []
    private var isText = false
    /// Parts of the message so far; 0: none has begun.
    private var parts = 0

    package init() {}

    package mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

    /// Whether a frame or a message has begun and is not whole.
    package var isPartial: Bool { !buffer.isEmpty || parts > 0 }

    /// The next whole piece; nil when more bytes are needed.
    package mutating func next() throws(Failure) -> Piece? {
        while let (isLast, opcode, payload) = try nextFrame() {
            switch opcode {
            case .ping: return .reply(WebSocketFramer.frame(.pong, payload))
            case .pong: continue
            case .close:
                guard payload.isEmpty || payload.count >= 2 && WebSocketFramer.isSendable(UInt16(payload[0]) << 8 | UInt16(payload[1])) else { throw .protocolError }
                return .closed(reply: WebSocketFramer.frame(.close, Array(payload.prefix(2))))
            case .text, .binary:
                guard parts == 0 else { throw .protocolError }
                message = payload
                isText = opcode == .text
            case .continuation:
                guard parts > 0 else { throw .protocolError }
                message += payload
            }
            parts += 1
            guard message.count <= WebSocketFramer.messageMax else { throw .tooLarge }
            guard parts <= WebSocketFramer.partsMax else { throw .tooManyParts }
            guard isLast else { continue }
            parts = 0
            defer { message = [] }
            guard !isText || message.isUTF8(message.indices) else { throw .notText }
            return .message(message)
        }
        return nil
    }

    /// Whether a close frame may say so: 1004 to 1006 and 1015 never stand in one (§7.4).
    private static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    private mutating func nextFrame() throws(Failure) -> (Bool, Opcode, [UInt8])? {
        guard buffer.count >= 2 else { return nil }
        guard buffer[0] & 0x70 == 0, let opcode = Opcode(rawValue: buffer[0] & 0x0F), buffer[1] & 0x80 != 0 else {
            throw .protocolError
        }
        let isLast = buffer[0] & 0x80 != 0
        var length = Int(buffer[1] & 0x7F)
        if opcode.rawValue >= 0x8, !isLast || length > 125 { throw .protocolError }
        var cursor = 2
        if length >= 126 {
            let bytes = length == 126 ? 2 : 8
            guard buffer.count >= cursor + bytes else { return nil }
            var value: UInt64 = 0
            for byte in buffer[cursor..<cursor + bytes] { value = value << 8 | UInt64(byte) }
            // The shortest form is the only one (§5.2).
            guard value >= (bytes == 2 ? 126 : 65_536) else { throw .protocolError }
            guard value <= UInt64(WebSocketFramer.messageMax) else { throw .tooLarge }
            length = Int(value)
            cursor += bytes
        }
        guard buffer.count >= cursor + 4 + length else { return nil }
        let mask = Array(buffer[cursor..<cursor + 4])
        cursor += 4
        var payload = Array(buffer[cursor..<cursor + length])
        for index in payload.indices { payload[index] ^= mask[index & 3] }
        buffer.removeFirst(cursor + length)
        return (isLast, opcode, payload)
    }

    /// A SIP message as it is sent: text if it is text, as browsers like it best, else binary (RFC 7118 §5.2).
    package static func frame(message: [UInt8]) -> [UInt8] {
        frame(message.isUTF8(message.indices) ? .text : .binary, message)
    }

    /// A server's frame: whole and without a mask.
    static func frame(_ opcode: Opcode, _ payload: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x80 | opcode.rawValue]
        switch payload.count {
        case ..<126: bytes.append(UInt8(payload.count))
        case ..<65_536: bytes += [126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
        }
        bytes += payload
        return bytes
    }
}
