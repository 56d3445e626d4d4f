/// A URI with a name for people and header parameters: From, To, Contact, Route … (RFC 3261 §20.10).
package struct NameAddress: Hashable, Sendable {
    /// Without quotes and escapes; nil when there was none.
    package var displayName: String?
    package var uri: URI
    /// Of the header field, not of the URI: `tag`, `expires`, `q` …
    package var parameters: Parameters

    package init(displayName: String? = nil, uri: URI, tag: String? = nil) {
        self.displayName = displayName
        self.uri = uri
        self.parameters = Parameters()
        if let tag { parameters.set("tag", tag) }
    }

    package var tag: String? {
        get { parameters["tag"] }
        set { parameters["tag"] = newValue }
    }
    /// Seconds; nil when absent or not a number of at most 32 bits.
    package var expires: UInt32? { parameters["expires"].flatMap { UInt32($0) } }
}

extension NameAddress: CustomStringConvertible {
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        self.init(parsing: bytes, bytes.indices)
    }

    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        let range = bytes.trim(range)
        guard !range.isEmpty else { return nil }
        var displayName: String?
        let address: Range<Int>
        let rest: Range<Int>
        var start = range.lowerBound
        if bytes[start] == ASCII.quote {
            guard let end = bytes.quotedEnd(range) else { return nil }
            displayName = bytes.text(start..<end).unquoted
            start = end
        }
        if let open = bytes.index(of: ASCII.less, in: start..<range.upperBound) {
            let name = bytes.trim(start..<open)
            if displayName == nil {
                // *(token LWS); peers also write other characters here without quotes, which do no harm.
                guard
                    bytes.all(
                        name, { !$0.isControl && $0 != ASCII.quote && $0 != ASCII.comma && $0 != ASCII.semicolon })
                else { return nil }
                displayName = name.isEmpty ? nil : bytes.text(name)
            } else if !name.isEmpty {
                return nil
            }
            guard let close = bytes.index(of: ASCII.greater, in: open..<range.upperBound) else { return nil }
            address = open + 1..<close
            rest = close + 1..<range.upperBound
        } else {
            // Without brackets every parameter is the header's, and "?" and "," may not occur (§20.10).
            guard displayName == nil else { return nil }
            let end = bytes.index(of: ASCII.semicolon, in: range) ?? range.upperBound
            address = bytes.trim(range.lowerBound..<end)
            guard bytes.all(address, { $0 != ASCII.question && $0 != ASCII.comma }) else { return nil }
            rest = end..<range.upperBound
        }
        guard let uri = URI(parsing: bytes, address), let parameters = Parameters(parsing: bytes, rest) else {
            return nil
        }
        self.displayName = displayName
        self.uri = uri
        self.parameters = parameters
    }

    package var description: String { TextWriter.text { write(to: &$0) } }

    func write(to text: inout TextWriter) {
        if let displayName {
            text += displayName.quoted
            text += " "
        }
        text += "<"
        uri.write(to: &text)
        text += ">"
        parameters.write(to: &text)
    }
}
