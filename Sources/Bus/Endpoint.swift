/// Where a socket of the bus listens or connects: `tcp://host:port`, IPv6 addresses in brackets.
///
/// Read here because libzmq takes some that cannot be meant, such as port 99999, for others.
struct Endpoint: Hashable, Sendable {
    let text: String
    var isIPv6: Bool { text.hasPrefix("tcp://[") }

    init(connecting text: String) throws(BusError) {
        guard let (host, port) = parts(of: text), host != "*", UInt16(port).map({ $0 > 0 }) == true else {
            throw .malformedEndpoint(text)
        }
        self.text = text
    }

    /// The port may be `*`: any that is free. The host may be `*`: every address of this machine.
    init(listening text: String) throws(BusError) {
        guard let (_, port) = parts(of: text), port == "*" || UInt16(port).map({ $0 > 0 }) == true else {
            throw .malformedEndpoint(text)
        }
        self.text = text
    }
}

private func parts(of text: String) -> (host: Substring, port: Substring)? {
    guard text.hasPrefix("tcp://"), text.utf8.count < 256, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        return nil
    }
    let rest = text.dropFirst("tcp://".count)
    guard let colon = rest.lastIndex(of: ":") else { return nil }
    let host = rest[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    guard !host.isEmpty, isBracketed || !host.contains(":") else { return nil }
    return (host, rest[rest.index(after: colon)...])
}
