/// Parameters of a URI or header field, in the order they were written: `;lr;tag=abc;q="x"`.
///
/// Names are compared, and kept, in lower case. Values are kept as written, quotes and escapes included.
package struct Parameters: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package let name: String
        package var rawValue: String?
    }
    package private(set) var items: [Item] = []

    /// Each name is compared with those before it.
    static let countMax = 64

    package init() {}

    package var isEmpty: Bool { items.isEmpty }

    /// The value as the peer meant it: quotes taken off. nil when absent, or present without a value.
    package subscript(name: String) -> String? {
        get {
            guard let raw = items.first(where: { $0.name == name })?.rawValue else { return nil }
            return raw.utf8.first == ASCII.quote ? raw.unquoted : raw
        }
        set {
            guard let newValue else { return remove(name) }
            set(name, newValue)
        }
    }

    package func contains(_ name: String) -> Bool { items.contains { $0.name == name } }

    /// Sets in place, or appends. `value` is written as it is: quote it before if it is not a token.
    package mutating func set(_ name: String, _ value: String? = nil) {
        let name = name.asciiLowered
        if let index = items.firstIndex(where: { $0.name == name }) {
            items[index].rawValue = value
        } else {
            items.append(Item(name: name, rawValue: value))
        }
    }

    package mutating func remove(_ name: String) { items.removeAll { $0.name == name } }
}

extension Parameters {
    /// Reads `;name=value;name`; nil for an empty name, a repeated name, an unclosed quote or more than `countMax` of them.
    /// Empty bytes are an empty list.
    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        var rest = bytes.trim(range)
        if !rest.isEmpty { items.reserveCapacity(3) }
        while !rest.isEmpty {
            guard bytes[rest.lowerBound] == ASCII.semicolon,
                let end = bytes.indexOutsideQuotes(of: ASCII.semicolon, in: rest.lowerBound + 1..<rest.upperBound)
            else { return nil }
            guard append(parsing: bytes, rest.lowerBound + 1..<end) else { return nil }
            rest = end..<rest.upperBound
        }
    }

    /// One `name`, or `name=value`.
    private mutating func append(parsing bytes: [UInt8], _ range: Range<Int>) -> Bool {
        let split = bytes.index(of: ASCII.equals, in: range)
        let name = bytes.trim(range.lowerBound..<(split ?? range.upperBound))
        guard !name.isEmpty, bytes.all(name, { !$0.isControl && !$0.isBlank && $0 != ASCII.quote }) else {
            return false
        }
        var value: String?
        if let split {
            let written = bytes.trim(split + 1..<range.upperBound)
            guard !written.isEmpty, bytes.all(written, { !$0.isControl }) else { return false }
            if bytes[written.lowerBound] == ASCII.quote {
                guard written.count >= 2, bytes.quotedEnd(written) == written.upperBound else { return false }
            } else if !bytes.all(written, { !$0.isBlank && $0 != ASCII.quote }) {
                return false
            }
            value = bytes.text(written)
        }
        let key = bytes.loweredText(name)
        guard items.count < Parameters.countMax, !contains(key) else { return false }
        items.append(Item(name: key, rawValue: value))
        return true
    }

    func write(to text: inout TextWriter) {
        for item in items {
            text += ";"
            text += item.name
            if let value = item.rawValue {
                text += "="
                text += value
            }
        }
    }
}
