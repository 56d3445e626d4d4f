extension String {
    /// A quoted-string (RFC 3261 §25.1): quotes around, `"` and `\` escaped, controls dropped.
    package var quoted: String {
        guard needsEscapes else { return TextWriter.text(capacity: utf8.count + 2) { $0 += "\""; $0 += self; $0 += "\"" } }
        var result: [UInt8] = [ASCII.quote]
        result.reserveCapacity(utf8.count + 2)
        for byte in utf8 where !byte.isControl {
            if byte == ASCII.quote || byte == ASCII.backslash { result.append(ASCII.backslash) }
            result.append(byte)
        }
        result.append(ASCII.quote)
        return String(decoding: result, as: UTF8.self)
    }

    private var needsEscapes: Bool {
        let bytes = utf8.span
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == ASCII.quote || byte == ASCII.backslash || byte.isControl { return true }
        }
        return false
    }

    /// What a quoted-string stands for; text without quotes is returned as it is.
    package var unquoted: String {
        guard utf8.first == ASCII.quote else { return self }
        let bytes = Array(utf8)
        return bytes.unquotedText(bytes.indices)
    }

    /// Percent-escapes decoded (RFC 3261 §19.1.2); nil when one is broken or hides a control byte.
    package var percentDecoded: String? {
        let bytes = Array(utf8)
        guard bytes.contains(ASCII.percent) else { return self }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == ASCII.percent else {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = bytes[index + 1].hexValue, let low = bytes[index + 2].hexValue
            else { return nil }
            result.append(high << 4 | low)
            index += 3
        }
        guard !result.contains(where: \.isControl) else { return nil }
        return String(validating: result, as: UTF8.self)
    }
}

extension UInt8 {
    var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}

extension [UInt8] {
    /// What a quoted-string stands for; other text is returned as it is.
    func unquotedText(_ range: Range<Int>) -> String {
        guard range.count >= 2, self[range.lowerBound] == ASCII.quote, self[range.upperBound - 1] == ASCII.quote else { return text(range) }
        let inside = range.lowerBound + 1..<range.upperBound - 1
        guard self.index(of: ASCII.backslash, in: inside) != nil else { return text(inside) }
        var result: [UInt8] = []
        var index = inside.lowerBound
        while index < inside.upperBound {
            if self[index] == ASCII.backslash, index + 1 < inside.upperBound { index += 1 }
            result.append(self[index])
            index += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The index after the quoted-string that starts the range; nil when it does not end.
    func quotedEnd(_ range: Range<Int>) -> Int? {
        guard !range.isEmpty, self[range.lowerBound] == ASCII.quote else { return nil }
        var index = range.lowerBound + 1
        while index < range.upperBound {
            switch self[index] {
            case ASCII.backslash: index += 2
            case ASCII.quote: return index + 1
            default: index += 1
            }
        }
        return nil
    }

    /// The first `byte` that is in no quoted-string, or the end; nil when a quote is not closed.
    func indexOutsideQuotes(of byte: UInt8, in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            if self[index] == byte { return index }
            if self[index] == ASCII.quote {
                guard let end = quotedEnd(index..<range.upperBound) else { return nil }
                index = end
            } else {
                index += 1
            }
        }
        return range.upperBound
    }

    /// Calls `body` with each value of a header field that may hold several (RFC 3261 §7.3.1), cut at commas that
    /// are neither quoted nor between angle brackets. False when `body` says so, when a quote or bracket is left open,
    /// and for an empty value.
    func eachValue(_ range: Range<Int>, _ body: (Range<Int>) -> Bool) -> Bool {
        var start = range.lowerBound
        var index = start
        var isInBrackets = false
        while index < range.upperBound {
            switch self[index] {
            case ASCII.quote where !isInBrackets:
                guard let end = quotedEnd(index..<range.upperBound) else { return false }
                index = end
                continue
            case ASCII.less: isInBrackets = true
            case ASCII.greater: isInBrackets = false
            case ASCII.comma where !isInBrackets:
                let value = trim(start..<index)
                guard !value.isEmpty, body(value) else { return false }
                start = index + 1
            default: break
            }
            index += 1
        }
        let last = trim(start..<range.upperBound)
        return !isInBrackets && !last.isEmpty && body(last)
    }
}
