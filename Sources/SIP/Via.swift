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
        let text = description
        return text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : text
    }
}

extension Via: CustomStringConvertible {
    package init?(_ text: String) { self.init(parsing: text.slice) }

    init?(parsing bytes: ArraySlice<UInt8>) {
        // sent-protocol = "SIP" SLASH "2.0" SLASH transport, blanks allowed around each slash.
        guard let first = bytes.firstIndex(of: ASCII.slash),
            let second = bytes[(first + 1)...].firstIndex(of: ASCII.slash),
            bytes[..<first].trimmed.matches("SIP"), bytes[(first + 1)..<second].trimmed.matches("2.0")
        else { return nil }
        var rest = bytes[(second + 1)...].trimmed
        guard let blank = rest.firstIndex(where: \.isBlank) else { return nil }
        let transport = rest[..<blank]
        guard transport.isTokenText else { return nil }
        rest = rest[blank...]
        let end = rest.firstIndex(of: ASCII.semicolon) ?? rest.endIndex
        guard let (host, port) = hostAndPort(rest[..<end]), let parameters = Parameters(parsing: rest[end...])
        else { return nil }
        self.transport = transport.matches("UDP") ? .udp : Transport(transport.text)
        self.host = host
        self.port = port
        self.parameters = parameters
    }

    package var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    func write(to text: inout String) {
        text += "SIP/2.0/"
        text += transport.name
        text += " "
        text += host
        if let port {
            text += ":"
            text += String(port)
        }
        parameters.write(to: &text)
    }
}
