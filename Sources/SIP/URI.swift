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
        self.scheme = scheme
        self.user = user
        self.password = nil
        self.host = host.asciiLowered
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
    package init?(_ text: String) { self.init(parsing: text.slice) }

    init?(parsing bytes: ArraySlice<UInt8>) {
        guard let colon = bytes.firstIndex(of: ASCII.colon), let first = bytes.first, first.isLetter,
            bytes[..<colon].allSatisfy({ $0.isLetter || $0.isDigit || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }),
            bytes.allSatisfy({ $0 > ASCII.space && $0 != 0x7F && $0 != ASCII.less && $0 != ASCII.greater && $0 != ASCII.quote })
        else { return nil }
        let scheme = bytes[..<colon].loweredText
        var rest = bytes[(colon + 1)...]
        guard !rest.isEmpty else { return nil }
        self.init(scheme: scheme, host: "")
        guard scheme == "sip" || scheme == "sips" else {
            opaque = rest.text
            return
        }
        guard rest.hasWholeEscapes else { return nil }
        // An unescaped "@" can only end the user part, which itself may hold ";", "?" and "/".
        if let at = rest.firstIndex(of: ASCII.at) {
            let userInfo = rest[..<at]
            let end = userInfo.firstIndex(of: ASCII.colon) ?? at
            guard end > userInfo.startIndex else { return nil }
            user = userInfo[..<end].text
            password = end < at ? userInfo[(end + 1)...].text : nil
            rest = rest[(at + 1)...]
        }
        let hostEnd = rest.firstIndex { $0 == ASCII.semicolon || $0 == ASCII.question } ?? rest.endIndex
        guard let (host, port) = hostAndPort(rest[..<hostEnd]) else { return nil }
        self.host = host
        self.port = port
        rest = rest[hostEnd...]
        if let question = rest.firstIndex(of: ASCII.question) {
            let written = rest[(question + 1)...]
            guard !written.isEmpty, !written.contains(ASCII.at) else { return nil }
            headers = written.text
            rest = rest[..<question]
        }
        guard !rest.contains(ASCII.at), let parameters = Parameters(parsing: rest) else { return nil }
        self.parameters = parameters
    }

    package var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    func write(to text: inout String) {
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
            text += String(port)
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

extension ArraySlice<UInt8> {
    /// Every "%" is followed by two hexadecimal digits.
    fileprivate var hasWholeEscapes: Bool {
        var index = startIndex
        while index < endIndex {
            if self[index] == ASCII.percent {
                guard index + 2 < endIndex, self[index + 1].isHexDigit, self[index + 2].isHexDigit else { return false }
                index += 3
            } else {
                index += 1
            }
        }
        return true
    }
}

/// `host[:port]` of a URI or Via, in lower case; blanks around the colon are allowed (RFC 3261 §25.1, sent-by).
/// The port is 1 to 65535.
func hostAndPort(_ bytes: ArraySlice<UInt8>) -> (host: String, port: UInt16?)? {
    let bytes = bytes.trimmed
    let host: ArraySlice<UInt8>
    var rest: ArraySlice<UInt8>
    if bytes.first == ASCII.leftBracket {
        guard let close = bytes.firstIndex(of: ASCII.rightBracket) else { return nil }
        host = bytes[...close]
        guard host.count > 3, host.dropFirst().dropLast().allSatisfy({ $0.isHexDigit || $0 == ASCII.colon || $0 == 0x2E })
        else { return nil }
        rest = bytes[(close + 1)...]
    } else {
        let end = bytes.firstIndex(of: ASCII.colon) ?? bytes.endIndex
        host = bytes[..<end].trimmed
        guard !host.isEmpty, host.allSatisfy({ $0.isLetter || $0.isDigit || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F })
        else { return nil }
        rest = bytes[end...]
    }
    rest = rest.trimmed
    guard let first = rest.first else { return (host.loweredText, nil) }
    guard first == ASCII.colon, let port = rest.dropFirst().trimmed.decimal(limit: 65_535), port > 0 else { return nil }
    return (host.loweredText, UInt16(port))
}
