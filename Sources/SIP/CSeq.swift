/// A sequence number and the method it counts (RFC 3261 §20.16). The number is below 2³¹ (§8.1.1.5).
package struct CSeq: Hashable, Sendable {
    package var number: UInt32
    package var method: Method

    package init(_ number: UInt32, _ method: Method) {
        self.number = number
        self.method = method
    }
}

extension CSeq: CustomStringConvertible {
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        self.init(parsing: bytes, bytes.indices)
    }

    init?(parsing bytes: [UInt8], _ range: Range<Int>) {
        let range = bytes.trim(range)
        guard let end = bytes.index(in: range, where: \.isBlank),
            let number = bytes.decimal(range.lowerBound..<end, limit: 0x7FFF_FFFF),
            let method = Method(parsing: bytes, bytes.trim(end..<range.upperBound))
        else { return nil }
        self.init(UInt32(number), method)
    }

    package var description: String { "\(number) \(method)" }
}
