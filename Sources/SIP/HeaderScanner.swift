/// The guard: cuts a message into start line, fields and body, and refuses what no parser should be shown.
/// Only what passes here is ever seen by libosip2.
struct HeaderScanner {
    /// RFC 3261 §18.1.1: a message may be as large as a UDP packet.
    static let sizeMax = 65_535
    /// One field, its continuation lines included. Identity tokens (RFC 8224) are the longest honest ones.
    static let fieldLengthMax = 8_192
    static let fieldsMax = 256

    struct Field {
        let name: HeaderName
        let value: ArraySlice<UInt8>
    }
    let startLine: ArraySlice<UInt8>
    let fields: [Field]
    /// Where the body begins.
    let bodyStart: Int

    init(_ bytes: [UInt8]) throws(ParseError) {
        guard bytes.count <= HeaderScanner.sizeMax else {
            throw .tooLarge(have: bytes.count, limit: HeaderScanner.sizeMax)
        }
        var cursor = 0
        // Empty lines before the start line are skipped (RFC 3261 §7.5).
        while cursor + 1 < bytes.count, bytes[cursor] == ASCII.carriageReturn, bytes[cursor + 1] == ASCII.lineFeed {
            cursor += 2
        }
        guard cursor < bytes.count, bytes[cursor] != 0 || bytes.contains(where: { $0 != 0 }) else { throw .keepAlive }
        startLine = try HeaderScanner.line(bytes, from: &cursor)
        var fields: [Field] = []
        fields.reserveCapacity(24)
        var lineNumber = 1
        while true {
            let line = try HeaderScanner.line(bytes, from: &cursor)
            lineNumber += 1
            if line.isEmpty { break }
            var colon = line.startIndex
            while colon < line.endIndex, line[colon].isToken { colon += 1 }
            let nameEnd = colon
            while colon < line.endIndex, line[colon].isBlank { colon += 1 }
            guard nameEnd > line.startIndex, colon < line.endIndex, line[colon] == ASCII.colon else {
                throw .notAHeader(line: lineNumber)
            }
            guard fields.count < HeaderScanner.fieldsMax else { throw .tooManyHeaders(limit: HeaderScanner.fieldsMax) }
            var value = line[(colon + 1)...].trimmed
            // A line that starts with a blank continues the one before (§7.3.1).
            if cursor < bytes.count, bytes[cursor].isBlank {
                var unfolded = Array(value)
                while cursor < bytes.count, bytes[cursor].isBlank {
                    let continuation = try HeaderScanner.line(bytes, from: &cursor).trimmed
                    lineNumber += 1
                    if !unfolded.isEmpty, !continuation.isEmpty { unfolded.append(ASCII.space) }
                    unfolded += continuation
                    guard unfolded.count <= HeaderScanner.fieldLengthMax else {
                        throw .lineTooLong(have: unfolded.count, limit: HeaderScanner.fieldLengthMax)
                    }
                }
                value = unfolded[...]
            }
            fields.append(Field(name: HeaderName(parsing: line[..<nameEnd]), value: value))
        }
        self.fields = fields
        bodyStart = cursor
    }

    /// One line without its CR LF. Any other control byte in it is refused, a bare CR or LF too: parsers
    /// disagree about those, and a message that two parsers read differently is how checks are smuggled past.
    private static func line(_ bytes: [UInt8], from cursor: inout Int) throws(ParseError) -> ArraySlice<UInt8> {
        let start = cursor
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte.isControl {
                guard byte == ASCII.carriageReturn, index + 1 < bytes.count, bytes[index + 1] == ASCII.lineFeed else {
                    throw byte == ASCII.carriageReturn && index + 1 == bytes.count ? .unfinished : .forbiddenByte(at: index)
                }
                guard index - start <= fieldLengthMax else { throw .lineTooLong(have: index - start, limit: fieldLengthMax) }
                cursor = index + 2
                return bytes[start..<index]
            }
            index += 1
        }
        throw .unfinished
    }
}
