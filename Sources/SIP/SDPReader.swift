/// Gathers the lines of a session description and checks their order.
struct SDPReader {
    private var number = 0
    private var origin: SDP.Origin?
    private var name: String?
    private var connection: SDP.Address?
    private var hasTime = false
    private var lines: [SDP.Line] = []
    private var media: [SDP.Media] = []

    mutating func take(_ bytes: [UInt8], _ range: Range<Int>) throws(SDPError) {
        number += 1
        guard range.count >= 2, bytes[range.lowerBound].isLetter, bytes[range.lowerBound + 1] == ASCII.equals,
            bytes.index(of: ASCII.carriageReturn, in: range) == nil
        else { throw .line(number) }
        let type = bytes[range.lowerBound]
        let value = range.lowerBound + 2..<range.upperBound
        switch Unicode.Scalar(type) {
        case "v":
            guard number == 1 else { throw .malformed("v", line: number) }
            guard bytes.matches(value, "0") else { throw .version }
        case _ where number == 1:
            throw .version
        case "o" where media.isEmpty:
            guard origin == nil, let parsed = SDP.Origin(parsing: bytes, value) else {
                throw .malformed("o", line: number)
            }
            origin = parsed
        case "s" where media.isEmpty:
            guard name == nil else { throw .malformed("s", line: number) }
            name = bytes.text(value)
        case "c":
            guard let address = SDP.Address(parsing: bytes, value) else { throw .malformed("c", line: number) }
            if media.isEmpty { connection = address } else { media[media.count - 1].connection = address }
        case "m":
            guard media.count < SDP.mediaMax else { throw .tooManyMedia(limit: SDP.mediaMax) }
            guard let section = SDP.Media(parsing: bytes, value) else { throw .malformed("m", line: number) }
            media.append(section)
        case let other:
            let line = SDP.Line(parsed: type, bytes.text(value))
            if media.isEmpty {
                if other == "t" { hasTime = true }
                lines.append(line)
            } else {
                media[media.count - 1].lines.append(line)
            }
        }
    }

    func finish() throws(SDPError) -> SDP {
        guard number > 0 else { throw .version }
        guard let origin else { throw .missing("o") }
        guard let name else { throw .missing("s") }
        guard hasTime else { throw .missing("t") }
        for section in media where !section.isRefused && section.connection == nil && connection == nil {
            throw .noConnection
        }
        var sdp = SDP(origin: origin, name: name, connection: connection, media: media)
        sdp.lines = lines
        return sdp
    }
}
