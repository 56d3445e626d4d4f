/// `name=value, name="value"` of the authentication headers after the scheme (RFC 3261 §25.1): names in
/// lower case, quotes taken off.
struct AuthenticationFields {
    private var values: [String: String] = [:]

    /// nil when the scheme is another, or the list is broken, or a name is repeated.
    init?(scheme: String, _ text: String) {
        let bytes = text.slice.trimmed
        guard let blank = bytes.firstIndex(where: \.isBlank), bytes[..<blank].matches(scheme),
            let items = bytes[blank...].commaSeparated
        else { return nil }
        for item in items {
            guard let split = item.firstIndex(of: ASCII.equals) else { return nil }
            let name = item[..<split].trimmed.loweredText
            guard !name.isEmpty, values[name] == nil else { return nil }
            values[name] = item[(split + 1)...].trimmed.text.unquoted
        }
    }

    subscript(name: String) -> String? { values[name] }
}
