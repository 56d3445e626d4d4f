/// Why a body is no session description.
package enum SDPError: Error, Hashable, Sendable {
    case tooLarge(have: Int, limit: Int)
    case notText
    /// Not `type=value`.
    case line(Int)
    /// The lines do not start with `v=0`.
    case version
    case missing(Character)
    case malformed(Character, line: Int)
    /// A stream that is not refused has no `c=` of its own and none of the session's (RFC 8866 §5.7).
    case noConnection
    case tooManyMedia(limit: Int)
}

extension SDP {
    package static let sizeMax = 16_384
    package static let mediaMax = 32

    package init(parsing body: [UInt8]) throws(SDPError) {
        guard body.count <= SDP.sizeMax else { throw .tooLarge(have: body.count, limit: SDP.sizeMax) }
        guard let text = String(validating: body, as: UTF8.self),
            body.allSatisfy({ !$0.isControl || $0 == ASCII.carriageReturn || $0 == ASCII.lineFeed })
        else { throw .notText }
        var origin: Origin?
        var name: String?
        var connection: Address?
        var hasTime = false
        var lines: [Line] = []
        var media: [Media] = []
        var number = 0
        // Line ends are CR LF; a bare LF is to be taken too (RFC 8866 §5).
        for raw in text.utf8.split(separator: ASCII.lineFeed) {
            let written = raw.last == ASCII.carriageReturn ? raw.dropLast() : raw
            if written.isEmpty { continue }
            number += 1
            guard written.count >= 2, let first = written.first, first.isLetter,
                written.dropFirst().first == ASCII.equals, !written.contains(ASCII.carriageReturn)
            else { throw .line(number) }
            let type = Character(Unicode.Scalar(first))
            let value = String(Substring(written.dropFirst(2)))
            if number == 1 {
                guard type == "v", value == "0" else { throw .version }
                continue
            }
            switch (type, media.isEmpty) {
            case ("v", _):
                throw .malformed("v", line: number)
            case ("o", true):
                guard origin == nil, let parsed = Origin(parsing: value) else { throw .malformed("o", line: number) }
                origin = parsed
            case ("s", true):
                guard name == nil else { throw .malformed("s", line: number) }
                name = value
            case ("c", let isSession):
                guard let address = Address(parsing: value) else { throw .malformed("c", line: number) }
                if isSession { connection = address } else { media[media.count - 1].connection = address }
            case ("m", _):
                guard media.count < SDP.mediaMax else { throw .tooManyMedia(limit: SDP.mediaMax) }
                guard let section = Media(parsing: value) else { throw .malformed("m", line: number) }
                media.append(section)
            case (_, true):
                if type == "t" { hasTime = true }
                lines.append(Line(type, value))
            case (_, false):
                media[media.count - 1].lines.append(Line(type, value))
            }
        }
        guard number > 0 else { throw .version }
        guard let origin else { throw .missing("o") }
        guard let name else { throw .missing("s") }
        guard hasTime else { throw .missing("t") }
        for section in media where !section.isRefused && section.connection == nil && connection == nil {
            throw .noConnection
        }
        self.init(origin: origin, name: name, connection: connection, media: media)
        self.lines = lines
    }

    /// Lines in the order of RFC 8866 §5: `v o s i u e p c b t …`; those without a field of their own keep theirs.
    package var description: String {
        var text = "v=0\r\no=\(origin)\r\ns=\(name)\r\n"
        let afterConnection = lines.firstIndex { !"iuep".contains($0.type) } ?? lines.count
        for line in lines[..<afterConnection] { text += "\(line.type)=\(line.value)\r\n" }
        if let connection { text += "c=\(connection)\r\n" }
        for line in lines[afterConnection...] { text += "\(line.type)=\(line.value)\r\n" }
        for section in media { section.write(to: &text) }
        return text
    }

    package var bytes: [UInt8] { Array(description.utf8) }
}

extension SDP.Origin: CustomStringConvertible {
    init?(parsing text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 6, !parts[0].isEmpty, let sessionID = number(parts[1]), let version = number(parts[2]),
            let address = SDP.Address(parsing: parts[3...].joined(separator: " "))
        else { return nil }
        self.init(username: String(parts[0]), sessionID: sessionID, version: version, address: address)

        // Some endpoints write numbers of more than 64 bits here; only sameness and growth matter, so the
        // low digits will do.
        func number(_ text: Substring) -> UInt64? {
            guard !text.isEmpty, text.utf8.count <= 64, text.utf8.allSatisfy(\.isDigit) else { return nil }
            return UInt64(text) ?? UInt64(text.suffix(18))
        }
    }

    package var description: String { "\(username) \(sessionID) \(version) \(address)" }
}

extension SDP.Address: CustomStringConvertible {
    /// `IN IP4 192.0.2.1`.
    init?(parsing text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "IN", parts[1] == "IP4" || parts[1] == "IP6", !parts[2].isEmpty,
            parts[2].utf8.allSatisfy({
                $0.isLetter || $0.isDigit || $0 == 0x2D || $0 == 0x2E || $0 == ASCII.colon || $0 == ASCII.slash
            })
        else { return nil }
        self.init(isIPv6: parts[1] == "IP6", host: String(parts[2]))
    }

    package var description: String { "IN \(isIPv6 ? "IP6" : "IP4") \(host)" }
}

extension SDP.Media {
    /// `audio 49170/2 RTP/AVP 0 8 101` (RFC 8866 §5.14).
    init?(parsing text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count >= 4 else { return nil }
        let ports = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        guard ports.count <= 2, parts[1].utf8.allSatisfy({ $0.isDigit || $0 == ASCII.slash }), let port = UInt16(ports[0])
        else { return nil }
        self.init(
            kind: String(parts[0]), port: port, profile: Profile(String(parts[2])), formats: parts[3...].map(String.init))
        if ports.count == 2 {
            guard let count = UInt16(ports[1]), count > 0 else { return nil }
            portCount = count
        }
        // Payload types of RTP are numbers of seven bits.
        if text.contains("RTP/"), formats.contains(where: { UInt8($0).map { $0 > 127 } ?? true }) { return nil }
    }

    func write(to text: inout String) {
        text += "m=\(kind) \(port)"
        if let portCount { text += "/\(portCount)" }
        text += " \(profile.text) \(formats.joined(separator: " "))\r\n"
        let afterConnection = lines.first?.type == "i" ? 1 : 0
        for line in lines[..<afterConnection] { text += "\(line.type)=\(line.value)\r\n" }
        if let connection { text += "c=\(connection)\r\n" }
        for line in lines[afterConnection...] { text += "\(line.type)=\(line.value)\r\n" }
    }
}
