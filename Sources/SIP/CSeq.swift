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
    package init?(_ text: String) { self.init(parsing: text.slice) }

    init?(parsing bytes: ArraySlice<UInt8>) {
        let bytes = bytes.trimmed
        guard let end = bytes.firstIndex(where: \.isBlank),
            let number = bytes[..<end].decimal(limit: 0x7FFF_FFFF),
            let method = Method(parsing: bytes[end...].trimmed)
        else { return nil }
        self.init(UInt32(number), method)
    }

    package var description: String { "\(number) \(method)" }
}
