/// The guard: cuts a message into start line, fields and body, and refuses what no parser should be shown.
/// Only what passes here is ever seen by libosip2.
struct HeaderScanner {
    /// RFC 3261 §18.1.1: a message may be as large as a UDP packet.
    static let sizeMax = 65_535
    /// One field, its continuation lines included. Identity tokens (RFC 8224) are the longest honest ones.
    static let fieldLengthMax = 8_192
    static let fieldsMax = 256
    /// Commas and semicolons of the whole head. libosip2 walks each list from its beginning for each of its values, so that 56,000 bytes of
    /// lists took an eighth of a second. Seventy hops with a Via of four parameters each have 350.
    static let separatorsMax = 512

    struct Field {
        let name: HeaderName
        /// From the name to the end of the value.
        let line: Range<Int>
        /// Without blanks at either end.
        let value: Range<Int>
    }
    /// The message, continuation lines joined: CR LF before a blank is written as two blanks, so that all offsets hold.
    private(set) var bytes: [UInt8]
    private(set) var startLine = 0..<0
    private(set) var fields: [Field] = []
    /// Where the body begins.
    private(set) var bodyStart = 0

    private let lengthMax: Int
    private let countMax: Int

    /// - Parameter isForAnswer: no more than what a refusal repeats is looked for, in a message that has too much.
    init(_ message: [UInt8], isForAnswer: Bool = false) throws(ParseError) {
        lengthMax = isForAnswer ? HeaderScanner.sizeMax : HeaderScanner.fieldLengthMax
        countMax = isForAnswer ? HeaderScanner.sizeMax : HeaderScanner.fieldsMax
        guard message.count <= HeaderScanner.sizeMax else {
            throw .tooLarge(have: message.count, limit: HeaderScanner.sizeMax)
        }
        bytes = message
        var cursor = 0
        // Empty lines before the start line are skipped (RFC 3261 §7.5).
        while cursor + 1 < bytes.count, bytes[cursor] == ASCII.carriageReturn, bytes[cursor + 1] == ASCII.lineFeed {
            cursor += 2
        }
        guard cursor < bytes.count, bytes[cursor] != 0 || bytes.contains(where: { $0 != 0 }) else { throw .keepAlive }
        startLine = try nextLine(&cursor)
        fields.reserveCapacity(24)
        while true {
            let start = cursor
            var line = try nextLine(&cursor)
            if line.isEmpty { break }
            // A line that starts with a blank continues the one before (§7.3.1).
            while cursor < bytes.count, bytes[cursor].isBlank {
                bytes[line.upperBound] = ASCII.space
                bytes[line.upperBound + 1] = ASCII.space
                line = start..<(try nextLine(&cursor).upperBound)
                try checkLength(line)
            }
            try append(line)
        }
        bodyStart = cursor
        guard isForAnswer || separators(in: startLine.upperBound..<bodyStart) <= HeaderScanner.separatorsMax else {
            throw .tooManyValues(limit: HeaderScanner.separatorsMax)
        }
    }

    private func separators(in head: Range<Int>) -> Int {
        var count = 0
        for byte in bytes[head] { count &+= byte == ASCII.comma || byte == ASCII.semicolon ? 1 : 0 }
        return count
    }

    private mutating func append(_ line: Range<Int>) throws(ParseError) {
        // The first colon: neither a name nor a blank is one.
        guard let colon = bytes.index(of: ASCII.colon, in: line) else { throw .notAHeader(number: fields.count + 1) }
        var nameEnd = colon
        while nameEnd > line.lowerBound, bytes[nameEnd - 1].isBlank { nameEnd -= 1 }
        guard let name = HeaderName(parsing: bytes, line.lowerBound..<nameEnd) else { throw .notAHeader(number: fields.count + 1) }
        guard fields.count < countMax else { throw .tooManyHeaders(limit: countMax) }
        fields.append(Field(name: name, line: line, value: bytes.trim(colon + 1..<line.upperBound)))
    }

    private func checkLength(_ line: Range<Int>) throws(ParseError) {
        guard line.count <= lengthMax else {
            throw .lineTooLong(have: line.count, limit: lengthMax)
        }
    }

    /// One line without its CR LF. Any other control byte in it is refused, a bare CR or LF too: parsers
    /// disagree about those, and a message that two parsers read differently is how checks are smuggled past.
    private func nextLine(_ cursor: inout Int) throws(ParseError) -> Range<Int> {
        guard let end = bytes.indexOfControl(from: cursor) else { throw .unfinished }
        guard bytes[end] == ASCII.carriageReturn else { throw .forbiddenByte(at: end) }
        guard end + 1 < bytes.count else { throw .unfinished }
        guard bytes[end + 1] == ASCII.lineFeed else { throw .forbiddenByte(at: end) }
        let line = cursor..<end
        try checkLength(line)
        cursor = end + 2
        return line
    }
}
