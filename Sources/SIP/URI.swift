/// A SIP or SIPS URI (RFC 3261 §19.1), or another scheme that is carried without being understood.
package struct URI: Hashable, Sendable {
    /// Lower case: `sip`, `sips`, `tel` …
    package var scheme: String
    /// As written, percent-escapes kept; `userDecoded` is for looking up.
    package var user: String?
    package var password: String?
    /// Lower case; IPv6 in brackets. Empty when the scheme is not SIP.
    package var host: String
    package var port: UInt16?
    package var parameters: Parameters
    /// After the `?`, without it, as written.
    package var headers: String?
    /// All after the colon, when the scheme is neither `sip` nor `sips`.
    package var opaque: String?

    package init(scheme: String = "sip", user: String? = nil, host: String, port: UInt16? = nil) {
        self.init(scheme: scheme, user: user, parsedHost: host.asciiLowered, port: port)
    }

    private init(scheme: String, user: String?, parsedHost: String, port: UInt16?) {
        self.scheme = scheme
        self.user = user
        self.password = nil
        self.host = parsedHost
        self.port = port
        self.parameters = Parameters()
        self.headers = nil
        self.opaque = nil
    }

    package var isSIP: Bool { opaque == nil }
    package var isSecure: Bool { scheme == "sips" }
    package var userDecoded: String? { user?.percentDecoded }
    /// `lr`: the proxy that it names understands loose routing (RFC 3261 §16.12).
    package var isLooseRouter: Bool { parameters.contains("lr") }
    package var transport: Transport? { parameters["transport"].map { Transport($0) } }
}

extension URI: CustomStringConvertible {
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        self.init(parsing: bytes, bytes.indices)
    }

    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        guard let colon = bytes.index(of: ASCII.colon, in: range), bytes[range.lowerBound].isLetter,
            colon + 1 < range.upperBound, bytes.isURIText(range)
        else { return nil }
        let schemeRange = range.lowerBound..<colon
        var rest = colon + 1..<range.upperBound
        let isSIP = bytes.matches(schemeRange, "sip")
        guard isSIP || bytes.matches(schemeRange, "sips") else {
            guard bytes.all(schemeRange, { $0.isLetter || $0.isDigit || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }) else {
                return nil
            }
            self.init(scheme: bytes.loweredText(schemeRange), host: "")
            opaque = bytes.text(rest)
            return
        }
        guard bytes.hasWholeEscapes(rest) else { return nil }
        var user: String?
        var password: String?
        // An unescaped "@" can only end the user part, which itself may hold ";", "?" and "/".
        if let at = bytes.index(of: ASCII.at, in: rest) {
            let end = bytes.index(of: ASCII.colon, in: rest.lowerBound..<at) ?? at
            guard end > rest.lowerBound else { return nil }
            user = bytes.text(rest.lowerBound..<end)
            password = end < at ? bytes.text(end + 1..<at) : nil
            rest = at + 1..<rest.upperBound
        }
        let hostEnd = bytes.index(in: rest) { $0 == ASCII.semicolon || $0 == ASCII.question } ?? rest.upperBound
        guard let (host, port) = hostAndPort(bytes, rest.lowerBound..<hostEnd) else { return nil }
        self.init(scheme: isSIP ? "sip" : "sips", user: user, parsedHost: host, port: port)
        self.password = password
        rest = hostEnd..<rest.upperBound
        guard !rest.isEmpty else { return }
        guard bytes.index(of: ASCII.at, in: rest) == nil else { return nil }
        if let question = bytes.index(of: ASCII.question, in: rest) {
            guard question + 1 < rest.upperBound else { return nil }
            headers = bytes.text(question + 1..<rest.upperBound)
            rest = rest.lowerBound..<question
        }
        guard let parameters = Parameters(parsing: bytes, rest) else { return nil }
        self.parameters = parameters
    }

    package var description: String { TextWriter.text { write(to: &$0) } }

    func write(to text: inout TextWriter) {
        text += scheme
        text += ":"
        if let opaque {
            text += opaque
            return
        }
        if let user {
            text += user
            if let password {
                text += ":"
                text += password
            }
            text += "@"
        }
        text += host
        if let port {
            text += ":"
            text += port
        }
        parameters.write(to: &text)
        if let headers {
            text += "?"
            text += headers
        }
    }
}

extension URI {
    /// Whether both name the same resource by RFC 3261 §19.1.4: escapes decoded, order ignored, and a
    /// parameter that only one side has counts only if it is `user`, `ttl`, `method`, `maddr` or `transport`.
    package func isEquivalent(to other: URI) -> Bool {
        guard scheme == other.scheme else { return false }
        if let opaque, let otherOpaque = other.opaque { return opaque == otherOpaque }
        guard host == other.host, port == other.port, (user == nil) == (other.user == nil),
            user == other.user || user?.percentDecoded == other.user?.percentDecoded,
            password == other.password
        else { return false }
        let decisive: Set<String> = ["user", "ttl", "method", "maddr", "transport"]
        func agrees(_ a: Parameters, _ b: Parameters) -> Bool {
            a.items.allSatisfy { item in
                guard b.contains(item.name) else { return !decisive.contains(item.name) }
                return (a[item.name] ?? "").equalsIgnoringCase(b[item.name] ?? "")
            }
        }
        func sorted(_ headers: String?) -> [Substring] { (headers ?? "").split(separator: "&").sorted() }
        return agrees(parameters, other.parameters) && agrees(other.parameters, parameters)
            && sorted(headers) == sorted(other.headers)
    }
}

extension [UInt8] {
    /// Nothing that cannot stand in any URI: blanks, controls, quotes and angle brackets.
    fileprivate func isURIText(_ range: Range<Int>) -> Bool {
        all(range) { $0 > ASCII.space && $0 != 0x7F && $0 != ASCII.less && $0 != ASCII.greater && $0 != ASCII.quote }
    }

    /// Every "%" is followed by two hexadecimal digits.
    fileprivate func hasWholeEscapes(_ range: Range<Int>) -> Bool {
        var start = range.lowerBound
        while let percent = index(of: ASCII.percent, in: start..<range.upperBound) {
            guard percent + 2 < range.upperBound, self[percent + 1].isHexDigit, self[percent + 2].isHexDigit else {
                return false
            }
            start = percent + 3
        }
        return true
    }
}

/// `host[:port]` of a URI or Via, in lower case; blanks around the colon are allowed (RFC 3261 §25.1, sent-by).
/// The port is 1 to 65535.
func hostAndPort(_ bytes: [UInt8], _ range: Range<Int>) -> (host: String, port: UInt16?)? {
    let range = bytes.trim(range)
    guard !range.isEmpty else { return nil }
    let host: Range<Int>
    var rest: Range<Int>
    if bytes[range.lowerBound] == ASCII.leftBracket {
        guard let close = bytes.index(of: ASCII.rightBracket, in: range) else { return nil }
        host = range.lowerBound..<close + 1
        guard host.count > 3,
            bytes.all(host.lowerBound + 1..<close, { $0.isHexDigit || $0 == ASCII.colon || $0 == 0x2E })
        else { return nil }
        rest = close + 1..<range.upperBound
    } else {
        let end = bytes.index(of: ASCII.colon, in: range) ?? range.upperBound
        host = bytes.trim(range.lowerBound..<end)
        guard !host.isEmpty,
            bytes.all(host, { $0.isLetter || $0.isDigit || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F })
        else { return nil }
        rest = end..<range.upperBound
    }
    rest = bytes.trim(rest)
    guard !rest.isEmpty else { return (bytes.loweredText(host), nil) }
    guard bytes[rest.lowerBound] == ASCII.colon,
        let port = bytes.decimal(bytes.trim(rest.lowerBound + 1..<rest.upperBound), limit: 65_535), port > 0
    else { return nil }
    return (bytes.loweredText(host), UInt16(port))
}
