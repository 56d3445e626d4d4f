/// A SIP or SIPS URI (RFC 3261 §19.1), or another scheme that is carried without being understood.
package struct URI: Hashable, Sendable {
    private struct Fields: Hashable, Sendable {
        var scheme: String
        var user: String?
        var password: String?
        var host: String
        var port: UInt16?
        var parameters = Parameters()
        var headers: String?
        var opaque: String?
    }
    /// One element: a URI is copied a hundred times in a call, with the message and the address that it is in, and changed twice.
    private var shared: [Fields]

    /// Lower case: `sip`, `sips`, `tel` …
    package var scheme: String {
        _read { yield shared[0].scheme }
        _modify { yield &shared[0].scheme }
    }
    /// As written, percent-escapes kept; `userDecoded` is for looking up.
    package var user: String? {
        _read { yield shared[0].user }
        _modify { yield &shared[0].user }
    }
    package var password: String? {
        _read { yield shared[0].password }
        _modify { yield &shared[0].password }
    }
    /// Lower case; IPv6 in brackets. Empty when the scheme is not SIP.
    package var host: String {
        _read { yield shared[0].host }
        _modify { yield &shared[0].host }
    }
    package var port: UInt16? {
        get { shared[0].port }
        set { shared[0].port = newValue }
    }
    package var parameters: Parameters {
        _read { yield shared[0].parameters }
        _modify { yield &shared[0].parameters }
    }
    /// After the `?`, without it, as written.
    package var headers: String? {
        _read { yield shared[0].headers }
        _modify { yield &shared[0].headers }
    }
    /// All after the colon, when the scheme is neither `sip` nor `sips`.
    package var opaque: String? {
        _read { yield shared[0].opaque }
        _modify { yield &shared[0].opaque }
    }

    package init(scheme: String = "sip", user: String? = nil, host: String, port: UInt16? = nil) {
        shared = [Fields(scheme: scheme, user: user, host: host.asciiLowered, port: port)]
    }

    package var isSIP: Bool { opaque == nil }
    package var isSecure: Bool { scheme == "sips" }
    package var userDecoded: String? { user?.percentDecoded }
    /// `userDecoded` without what carriers write behind a number in it: `+12095550100;npdi;rn=+12095550000` (RFC 3261 §19.1.6, RFC 4694). Of a
    /// `tel` URI its number, without separators that are for the eye (RFC 3966 §5.1.1).
    package var numberOrUser: String? {
        if scheme == "tel", let opaque { return String(decoding: opaque.utf8.prefix { $0 != ASCII.semicolon }.filter { !"-.()".utf8.contains($0) }, as: UTF8.self) }
        guard let user, let end = user.utf8.firstIndex(of: ASCII.semicolon) else { return userDecoded }
        let number = user[..<end]
        let digits = number.utf8.first == UInt8(ascii: "+") ? number.utf8.dropFirst() : number.utf8[...]
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return userDecoded }
        return String(number)
    }
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
            colon + 1 < range.upperBound, let hasEscapes = bytes.escapesInURI(range)
        else { return nil }
        let schemeRange = range.lowerBound..<colon
        var rest = colon + 1..<range.upperBound
        let isSIP = bytes.matches(schemeRange, "sip")
        guard isSIP || bytes.matches(schemeRange, "sips") else {
            guard bytes.all(schemeRange, { $0.isLetter || $0.isDigit || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }) else {
                return nil
            }
            shared = [Fields(scheme: bytes.loweredText(schemeRange), host: "", opaque: bytes.text(rest))]
            return
        }
        guard !hasEscapes || bytes.hasWholeEscapes(rest) else { return nil }
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
        var fields = Fields(scheme: isSIP ? "sip" : "sips", user: user, password: password, host: host, port: port)
        rest = hostEnd..<rest.upperBound
        if !rest.isEmpty {
            guard bytes.index(of: ASCII.at, in: rest) == nil else { return nil }
            if let question = bytes.index(of: ASCII.question, in: rest) {
                guard question + 1 < rest.upperBound else { return nil }
                fields.headers = bytes.text(question + 1..<rest.upperBound)
                rest = rest.lowerBound..<question
            }
            guard let parameters = Parameters(parsing: bytes, rest) else { return nil }
            fields.parameters = parameters
        }
        shared = [fields]
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
    /// Whether there is a "%" in it; nil if there is what cannot stand in any URI: blanks, controls, quotes, angle brackets.
    fileprivate func escapesInURI(_ range: Range<Int>) -> Bool? {
        var hasEscapes = false
        let isWhole = all(range) { byte in
            // Most are letters.
            if byte > ASCII.greater { return byte != 0x7F }
            if byte == ASCII.percent { hasEscapes = true }
            return byte > ASCII.space && byte != ASCII.less && byte != ASCII.greater && byte != ASCII.quote
        }
        return isWhole ? hasEscapes : nil
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
