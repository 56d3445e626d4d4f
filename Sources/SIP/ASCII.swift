/// The bytes that SIP's grammar is made of (RFC 3261 §25.1), and questions about them.
enum ASCII {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let percent: UInt8 = 0x25
    static let ampersand: UInt8 = 0x26
    static let comma: UInt8 = 0x2C
    static let slash: UInt8 = 0x2F
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let less: UInt8 = 0x3C
    static let equals: UInt8 = 0x3D
    static let greater: UInt8 = 0x3E
    static let question: UInt8 = 0x3F
    static let at: UInt8 = 0x40
    static let leftBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let rightBracket: UInt8 = 0x5D
}

extension UInt8 {
    var isDigit: Bool { self &- 0x30 < 10 }
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    var isHexDigit: Bool { isDigit || (self | 0x20) &- 0x61 < 6 }
    var isBlank: Bool { self == ASCII.space || self == ASCII.tab }
    var lowered: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// token = alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~"
    var isToken: Bool {
        if isLetter || isDigit { return true }
        switch self {
        case 0x2D, 0x2E, 0x21, 0x25, 0x2A, 0x5F, 0x2B, 0x60, 0x27, 0x7E: return true
        default: return false
        }
    }

    /// What no header value, URI or name may hold: controls other than the tab, and DEL.
    var isControl: Bool { self < 0x20 && self != ASCII.tab || self == 0x7F }
}

extension ArraySlice<UInt8> {
    /// Without blanks at either end.
    var trimmed: ArraySlice<UInt8> {
        var start = startIndex
        var end = endIndex
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return self[start..<end]
    }

    /// Bytes that are not UTF-8 become U+FFFD; where that would matter the caller asks `isUTF8` first.
    var text: String { String(decoding: self, as: UTF8.self) }

    var loweredText: String {
        allSatisfy { $0 == $0.lowered } ? text : String(decoding: map(\.lowered), as: UTF8.self)
    }

    var isTokenText: Bool { !isEmpty && allSatisfy(\.isToken) }

    /// Digits only; nil when empty, signed or above `limit`.
    func decimal(limit: UInt64) -> UInt64? {
        guard !isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in self {
            guard byte.isDigit else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow, product <= limit else { return nil }
            value = product + UInt64(byte - 0x30)
        }
        return value <= limit ? value : nil
    }

    /// Equal to `text` but for the case of letters.
    func matches(_ text: String) -> Bool {
        count == text.utf8.count && zip(self, text.utf8).allSatisfy { $0.lowered == $1.lowered }
    }
}

extension String {
    /// ASCII letters to lower case; other bytes stay, because names of hosts and parameters are ASCII.
    var asciiLowered: String {
        utf8.allSatisfy { $0 == $0.lowered } ? self : String(decoding: utf8.map(\.lowered), as: UTF8.self)
    }

    package func equalsIgnoringCase(_ other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.lowered == $1.lowered }
    }

    var slice: ArraySlice<UInt8> { Array(utf8)[...] }
}
