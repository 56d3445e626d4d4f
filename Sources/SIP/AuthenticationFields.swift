/// `name=value, name="value"` of the authentication headers after the scheme (RFC 3261 §25.1): names without regard to case, quotes taken off.
/// Text is made of what is asked for alone.
struct AuthenticationFields {
    private let bytes: [UInt8]
    /// A dozen at the most, as a rule: found faster in a row than by their hashes.
    private var fields: [(name: Range<Int>, value: Range<Int>)] = []

    private static let countMax = 64

    /// nil when the scheme is another, or the list is broken or of more fields than anybody writes, or a name is repeated.
    init?(scheme: StaticString, _ text: String) {
        let bytes = Array(text.utf8)
        self.bytes = bytes
        let range = bytes.trim(bytes.indices)
        guard let blank = bytes.index(in: range, where: \.isBlank), bytes.matches(range.lowerBound..<blank, scheme)
        else {
            return nil
        }
        var found: [(name: Range<Int>, value: Range<Int>)] = []
        found.reserveCapacity(12)
        let isWhole = bytes.eachValue(blank..<range.upperBound) { item in
            guard let split = bytes.index(of: ASCII.equals, in: item) else { return false }
            let name = bytes.trim(item.lowerBound..<split)
            guard !name.isEmpty, found.count < Self.countMax, !found.contains(where: { bytes.isSameName($0.name, name) }) else { return false }
            found.append((name, bytes.trim(split + 1..<item.upperBound)))
            return true
        }
        guard isWhole else { return nil }
        fields = found
    }

    subscript(name: StaticString) -> String? {
        for field in fields where bytes.matches(field.name, name) { return bytes.unquotedText(field.value) }
        return nil
    }
}

extension [UInt8] {
    fileprivate func isSameName(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
        guard a.count == b.count else { return false }
        for place in 0..<a.count where self[a.lowerBound + place].lowered != self[b.lowerBound + place].lowered { return false }
        return true
    }
}
