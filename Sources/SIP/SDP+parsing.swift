/// Why a body is no session description.
package enum SDPError: Error, Hashable, Sendable {
    case tooLarge(have: Int, limit: Int)
    case notText
    /// Not `type=value`.
    case line(Int)
    /// The lines do not start with `v=0`.
    case version
    case missing(Unicode.Scalar)
    case malformed(Unicode.Scalar, line: Int)
    /// A stream that is not refused has no `c=` of its own and none of the session's (RFC 8866 §5.7).
    case noConnection
    case tooManyMedia(limit: Int)
}

extension SDP {
    package static let sizeMax = 16_384
    package static let mediaMax = 32

    package init(parsing body: [UInt8]) throws(SDPError) {
        guard body.count <= SDP.sizeMax else { throw .tooLarge(have: body.count, limit: SDP.sizeMax) }
        guard body.isUTF8(body.indices),
            body.all(body.indices, { !$0.isControl || $0 == ASCII.carriageReturn || $0 == ASCII.lineFeed })
        else { throw .notText }
        var reader = SDPReader()
        var start = 0
        while start < body.count {
            // Line ends are CR LF; a bare LF is to be taken too (RFC 8866 §5).
            let lineFeed = body.index(of: ASCII.lineFeed, in: start..<body.count) ?? body.count
            let end = lineFeed > start && body[lineFeed - 1] == ASCII.carriageReturn ? lineFeed - 1 : lineFeed
            if end > start { try reader.take(body, start..<end) }
            start = lineFeed + 1
        }
        self = try reader.finish()
    }

    /// Lines in the order of RFC 8866 §5: `v o s i u e p c b t …`; those without a field of their own keep theirs.
    package var bytes: [UInt8] {
        var text = TextWriter(capacity: 1_024)
        text += "v=0\r\no="
        origin.write(to: &text)
        text += "\r\ns="
        text += name
        text += "\r\n"
        let afterConnection = lines.firstIndex { !$0.isBeforeConnection } ?? lines.count
        for line in lines[..<afterConnection] { line.write(to: &text) }
        connection?.write(line: "c=", to: &text)
        for line in lines[afterConnection...] { line.write(to: &text) }
        for section in media { section.write(to: &text) }
        return text.bytes
    }

    package var description: String { String(decoding: bytes, as: UTF8.self) }
}

extension SDP.Line {
    fileprivate var isBeforeConnection: Bool {
        switch type {
        case "i", "u", "e", "p": true
        default: false
        }
    }

    fileprivate func write(to text: inout TextWriter) {
        text += type
        text += "="
        text += value
        text += "\r\n"
    }
}

extension SDP.Origin: CustomStringConvertible {
    /// `jdoe 3724394400 3724394405 IN IP4 198.51.100.1`.
    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        let fields = bytes.fields(range)
        guard fields.count == 6, let sessionID = number(fields[1]), let version = number(fields[2]),
            let address = SDP.Address(parsing: bytes, fields[3].lowerBound..<range.upperBound)
        else { return nil }
        self.init(username: bytes.text(fields[0]), sessionID: sessionID, version: version, address: address)

        // Some endpoints write numbers of more than 64 bits here; only sameness and growth matter, so the
        // low digits will do.
        func number(_ range: Range<Int>) -> UInt64? {
            guard range.count <= 64, bytes.all(range, \.isDigit) else { return nil }
            return bytes.decimal(range, limit: .max)
                ?? bytes.decimal(range.upperBound - 18..<range.upperBound, limit: .max)
        }
    }

    package var description: String { TextWriter.text { write(to: &$0) } }

    fileprivate func write(to text: inout TextWriter) {
        text += username
        text += " "
        text += sessionID
        text += " "
        text += version
        text += " "
        address.write(to: &text)
    }
}

extension SDP.Address: CustomStringConvertible {
    init?(parsing text: String) {
        let bytes = Array(text.utf8)
        self.init(parsing: bytes, bytes.indices)
    }

    /// `IN IP4 192.0.2.1`.
    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        let fields = bytes.fields(range)
        guard fields.count == 3, bytes.matches(fields[0], "IN"),
            bytes.all(
                fields[2],
                { $0.isLetter || $0.isDigit || $0 == 0x2D || $0 == 0x2E || $0 == ASCII.colon || $0 == ASCII.slash })
        else { return nil }
        let isIPv6 = bytes.matches(fields[1], "IP6")
        guard isIPv6 || bytes.matches(fields[1], "IP4") else { return nil }
        self.init(isIPv6: isIPv6, host: bytes.text(fields[2]))
    }

    package var description: String { TextWriter.text { write(to: &$0) } }

    fileprivate func write(to text: inout TextWriter) {
        text += isIPv6 ? "IN IP6 " : "IN IP4 "
        text += host
    }

    fileprivate func write(line start: String, to text: inout TextWriter) {
        text += start
        write(to: &text)
        text += "\r\n"
    }
}

extension SDP.Media {
    /// `audio 49170/2 RTP/AVP 0 8 101` (RFC 8866 §5.14).
    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        let fields = bytes.fields(range)
        guard fields.count >= 4 else { return nil }
        let slash = bytes.index(of: ASCII.slash, in: fields[1])
        guard let port = bytes.decimal(fields[1].lowerBound..<(slash ?? fields[1].upperBound), limit: 65_535) else {
            return nil
        }
        let profile = Profile(bytes.text(fields[2]))
        switch profile {
        case .avp, .savp, .avpf, .savpf, .tlsSAVP, .tlsSAVPF:
            // Payload types of RTP are numbers of seven bits.
            guard fields[3...].allSatisfy({ bytes.decimal($0, limit: 127) != nil }) else { return nil }
        case .other: break
        }
        self.init(
            kind: bytes.text(fields[0]), port: UInt16(port), profile: profile,
            formats: fields[3...].map { bytes.text($0) })
        if let slash {
            guard let count = bytes.decimal(slash + 1..<fields[1].upperBound, limit: 65_535), count > 0 else {
                return nil
            }
            portCount = UInt16(count)
        }
    }

    fileprivate func write(to text: inout TextWriter) {
        text += "m="
        text += kind
        text += " "
        text += port
        if let portCount {
            text += "/"
            text += portCount
        }
        text += " "
        text += profile.text
        for format in formats {
            text += " "
            text += format
        }
        text += "\r\n"
        let afterConnection = lines.first?.type == "i" ? 1 : 0
        for line in lines[..<afterConnection] { line.write(to: &text) }
        connection?.write(line: "c=", to: &text)
        for line in lines[afterConnection...] { line.write(to: &text) }
    }
}

extension [UInt8] {
    /// Fields between single or repeated spaces.
    fileprivate func fields(_ range: Range<Int>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        fields.reserveCapacity(8)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = index(of: ASCII.space, in: start..<range.upperBound) ?? range.upperBound
            if end > start { fields.append(start..<end) }
            start = end + 1
        }
        return fields
    }
}
