/// `name=value, name="value"` of the authentication headers after the scheme (RFC 3261 §25.1): names in
/// lower case, quotes taken off.
struct AuthenticationFields {
    /// A dozen at the most, as a rule: found faster in a row than by their hashes.
    private var values: [(name: String, value: String)] = []

    private static let countMax = 64

    /// nil when the scheme is another, or the list is broken or of more fields than anybody writes, or a name is repeated.
    init?(scheme: StaticString, _ text: String) {
        let bytes = Array(text.utf8)
        let range = bytes.trim(bytes.indices)
        guard let blank = bytes.index(in: range, where: \.isBlank), bytes.matches(range.lowerBound..<blank, scheme)
        else {
            return nil
        }
        values.reserveCapacity(12)
        let isWhole = bytes.eachValue(blank..<range.upperBound) { item in
            guard let split = bytes.index(of: ASCII.equals, in: item) else { return false }
            let name = bytes.loweredText(bytes.trim(item.lowerBound..<split))
            guard !name.isEmpty, values.count < Self.countMax, self[name] == nil else { return false }
            values.append((name, bytes.unquotedText(bytes.trim(split + 1..<item.upperBound))))
            return true
        }
        guard isWhole else { return nil }
    }

    subscript(name: String) -> String? { values.first { $0.name == name }?.value }
}
