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
    package init?(_ text: String) { self.init(parsing: text.slice) }

    init?(parsing bytes: ArraySlice<UInt8>) {
        let bytes = bytes.trimmed
        var displayName: String?
        let address: ArraySlice<UInt8>
        let rest: ArraySlice<UInt8>
        var start = bytes.startIndex
        if bytes.first == ASCII.quote {
            guard let end = bytes.quotedEnd else { return nil }
            displayName = bytes[..<end].text.unquoted
            start = end
        }
        if let open = bytes[start...].firstIndex(of: ASCII.less) {
            let name = bytes[start..<open].trimmed
            if displayName == nil {
                // *(token LWS); peers also write other characters here without quotes, which do no harm.
                guard !name.contains(where: { $0.isControl || $0 == ASCII.quote || $0 == ASCII.comma || $0 == ASCII.semicolon })
                else { return nil }
                displayName = name.isEmpty ? nil : name.text
            } else if !name.isEmpty {
                return nil
            }
            guard let close = bytes[open...].firstIndex(of: ASCII.greater) else { return nil }
            address = bytes[(open + 1)..<close]
            rest = bytes[(close + 1)...]
        } else {
            // Without brackets every parameter is the header's, and "?" and "," may not occur (§20.10).
            guard displayName == nil else { return nil }
            let end = bytes.firstIndex(of: ASCII.semicolon) ?? bytes.endIndex
            address = bytes[..<end].trimmed
            guard !address.contains(ASCII.question), !address.contains(ASCII.comma) else { return nil }
            rest = bytes[end...]
        }
        guard let uri = URI(parsing: address), let parameters = Parameters(parsing: rest) else { return nil }
        self.init(displayName: displayName, uri: uri)
        self.parameters = parameters
    }

    package var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    func write(to text: inout String) {
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
