/// Parameters of a URI or header field, in the order they were written: `;lr;tag=abc;q="x"`.
///
/// Names are compared, and kept, in lower case. Values are kept as written, quotes and escapes included.
package struct Parameters: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package let name: String
        package var rawValue: String?
    }
    package private(set) var items: [Item] = []

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
    /// Reads `;name=value;name`; nil for an empty name, a repeated name or an unclosed quote.
    /// Empty bytes are an empty list.
    init?(parsing bytes: ArraySlice<UInt8>) {
        var rest = bytes.trimmed
        while let first = rest.first {
            guard first == ASCII.semicolon else { return nil }
            rest = rest.dropFirst()
            guard let end = rest.firstIndexOutsideQuotes(of: ASCII.semicolon) else { return nil }
            let item = rest[..<end]
            rest = rest[end...]
            let split = item.firstIndex(of: ASCII.equals)
            let name = item[..<(split ?? item.endIndex)].trimmed
            guard !name.isEmpty, name.allSatisfy({ !$0.isControl && !$0.isBlank && $0 != ASCII.quote }) else {
                return nil
            }
            var value: String?
            if let split {
                let written = item[(split + 1)...].trimmed
                guard !written.isEmpty, written.allSatisfy({ !$0.isControl }) else { return nil }
                if written.first == ASCII.quote {
                    guard written.count >= 2, written.quotedEnd == written.endIndex else { return nil }
                } else if written.contains(where: { $0.isBlank || $0 == ASCII.quote }) {
                    return nil
                }
                value = written.text
            }
            let key = name.loweredText
            guard !contains(key) else { return nil }
            items.append(Item(name: key, rawValue: value))
        }
    }

    func write(to text: inout String) {
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
