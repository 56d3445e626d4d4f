internal import OpenSSL

/// The server's side of a WebSocket's first exchange (RFC 6455 §4.2, RFC 7118 §4): one HTTP request, one response.
package struct WebSocketHandshake: Sendable {
    package enum Outcome: Hashable, Sendable {
        /// More bytes are needed.
        case reading
        /// The response, and the bytes that followed the request.
        case open(response: [UInt8], rest: [UInt8])
        /// The response after which the connection ends.
        case refused(response: [UInt8])
        /// A page of somebody else's wants to use its reader's browser as a phone (RFC 6455 §10.2).
        case foreign(origin: String, response: [UInt8])
    }

    package static let bytesMax = 8_192
    static let linesMax = 64

    private var buffer: [UInt8] = []
    private let origins: WebOrigins

    package init(_ origins: WebOrigins = WebOrigins()) { self.origins = origins }

    package mutating func receive(_ bytes: some Collection<UInt8>) -> Outcome {
        let from = max(0, buffer.count - 3)
        buffer.append(contentsOf: bytes)
        guard let end = end(from: from) else {
            return buffer.count > WebSocketHandshake.bytesMax ? refused(431, "Request Header Fields Too Large") : .reading
        }
        guard end <= WebSocketHandshake.bytesMax else { return refused(431, "Request Header Fields Too Large") }
        guard let lines = lines(end), let first = lines.first else { return refused(400, "Bad Request") }
        let words = first.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2] == "HTTP/1.1", words[1].hasPrefix("/") else { return refused(400, "Bad Request") }
        guard words[0] == "GET" else { return refused(405, "Method Not Allowed", "Allow: GET\r\n") }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { return refused(400, "Bad Request") }
            let name = String(line[..<colon]).asciiLowered
            let value = trimmed(line[line.index(after: colon)...])
            // Lists may be spread over lines (RFC 9110 §5.3).
            fields[name] = fields[name].map { $0 + ", " + value } ?? value
        }
        guard list(fields["upgrade"]).contains("websocket"), list(fields["connection"]).contains("upgrade") else {
            return refused(426, "Upgrade Required", "Upgrade: websocket\r\nConnection: Upgrade\r\n")
        }
        guard fields["sec-websocket-version"] == "13" else {
            return refused(426, "Upgrade Required", "Sec-WebSocket-Version: 13\r\n")
        }
        guard let key = fields["sec-websocket-key"], Base64.decode(key)?.count == 16, let host = fields["host"] else {
            return refused(400, "Bad Request")
        }
        // Only browsers say where their page is from, and they do so always.
        if let origin = fields["origin"], !origins.admit(origin.asciiLowered, to: host.asciiLowered), case .refused(let response) = refused(403, "Forbidden") {
            return .foreign(origin: origin, response: response)
        }
        // Without it the peer speaks something else (RFC 7118 §4.1).
        guard list(fields["sec-websocket-protocol"]).contains("sip") else { return refused(400, "Subprotocol sip Required") }
        let accept = Base64.encode(Hash.sha1(Array((key + WebSocketHandshake.magic).utf8)))
        let response = """
            HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\
            Sec-WebSocket-Protocol: sip\r\n\r\n
            """
        return .open(response: Array(response.utf8), rest: Array(buffer[end...]))
    }

    private static let magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    private func refused(_ status: Int, _ reason: String, _ more: String = "") -> Outcome {
        .refused(response: Array("HTTP/1.1 \(status) \(reason)\r\n\(more)Connection: close\r\nContent-Length: 0\r\n\r\n".utf8))
    }

    private func end(from: Int) -> Int? {
        var cursor = from
        while let line = buffer.index(of: ASCII.lineFeed, in: cursor..<buffer.count) {
            if line >= 3, buffer[line - 1] == ASCII.carriageReturn, buffer[line - 2] == ASCII.lineFeed,
                buffer[line - 3] == ASCII.carriageReturn
            {
                return line + 1
            }
            cursor = line + 1
        }
        return nil
    }

    /// Without their line ends and the empty one; nil for a control byte or too many.
    private func lines(_ end: Int) -> [String]? {
        var lines: [String] = []
        var start = 0
        while start < end - 2 {
            guard let feed = buffer.index(of: ASCII.lineFeed, in: start..<end), feed > start,
                buffer[feed - 1] == ASCII.carriageReturn, lines.count < WebSocketHandshake.linesMax,
                buffer.all(start..<feed - 1, { !$0.isControl }), buffer.isUTF8(start..<feed - 1)
            else { return nil }
            lines.append(buffer.text(start..<feed - 1))
            start = feed + 1
        }
        return lines
    }

    private func list(_ value: String?) -> [String] {
        (value ?? "").split(separator: ",").map { trimmed($0).asciiLowered }
    }

    private func trimmed(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        return bytes.text(bytes.trim(bytes.indices))
    }
}
