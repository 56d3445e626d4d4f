/// How a table in a text file is written down.
public struct CSVDialect: Hashable, Sendable {
    public enum Encoding: Hashable, Sendable {
        case utf8
        /// Also Windows-1252, whose letters are the same.
        case latin1
    }

    /// Between fields: a comma, a semicolon, a tab or a bar.
    public var separator: UInt8
    public var encoding: Encoding

    public init(separator: UInt8 = 0x2C, encoding: Encoding = .utf8) {
        self.separator = separator
        self.encoding = encoding
    }

    /// In words, for people.
    public var description: String {
        let name =
            switch separator {
            case 0x2C: "commas"
            case 0x3B: "semicolons"
            case 0x09: "tabs"
            case 0x7C: "bars"
            default: "\"\(Character(UnicodeScalar(separator)))\""
            }
        return "\(name), \(encoding == .utf8 ? "UTF-8" : "Latin-1")"
    }

    static let separators: [UInt8] = [0x2C, 0x3B, 0x09, 0x7C]

    /// Finds out how a file is written: the separator that most of its first 50 records have in equal number (of equally
    /// good ones the one that gives more fields), and Latin-1 if the bytes are not UTF-8.
    public init(detecting bytes: [UInt8]) {
        var best: (separator: UInt8, agreeing: Int, fields: Int) = (0x2C, 0, 1)
        for separator in Self.separators {
            var reader = CSVReader(bytes, CSVDialect(separator: separator))
            var counts: [Int: Int] = [:]
            var read = 0
            while read < 50, reader.next() {
                guard !reader.isBlank else { continue }
                counts[reader.fields.count, default: 0] += 1
                read += 1
            }
            // Sorted, because a dictionary's order differs from run to run.
            for (fields, agreeing) in counts.sorted(by: { $0.key < $1.key }) where fields > 1 {
                if (agreeing, fields) > (best.agreeing, best.fields) { best = (separator, agreeing, fields) }
            }
        }
        self.init(separator: best.separator, encoding: bytes.isUTF8 ? .utf8 : .latin1)
    }
}

extension [UInt8] {
    /// Whether all of it is well-formed UTF-8.
    fileprivate var isUTF8: Bool {
        if allSatisfy({ $0 < 0x80 }) { return true }
        return String(validating: self, as: UTF8.self) != nil
    }
}
