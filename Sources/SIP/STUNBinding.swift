package import Primitives

/// The one exchange of STUN (RFC 8489) that a phone uses to keep its way through a NAT open (RFC 5626 §3.5.1): a binding request
/// on the SIP port, and the address that it was seen to come from.
package enum STUNBinding {
    private static let cookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]

    /// Whether it is STUN at all; a SIP message begins with a letter or an empty line.
    package static func isSTUN(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 20 && bytes[0] & 0xC0 == 0 && bytes[4..<8].elementsEqual(cookie)
    }

    /// The answer to a binding request; nil for anything else, which gets none. It is no larger than a few dozen bytes, whatever
    /// was asked.
    package static func answer(to bytes: [UInt8], from source: SocketAddress) -> [UInt8]? {
        guard isSTUN(bytes), bytes[0] == 0, bytes[1] == 1, bytes.count == 20 + (Int(bytes[2]) << 8 | Int(bytes[3])),
            bytes.count % 4 == 0, let unknown = unknownAttributes(bytes)
        else { return nil }
        let attribute: [UInt8]
        let kind: [UInt8]
        if unknown.isEmpty {
            kind = [0x01, 0x01]
            attribute = xorMappedAddress(source, transaction: bytes[8..<20])
        } else {
            // What must be understood and is not (§6.3.1): ERROR-CODE 420, UNKNOWN-ATTRIBUTES.
            kind = [0x01, 0x11]
            let list = unknown.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            attribute =
                [0x00, 0x09, 0x00, 0x04, 0x00, 0x00, 0x04, 20] + [0x00, 0x0A, 0x00, UInt8(list.count)] + list
                + [UInt8](repeating: 0, count: (4 - list.count % 4) % 4)
        }
        return kind + [0x00, UInt8(attribute.count)] + cookie + bytes[8..<20] + attribute
    }

    /// Attributes that we would have to understand, at most eight; nil when the lengths do not fit.
    private static func unknownAttributes(_ bytes: [UInt8]) -> [Int]? {
        var unknown: [Int] = []
        var cursor = 20
        while cursor < bytes.count {
            guard cursor + 4 <= bytes.count else { return nil }
            let type = Int(bytes[cursor]) << 8 | Int(bytes[cursor + 1])
            let length = Int(bytes[cursor + 2]) << 8 | Int(bytes[cursor + 3])
            // USERNAME and MESSAGE-INTEGRITY are understood as far as a keep-alive needs it: not at all.
            if type < 0x8000, type != 0x0006, type != 0x0008, unknown.count < 8 { unknown.append(type) }
            cursor += 4 + (length + 3) / 4 * 4
        }
        return cursor == bytes.count ? unknown : nil
    }

    /// §14.2: not to be rewritten by NATs that look for addresses in packets.
    private static func xorMappedAddress(_ source: SocketAddress, transaction: ArraySlice<UInt8>) -> [UInt8] {
        func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
        }
        let family: UInt8
        let address: [UInt8]
        switch source.host {
        case .v4(let value): (family, address) = (1, bytes(UInt64(value), 4))
        case .v6(let high, let low): (family, address) = (2, bytes(high, 8) + bytes(low, 8))
        }
        let port = zip(bytes(UInt64(source.port), 2), cookie).map { $0 ^ $1 }
        let masked = zip(address, cookie + transaction).map { $0 ^ $1 }
        return [0x00, 0x20, 0x00, UInt8(4 + masked.count), 0x00, family] + port + masked
    }
}
