/// A description of a session beside other things: carriers add what ISUP said, emergency calls a place (RFC 5621 §3).
extension SIPMessage {
    /// Nobody sends so many.
    private static let partsMax = 16

    /// The first part that is a description, which takes the place of all; nil if the body is not in parts, or none of them is a description that could be read.
    var descriptionOfParts: [UInt8]? {
        guard let type = headers[.contentType], type.utf8.count > 10, contentType?.hasPrefix("multipart/") == true else { return nil }
        let bytes = Array(type.utf8)
        guard let semicolon = bytes.index(of: ASCII.semicolon, in: bytes.indices), let parameters = Parameters(parsing: bytes, semicolon..<bytes.count),
            let boundary = parameters["boundary"], (1...70).contains(boundary.utf8.count)
        else { return nil }
        let mark = [ASCII.hyphen, ASCII.hyphen] + Array(boundary.utf8)
        var start: Int?
        var parts = 0
        for line in delimiters(mark) {
            // Two lines in a row share one line end.
            if let start, let description = description(in: start..<max(start, line.lowerBound)) { return description }
            parts += 1
            guard parts <= SIPMessage.partsMax else { return nil }
            start = line.upperBound
        }
        return nil
    }

    /// The lines that part the body, each with the line end before it (RFC 2046 §5.1.1).
    private func delimiters(_ mark: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var line = 0
        while line < body.count {
            let feed = body.index(of: ASCII.lineFeed, in: line..<body.count) ?? body.count
            if body[line..<feed].starts(with: mark) {
                let rest = body[(line + mark.count)..<feed].filter { !$0.isBlank && $0 != ASCII.carriageReturn }
                // Another boundary may begin like this one.
                if rest.isEmpty || rest == [ASCII.hyphen, ASCII.hyphen] {
                    let before = line >= 2 && body[line - 2] == ASCII.carriageReturn ? line - 2 : max(0, line - 1)
                    found.append(min(before, line)..<min(feed + 1, body.count))
                }
            }
            line = feed + 1
        }
        return found
    }

    private func description(in part: Range<Int>) -> [UInt8]? {
        var line = part.lowerBound
        var isDescription = false
        while line < part.upperBound {
            let feed = body.index(of: ASCII.lineFeed, in: line..<part.upperBound) ?? part.upperBound
            let text = body.trim(line..<(feed > line && body[feed - 1] == ASCII.carriageReturn ? feed - 1 : feed))
            line = min(feed + 1, part.upperBound)
            if text.isEmpty { return isDescription ? Array(body[line..<part.upperBound]) : nil }
            guard let colon = body.index(of: ASCII.colon, in: text) else { return nil }
            let name = body.trim(text.lowerBound..<colon)
            let value = body.trim(colon + 1..<text.upperBound)
            let kind = body.trim(value.lowerBound..<(body.index(of: ASCII.semicolon, in: value) ?? value.upperBound))
            if body.matches(name, "Content-Type") {
                isDescription = body.matches(kind, "application/sdp")
            } else if body.matches(name, "Content-Transfer-Encoding") {
                // SIP is eight bits wide: nobody needs another encoding (RFC 5621 §3.2).
                guard body.matches(kind, "binary") || body.matches(kind, "8bit") || body.matches(kind, "7bit") else { return nil }
            }
        }
        return nil
    }
}
