package import Primitives

/// One step of the way back for responses (RFC 3261 §20.42, RFC 3581).
package struct Via: Hashable, Sendable {
    package var transport: Transport
    /// Lower case; IPv6 in brackets.
    package var host: String
    package var port: UInt16?
    package var parameters: Parameters

    /// What every branch of RFC 3261 starts with (§8.1.1.7).
    package static let magicCookie = "z9hG4bK"

    /// - Parameter branch: with the magic cookie in front.
    package init(_ transport: Transport = .udp, host: String, port: UInt16?, branch: String, asksForPort: Bool = true) {
        self.transport = transport
        self.host = host.asciiLowered
        self.port = port
        self.parameters = Parameters()
        parameters.set("branch", branch)
        if asksForPort { parameters.set("rport") }
    }

    package var branch: String? { parameters["branch"] }
    package var received: String? { parameters["received"] }
    /// The port seen by the server; nil also when the client only asked for it.
    package var receivedPort: UInt16? { parameters["rport"].flatMap { UInt16($0) } }
    package var asksForPort: Bool { parameters.contains("rport") }

    /// Notes the source that a request was seen to come from (RFC 3261 §18.2.1, RFC 3581 §4).
    package mutating func stamp(source: SocketAddress) {
        if asksForPort {
            parameters.set("rport", String(source.port))
            parameters.set("received", source.host.bare)
        } else if SocketAddress.Host(host) != source.host {
            parameters.set("received", source.host.bare)
        } else {
            // A client cannot say where it was seen.
            parameters.remove("received")
        }
    }

    /// Where the response goes over an unreliable transport, when this Via was stamped with the
    /// source of the request: never to an address that a peer could choose freely (§18.2.2; `maddr`
    /// is ignored on purpose).
    package func responseAddress(source: SocketAddress) -> SocketAddress {
        asksForPort ? source : SocketAddress(source.host, port: port ?? transport.defaultPort)
    }
}

extension SocketAddress.Host {
    /// IPv6 without brackets, as `received` wants it.
    var bare: String {
        switch self {
        case .v4: description
        case .v6: String(description.dropFirst().dropLast())
        }
    }
}

extension Via: CustomStringConvertible {
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        self.init(parsing: bytes, bytes.indices)
    }

    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        // sent-protocol = "SIP" SLASH "2.0" SLASH transport, blanks allowed around each slash.
        guard let first = bytes.index(of: ASCII.slash, in: range),
            let second = bytes.index(of: ASCII.slash, in: first + 1..<range.upperBound),
            bytes.matches(bytes.trim(range.lowerBound..<first), "SIP"),
            bytes.matches(bytes.trim(first + 1..<second), "2.0")
        else { return nil }
        let rest = bytes.trim(second + 1..<range.upperBound)
        guard let blank = bytes.index(in: rest, where: \.isBlank), bytes.isToken(rest.lowerBound..<blank) else {
            return nil
        }
        let end = bytes.index(of: ASCII.semicolon, in: blank..<rest.upperBound) ?? rest.upperBound
        guard let (host, port) = hostAndPort(bytes, blank..<end),
            let parameters = Parameters(parsing: bytes, end..<rest.upperBound)
        else { return nil }
        let name = rest.lowerBound..<blank
        self.transport = bytes.matches(name, "UDP") ? .udp : Transport(bytes.text(name))
        self.host = host
        self.port = port
        self.parameters = parameters
    }

    package var description: String { TextWriter.text { write(to: &$0) } }

    func write(to text: inout TextWriter) {
        text += "SIP/2.0/"
        text += transport.name
        text += " "
        text += host
        if let port {
            text += ":"
            text += port
        }
        parameters.write(to: &text)
    }
}
