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
    static let hyphen: UInt8 = 0x2D
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
        // One bit for each of the 128: names of fields are looked at byte by byte.
        let (low, high): (UInt64, UInt64) = (0x03FF_6CA2_0000_0000, 0x47FF_FFFF_87FF_FFFE)
        return self < 0x80 && (self < 64 ? low &>> UInt64(self) : high &>> UInt64(self & 63)) & 1 == 1
    }

    /// What no header value, URI or name may hold: controls other than the tab, and DEL.
    var isControl: Bool { self < 0x20 && self != ASCII.tab || self == 0x7F }
}

/// Parsers share one buffer and hand each other ranges of it: passing an array and a range costs nothing, where a
/// slice would count references at every step.
extension [UInt8] {
    /// Without blanks at either end.
    func trim(_ range: Range<Int>) -> Range<Int> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let bytes = span
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, unsafe bytes[unchecked: start].isBlank { start &+= 1 }
        while end > start, unsafe bytes[unchecked: end &- 1].isBlank { end &-= 1 }
        return unsafe Range(uncheckedBounds: (start, end))
    }

    /// Eight bytes at a look.
    func index(of byte: UInt8, in range: Range<Int>) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let words = unsafe span.bytes
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var index = range.lowerBound
        while index &+ 8 <= range.upperBound {
            let word = unsafe UInt64(littleEndian: words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ pattern
            // The lowest bit that is set belongs to the first byte that is equal; those above it may err.
            let equal = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if equal != 0 { return index &+ equal.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        return self.index(in: unsafe Range(uncheckedBounds: (index, range.upperBound))) { $0 == byte }
    }

    func index(in range: Range<Int>, where matches: (UInt8) -> Bool) -> Int? {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let bytes = span
        var index = range.lowerBound
        while index < range.upperBound {
            if matches(unsafe bytes[unchecked: index]) { return index }
            index &+= 1
        }
        return nil
    }

    /// The first control byte at or after `start`; most are found eight bytes at a look.
    func indexOfControl(from start: Int) -> Int? {
        let words = unsafe span.bytes
        var index = start
        while index + 8 <= count {
            let word = unsafe words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            // A bit for each byte below a space, and for DEL; sometimes for one behind such a byte too.
            let low = (word &- 0x2020_2020_2020_2020) & ~word
            let deleted = word ^ 0x7F7F_7F7F_7F7F_7F7F
            if (low | (deleted &- 0x0101_0101_0101_0101) & ~deleted) & 0x8080_8080_8080_8080 != 0,
                let found = self.index(in: index..<index + 8, where: \.isControl)
            {
                return found
            }
            index += 8
        }
        return self.index(in: index..<count, where: \.isControl)
    }

    func all(_ range: Range<Int>, _ matches: (UInt8) -> Bool) -> Bool { index(in: range) { !matches($0) } == nil }

    /// Bytes that are not UTF-8 become U+FFFD; where that would matter the caller asks `isUTF8` first.
    func text(_ range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }

    /// ASCII letters to lower case.
    func loweredText(_ range: Range<Int>) -> String {
        all(range) { $0 == $0.lowered } ? text(range) : String(decoding: self[range].map(\.lowered), as: UTF8.self)
    }

    /// What is compared byte by byte later, and copied into answers, must survive as text.
    func isUTF8(_ range: Range<Int>) -> Bool { isASCII(range) || String(validating: self[range], as: UTF8.self) != nil }

    private func isASCII(_ range: Range<Int>) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let words = unsafe span.bytes
        var index = range.lowerBound
        while index &+ 8 <= range.upperBound {
            guard unsafe words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 else { return false }
            index &+= 8
        }
        return all(index..<range.upperBound) { $0 < 0x80 }
    }

    func isToken(_ range: Range<Int>) -> Bool { !range.isEmpty && all(range, \.isToken) }

    /// Digits only; nil when empty, signed or above `limit`.
    func decimal(_ range: Range<Int>, limit: UInt64) -> UInt64? {
        guard !range.isEmpty else { return nil }
        var value: UInt64 = 0
        for index in range {
            guard self[index].isDigit else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isBeyond) = product.addingReportingOverflow(UInt64(self[index] - 0x30))
            guard !isTooLarge, !isBeyond, sum <= limit else { return nil }
            value = sum
        }
        return value
    }

    /// Equal to `text`, which is ASCII, but for the case of letters.
    func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let (bytes, others) = unsafe (span, text.utf8Start)
        for place in 0..<range.count {
            guard unsafe bytes[unchecked: range.lowerBound &+ place].lowered == others[place].lowered else { return false }
        }
        return true
    }

    /// Equal to `text`, which is ASCII, to the letter.
    func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let (bytes, others) = unsafe (span, text.utf8Start)
        for place in 0..<range.count {
            guard unsafe bytes[unchecked: range.lowerBound &+ place] == others[place] else { return false }
        }
        return true
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

    /// Whether these are its first bytes, and the next, if there is one, is as it should be.
    package func startsWith(_ start: String, andThen isRight: (UInt8?) -> Bool = { _ in true }) -> Bool {
        let (own, others) = (utf8.span, start.utf8.span)
        guard own.count >= others.count else { return false }
        var index = 0
        while index < others.count {
            guard own[index] == others[index] else { return false }
            index += 1
        }
        return isRight(index < own.count ? own[index] : nil)
    }

    /// Whether it holds bytes that no value of a header may.
    var hasControls: Bool {
        let bytes = utf8.span
        for index in bytes.indices where bytes[index].isControl { return true }
        return false
    }
}
