extension SIPMessage {
    /// The answer to bytes that are no message, if they are at least a request with the fields that an answer repeats:
    /// a 4xx or 5xx, those fields copied as they came. nil for responses, for ACK, and for what says too
    /// little: silence. To be sent to where the bytes came from.
    ///
    /// - Parameter fields: that it says besides.
    package static func rejection(of bytes: [UInt8], for error: ParseError, saying fields: [(name: HeaderName, value: String)] = []) -> [UInt8]? {
        guard let status = error.status, let scanned = try? HeaderScanner(bytes, isForAnswer: true) else { return nil }
        let line = scanned.startLine
        let word = line.lowerBound..<min(line.upperBound, line.lowerBound + 4)
        guard !scanned.bytes.matches(word, "SIP/"), !scanned.bytes.matches(word, "ACK ") else { return nil }
        var head = Array("SIP/2.0 \(status) \(error.reason)\r\n".utf8)
        for name in [HeaderName.via, .from, .to, .callID, .cseq] {
            let values = scanned.fields.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
            guard let first = values.first else { return nil }
            for value in name == .via ? values : [first] {
                head += Array("\(name): ".utf8) + scanned.bytes[value]
                if name == .to, !scanned.bytes.loweredText(value).contains("tag") {
                    head += Array(";tag=malformed".utf8)
                }
                head += [ASCII.carriageReturn, ASCII.lineFeed]
            }
        }
        for field in fields { head += Array("\(field.name): \(field.value)\r\n".utf8) }
        return head + Array("Content-Length: 0\r\n\r\n".utf8)
    }
}
