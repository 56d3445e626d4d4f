extension String {
    /// A quoted-string (RFC 3261 §25.1): quotes around, `"` and `\` escaped, controls dropped.
    package var quoted: String {
        var result: [UInt8] = [ASCII.quote]
        result.reserveCapacity(utf8.count + 2)
        for byte in utf8 where !byte.isControl {
            if byte == ASCII.quote || byte == ASCII.backslash { result.append(ASCII.backslash) }
            result.append(byte)
        }
        result.append(ASCII.quote)
        return String(decoding: result, as: UTF8.self)
    }

    /// What a quoted-string stands for; text without quotes is returned as it is.
    package var unquoted: String {
        let bytes = Array(utf8)
        guard bytes.count >= 2, bytes.first == ASCII.quote, bytes.last == ASCII.quote else { return self }
        var result: [UInt8] = []
        var index = 1
        while index < bytes.count - 1 {
            if bytes[index] == ASCII.backslash, index + 1 < bytes.count - 1 { index += 1 }
            result.append(bytes[index])
            index += 1
        }
        return String(decoding: result, as: UTF8.self)
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

extension ArraySlice<UInt8> {
    /// The index after the quoted-string that starts here; nil when it does not end.
    var quotedEnd: Int? {
        guard first == ASCII.quote else { return nil }
        var index = startIndex + 1
        while index < endIndex {
            switch self[index] {
            case ASCII.backslash: index += 2
            case ASCII.quote: return index + 1
            default: index += 1
            }
        }
        return nil
    }

    /// The first `byte` that is in no quoted-string, or the end; nil when a quote is not closed.
    func firstIndexOutsideQuotes(of byte: UInt8) -> Int? {
        var index = startIndex
        while index < endIndex {
            if self[index] == byte { return index }
            if self[index] == ASCII.quote {
                guard let end = self[index...].quotedEnd else { return nil }
                index = end
            } else {
                index += 1
            }
        }
        return endIndex
    }

    /// The values of a header field that may hold several (RFC 3261 §7.3.1), cut at commas that are
    /// neither quoted nor between angle brackets; nil when a quote or bracket is left open or a value is empty.
    var commaSeparated: [ArraySlice<UInt8>]? {
        var values: [ArraySlice<UInt8>] = []
        var start = startIndex
        var index = startIndex
        var inBrackets = false
        while index < endIndex {
            switch self[index] {
            case ASCII.quote where !inBrackets:
                guard let end = self[index...].quotedEnd else { return nil }
                index = end
                continue
            case ASCII.less: inBrackets = true
            case ASCII.greater: inBrackets = false
            case ASCII.comma where !inBrackets:
                values.append(self[start..<index].trimmed)
                start = index + 1
            default: break
            }
            index += 1
        }
        values.append(self[start..<endIndex].trimmed)
        return inBrackets || values.contains(where: \.isEmpty) ? nil : values
    }
}
