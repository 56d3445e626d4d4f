extension JSON {
    /// Nesting beyond this is nobody's entity; it bounds the stack.
    static let depthMax = 32
    /// Bounds what a body of a given size can become in memory. The largest rate deck has 3 million values.
    static let valuesMax = 4_000_000

    /// Reads exactly one value with white space around it. A byte order mark, a repeated name, and lone surrogates
    /// are refused: two readers must not understand one text in two ways (RFC 8259 §4, §8).
    package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    private var values = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONSyntaxError) -> JSON {
        let result = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure(.afterValue) }
        return result
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSON {
        skipSpace()
        guard depth <= JSON.depthMax else { throw failure(.tooDeep(max: JSON.depthMax)) }
        values += 1
        guard values <= JSON.valuesMax else { throw failure(.tooManyValues(max: JSON.valuesMax)) }
        switch try peek() {
        case 0x7B: return try object(depth: depth)
        case 0x5B: return try array(depth: depth)
        case 0x22: return .string(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        case 0x2D, 0x30...0x39: return try number()
        case let other: throw failure(.unexpected(byte: other))
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSON {
        position += 1
        var members: [JSON.Member] = []
        var names: Set<String> = []
        skipSpace()
        if try peek() == 0x7D {
            position += 1
            return .object([])
        }
        while true {
            skipSpace()
            let start = position
            guard try peek() == 0x22 else { throw failure(.unexpected(byte: bytes[position])) }
            let name = try string()
            // A set for each of half a million small objects would cost more than looking.
            if members.count == 16 { names = Set(members.map(\.name)) }
            let repeated = members.count < 16 ? members.contains { $0.name == name } : !names.insert(name).inserted
            guard !repeated else { throw failure(.repeatedName(name), at: start) }
            skipSpace()
            guard try peek() == 0x3A else { throw failure(.unexpected(byte: bytes[position])) }
            position += 1
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            skipSpace()
            let separator = try peek()
            guard separator == 0x2C || separator == 0x7D else { throw failure(.unexpected(byte: separator)) }
            position += 1
            if separator == 0x7D { return .object(members) }
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSON {
        position += 1
        var items: [JSON] = []
        skipSpace()
        if try peek() == 0x5D {
            position += 1
            return .array([])
        }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            let separator = try peek()
            guard separator == 0x2C || separator == 0x5D else { throw failure(.unexpected(byte: separator)) }
            position += 1
            if separator == 0x5D { return .array(items) }
        }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        let start = position
        position += 1
        var unescaped: [UInt8] = []
        while true {
            let byte = try peek()
            switch byte {
            case 0x22:
                position += 1
                guard let text = String(validating: unescaped, as: UTF8.self) else {
                    throw failure(.notUnicode, at: start)
                }
                return text
            case 0x5C: unescaped += try escape()
            case 0x00..<0x20: throw failure(.controlCharacter)
            default:
                unescaped.append(byte)
                position += 1
            }
        }
    }

    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        let start = position
        position += 1
        let letter = try peek()
        position += 1
        switch letter {
        case 0x22, 0x5C, 0x2F: return [letter]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75:
            let unit = try codeUnit(start)
            guard (0xD800...0xDFFF).contains(unit) else { return utf8(UInt32(unit)) }
            // RFC 8259 §7: characters beyond the basic plane are two escapes.
            guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75 else {
                throw failure(.notUnicode, at: start)
            }
            position += 2
            let low = try codeUnit(start)
            guard (0xDC00...0xDFFF).contains(low) else { throw failure(.notUnicode, at: start) }
            return utf8(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
        default: throw failure(.badEscape, at: start)
        }
    }

    private mutating func codeUnit(_ start: Int) throws(JSONSyntaxError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch try peek() {
            case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
            case let byte where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
            case let byte where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
            default: throw failure(.badEscape, at: start)
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private func utf8(_ scalar: UInt32) -> [UInt8] {
        guard let scalar = Unicode.Scalar(scalar) else { return [] }
        return Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func number() throws(JSONSyntaxError) -> JSON {
        let start = position
        if bytes[position] == 0x2D { position += 1 }
        if position < bytes.count, bytes[position] == 0x30 { position += 1 } else { try digits(start) }
        if position < bytes.count, bytes[position] == 0x2E {
            position += 1
            try digits(start)
        }
        if position < bytes.count, bytes[position] | 0x20 == 0x65 {
            position += 1
            if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
            try digits(start)
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits(_ start: Int) throws(JSONSyntaxError) {
        let first = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        guard position > first else { throw failure(.badNumber, at: start) }
    }

    private mutating func word(_ word: String, _ value: JSON) throws(JSONSyntaxError) -> JSON {
        for expected in word.utf8 {
            guard try peek() == expected else { throw failure(.unexpected(byte: bytes[position])) }
            position += 1
        }
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func peek() throws(JSONSyntaxError) -> UInt8 {
        guard position < bytes.count else { throw failure(.endOfText) }
        return bytes[position]
    }

    private func failure(_ reason: JSONSyntaxError.Reason, at offset: Int? = nil) -> JSONSyntaxError {
        let offset = offset ?? position
        let before = bytes[..<min(offset, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxError(reason: reason, offset: offset, line: line, column: offset - lineStart + 1)
    }
}
