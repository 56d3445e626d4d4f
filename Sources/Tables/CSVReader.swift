/// Reads a table by RFC 4180, one record after the other, without copying: a field is a range of the file's bytes.
///
/// Beyond the RFC: a byte order mark is passed over; lines may end in CRLF, LF or CR; the separator is the dialect's; a
/// quote inside a field that did not begin with one is an ordinary character; a file may end inside quotes.
public struct CSVReader: Sendable {
    /// Where a field's characters stand in the file, the quotes around it left out.
    public struct Field: Hashable, Sendable {
        public var start: Int
        public var end: Int
        /// Two quotes stand for one, somewhere in it.
        public var hasEscapes: Bool
        public var isQuoted: Bool

        public var isEmpty: Bool { start == end }
    }

    public let bytes: [UInt8]
    public let dialect: CSVDialect
    /// The record that `next` read.
    public private(set) var fields: [Field] = []
    /// On which line of the file it begins, from 1.
    public private(set) var line = 0
    private var offset: Int
    private var linesRead = 0

    public init(_ bytes: [UInt8], _ dialect: CSVDialect) {
        self.bytes = bytes
        self.dialect = dialect
        offset = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// Goes back to a record: to a `position` that this file's reader once had. Its lines are counted from there.
    public init(_ bytes: [UInt8], _ dialect: CSVDialect, from position: Int) {
        self.init(bytes, dialect)
        offset = min(max(position, offset), bytes.count)
    }

    /// Goes on to the next record; false at the end of the file.
    public mutating func next() -> Bool {
        guard offset < bytes.count else { return false }
        fields.removeAll(keepingCapacity: true)
        line = linesRead + 1
        let separator = dialect.separator
        var index = offset
        let count = bytes.count
        while true {
            var field = Field(start: index, end: index, hasEscapes: false, isQuoted: false)
            if index < count, bytes[index] == 0x22 {
                field.isQuoted = true
                index += 1
                field.start = index
                while index < count {
                    let byte = bytes[index]
                    if byte == 0x22 {
                        guard index + 1 < count, bytes[index + 1] == 0x22 else { break }
                        field.hasEscapes = true
                        index += 2
                    } else {
                        if byte == 0x0A || (byte == 0x0D && (index + 1 >= count || bytes[index + 1] != 0x0A)) { linesRead += 1 }
                        index += 1
                    }
                }
                field.end = index
                // What stands between the closing quote and the separator is nothing that the RFC knows: passed over.
                while index < count, bytes[index] != separator, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
            } else {
                while index < count {
                    let byte = bytes[index]
                    if byte == separator || byte == 0x0A || byte == 0x0D { break }
                    index += 1
                }
                field.end = index
            }
            fields.append(field)
            guard index < count else { break }
            let byte = bytes[index]
            index += 1
            if byte == separator {
                // A separator at the very end of the file is followed by one more, empty, field.
                continue
            }
            if byte == 0x0D, index < count, bytes[index] == 0x0A { index += 1 }
            break
        }
        linesRead += 1
        offset = index
        return true
    }

    /// Whether the record is an empty line, or one of separators alone.
    public var isBlank: Bool { fields.allSatisfy(\.isEmpty) }

    /// How far the reader is, for progress.
    public var position: Int { offset }

    /// The field's text, without spaces around it; empty if the record has no such field.
    public func text(_ index: Int) -> String {
        guard index < fields.count else { return "" }
        let field = trimmed(fields[index])
        var characters = Array(bytes[field.start..<field.end])
        if field.hasEscapes { characters = Self.unescaped(characters) }
        switch dialect.encoding {
        case .utf8: return String(decoding: characters, as: UTF8.self)
        case .latin1:
            var text = ""
            for byte in characters { text.unicodeScalars.append(Self.scalar(byte)) }
            return text
        }
    }

    /// The field without spaces around it: what numbers and times are read from.
    public func trimmed(_ field: Field) -> Field {
        var field = field
        while field.start < field.end, bytes[field.start] == 0x20 || bytes[field.start] == 0x09 { field.start += 1 }
        while field.start < field.end, bytes[field.end - 1] == 0x20 || bytes[field.end - 1] == 0x09 { field.end -= 1 }
        return field
    }

    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var isSecond = false
        for byte in bytes {
            if byte == 0x22, !isSecond {
                isSecond = true
                continue
            }
            isSecond = false
            result.append(byte)
        }
        return result
    }

    /// The one place where Windows-1252 matters in a table of money.
    private static func scalar(_ byte: UInt8) -> UnicodeScalar { byte == 0x80 ? "\u{20AC}" : UnicodeScalar(byte) }
}
