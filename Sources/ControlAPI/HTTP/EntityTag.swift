/// Entity tags are versions of streams: `"7"`. They are strong (RFC 9110 §8.8.3): the same version is the same bytes.
enum EntityTag {
    static func text(_ version: UInt64) -> String { "\"\(version)\"" }

    /// What If-Match or If-None-Match names (RFC 9110 §13.1).
    enum Condition: Equatable, Sendable {
        case any
        /// Weak tags and tags that are not ours name no version; the list may be empty.
        case versions([UInt64])

        /// - Parameter field: all values of the field, joined with commas. nil: it is not a list of tags.
        init?(_ field: String) {
            let text = field.trimmed
            if text == "*" {
                self = .any
                return
            }
            var versions: [UInt64] = []
            for element in text.split(separator: ",", omittingEmptySubsequences: false) {
                var tag = Substring(String(element).trimmed)
                let isWeak = tag.hasPrefix("W/")
                if isWeak { tag = tag.dropFirst(2) }
                guard tag.count >= 2, tag.hasPrefix("\""), tag.hasSuffix("\"") else { return nil }
                if !isWeak, let version = UInt64(tag.dropFirst().dropLast()) { versions.append(version) }
            }
            self = .versions(versions)
        }

        func allows(_ version: UInt64) -> Bool {
            switch self {
            case .any: true
            case .versions(let versions): versions.contains(version)
            }
        }
    }
}

extension String {
    /// Without the optional white space around a header field's element (RFC 9110 §5.6.3).
    var trimmed: String {
        var part = self[...]
        while let first = part.first, first == " " || first == "\t" { part = part.dropFirst() }
        while let last = part.last, last == " " || last == "\t" { part = part.dropLast() }
        return String(part)
    }
}
