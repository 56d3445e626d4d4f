/// Cuts a stream into SIP messages (RFC 3261 §18.3), the same ones in whatever pieces it comes. After an error the stream cannot
/// be understood any more.
package struct StreamFramer: Sendable {
    package enum Piece: Hashable, Sendable {
        case message([UInt8])
        /// Two empty lines: the peer asks whether we are there, and wants one back (RFC 5626 §4.4.1).
        case ping
    }

    /// Until the empty line, that included.
    package static let headMax = 32_768
    /// Head and body.
    package static let messageMax = HeaderScanner.sizeMax

    private var buffer: [UInt8] = []
    /// Where the message that is being read begins.
    private var start = 0
    /// The end of its head is not before this.
    private var scanned = 0
    /// Its whole size, once the head is there.
    private var size: Int?
    /// Empty lines since the last message.
    private var emptyLines = 0

    package init() {}

    package mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

    /// Whether a message has begun and is not whole.
    package var isPartial: Bool {
        let rest = buffer.count - start
        return rest > 1 || rest == 1 && buffer[start] != ASCII.carriageReturn
    }

    /// What is held of the message at which reading failed: its head, as far as its last whole line, for an answer that says why.
    package var head: [UInt8] {
        let most = min(buffer.count, start + StreamFramer.headMax)
        if let end = headEnd(from: start), end <= most { return Array(buffer[start..<end]) }
        guard let line = buffer[start..<most].lastIndex(of: ASCII.lineFeed) else { return [] }
        return buffer[start...line] + [ASCII.carriageReturn, ASCII.lineFeed]
    }

    /// The next whole piece; nil when more bytes are needed.
    package mutating func next() throws(ParseError) -> Piece? {
        if size == nil {
            if skipEmptyLines() { return .ping }
            guard isPartial else {
                compact()
                return nil
            }
            guard let end = headEnd(from: max(start, scanned - 3)) else {
                guard buffer.count - start <= StreamFramer.headMax else { throw tooLarge(StreamFramer.headMax) }
                scanned = buffer.count
                return nil
            }
            guard end - start <= StreamFramer.headMax else { throw tooLarge(StreamFramer.headMax) }
            let length = try contentLength(start..<end)
            guard end - start + length <= StreamFramer.messageMax else { throw tooLarge(StreamFramer.messageMax) }
            size = end - start + length
        }
        guard let size, buffer.count - start >= size else { return nil }
        let message = Array(buffer[start..<start + size])
        (start, self.size) = (start + size, nil)
        scanned = start
        compact()
        return .message(message)
    }

    private func tooLarge(_ limit: Int) -> ParseError { .tooLarge(have: buffer.count - start, limit: limit) }

    /// - Returns: whether there were two, which makes a ping.
    private mutating func skipEmptyLines() -> Bool {
        guard scanned <= start else { return false }
        while start + 1 < buffer.count, buffer[start] == ASCII.carriageReturn, buffer[start + 1] == ASCII.lineFeed {
            start += 2
            scanned = start
            emptyLines += 1
            if emptyLines == 2 {
                emptyLines = 0
                return true
            }
        }
        if isPartial { emptyLines = 0 }
        return false
    }

    private func headEnd(from: Int) -> Int? {
        var cursor = from
        while let line = buffer.index(of: ASCII.lineFeed, in: cursor..<buffer.count) {
            if line >= start + 3, buffer[line - 1] == ASCII.carriageReturn, buffer[line - 2] == ASCII.lineFeed,
                buffer[line - 3] == ASCII.carriageReturn
            {
                return line + 1
            }
            cursor = line + 1
        }
        return nil
    }

    /// Read before the message is, because it says where the message ends: exactly one field, nothing but digits.
    private func contentLength(_ head: Range<Int>) throws(ParseError) -> Int {
        var length: Int?
        var line = head.lowerBound
        while line < head.upperBound, let feed = buffer.index(of: ASCII.lineFeed, in: line..<head.upperBound) {
            var end = feed
            // A line that starts with a blank continues the one before (§7.3.1).
            while end + 1 < head.upperBound, buffer[end + 1].isBlank,
                let next = buffer.index(of: ASCII.lineFeed, in: end + 1..<head.upperBound)
            {
                end = next
            }
            if let colon = buffer.index(of: ASCII.colon, in: line..<end) {
                let name = buffer.trim(line..<colon)
                if buffer.matches(name, "Content-Length") || buffer.matches(name, "l") {
                    guard length == nil else { throw .repeated(.contentLength) }
                    guard let value = number(colon + 1..<end) else { throw .malformed(.contentLength) }
                    length = value
                }
            }
            line = end + 1
        }
        guard let length else { throw .missing(.contentLength) }
        return length
    }

    private func number(_ range: Range<Int>) -> Int? {
        func isSpace(_ byte: UInt8) -> Bool { byte.isBlank || byte == ASCII.carriageReturn || byte == ASCII.lineFeed }
        guard let first = buffer.index(in: range, where: { !isSpace($0) }) else { return nil }
        let end = buffer.index(in: first..<range.upperBound, where: isSpace) ?? range.upperBound
        guard buffer.all(end..<range.upperBound, isSpace) else { return nil }
        return buffer.decimal(first..<end, limit: UInt64(Int32.max)).map { Int($0) }
    }

    /// Bytes that were read are let go when that costs little.
    private mutating func compact() {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 8_192)
        } else if start >= 16_384 {
            buffer.removeFirst(start)
            scanned -= start
            start = 0
            return
        } else {
            return
        }
        (start, scanned) = (0, 0)
    }
}
