internal import OpenSSL
package import Primitives

/// A STUN message (RFC 8489 §5) with what connectivity checks use of it.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |0 0|     STUN Message Type     |         Message Length        |
///     |                         Magic Cookie                          |
///     |                     Transaction ID (96 bits)                  |
package struct STUNMessage: Sendable {
    package static let cookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]
    /// More than any check has; a message of an attacker shall not make us look at thousands.
    static let attributesMax = 32

    package enum Kind: Equatable, Sendable {
        case bindingRequest
        case bindingIndication
        case bindingSuccess
        case bindingError
        case other
    }

    package let kind: Kind
    package let bytes: [UInt8]
    /// Type and place of the value, in order; what follows MESSAGE-INTEGRITY is left out, FINGERPRINT excepted (§14.5).
    private let attributes: [(type: UInt16, value: Range<Int>)]

    /// nil: not STUN, or cut.
    package init?(parsing bytes: [UInt8]) {
        guard bytes.count >= 20, bytes[0] & 0xC0 == 0, bytes[4..<8].elementsEqual(STUNMessage.cookie) else { return nil }
        let length = Int(bytes[2]) << 8 | Int(bytes[3])
        guard length % 4 == 0, bytes.count == 20 + length else { return nil }
        kind =
            switch (bytes[0], bytes[1]) {
            case (0x00, 0x01): .bindingRequest
            case (0x00, 0x11): .bindingIndication
            case (0x01, 0x01): .bindingSuccess
            case (0x01, 0x11): .bindingError
            default: .other
            }
        var attributes: [(type: UInt16, value: Range<Int>)] = []
        var offset = 20
        var isBehindIntegrity = false
        while offset < bytes.count {
            guard offset + 4 <= bytes.count, attributes.count < STUNMessage.attributesMax else { return nil }
            let type = UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
            let size = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
            let value = offset + 4..<offset + 4 + size
            guard value.upperBound <= bytes.count else { return nil }
            if !isBehindIntegrity || type == STUNAttribute.fingerprint { attributes.append((type, value)) }
            if type == STUNAttribute.messageIntegrity { isBehindIntegrity = true }
            // It is the last one, always.
            if type == STUNAttribute.fingerprint, value.upperBound != bytes.count { return nil }
            offset = value.upperBound + (4 - size % 4) % 4
        }
        guard offset == bytes.count else { return nil }
        self.attributes = attributes
        self.bytes = bytes
    }

    package var transaction: ArraySlice<UInt8> { bytes[8..<20] }

    package func holds(_ type: UInt16) -> Bool { attributes.contains { $0.type == type } }

    package func value(_ type: UInt16) -> ArraySlice<UInt8>? { attributes.first { $0.type == type }.map { bytes[$0.value] } }

    /// As text; nil also when it is none.
    package func text(_ type: UInt16) -> String? { value(type).flatMap { String(validating: $0, as: UTF8.self) } }

    /// Those that must be understood, and are none of `known` (§6.3.1).
    package func unknown(to known: Set<UInt16>) -> [UInt16] {
        attributes.map(\.type).filter { $0 < 0x8000 && !known.contains($0) }
    }

    /// Whether FINGERPRINT is there and right (§14.7).
    package var hasValidFingerprint: Bool {
        guard let last = attributes.last, last.type == STUNAttribute.fingerprint, last.value.count == 4 else { return false }
        let end = last.value.lowerBound - 4
        return bytes[last.value].elementsEqual(bigEndian(CRC32.of(bytes[..<end]) ^ STUNAttribute.fingerprintMask))
    }

    /// Whether MESSAGE-INTEGRITY is there and made with that password (§14.5).
    package func hasValidIntegrity(password: String) -> Bool {
        guard let attribute = attributes.first(where: { $0.type == STUNAttribute.messageIntegrity }), attribute.value.count == 20 else {
            return false
        }
        // The length is as if the message ended behind this attribute.
        let length = attribute.value.upperBound - 20
        var covered = Array(bytes[..<(attribute.value.lowerBound - 4)])
        covered[2] = UInt8(length >> 8)
        covered[3] = UInt8(length & 0xFF)
        return constantTimeEquals(MAC.sha1(covered, key: Array(password.utf8)), Array(bytes[attribute.value]))
    }

    /// XOR-MAPPED-ADDRESS (§14.2).
    package var mappedAddress: SocketAddress? {
        guard let value = value(STUNAttribute.xorMappedAddress).map({ Array($0) }), value.count >= 8 else { return nil }
        let port = (UInt16(value[2]) << 8 | UInt16(value[3])) ^ 0x2112
        let plain = zip(value[4...], STUNMessage.cookie + transaction).map { $0 ^ $1 }
        func word(_ range: Range<Int>) -> UInt64 { plain[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch (value[1], value.count) {
        case (1, 8): return SocketAddress(.v4(UInt32(word(0..<4))), port: port)
        case (2, 20): return SocketAddress(.v6(word(0..<8), word(8..<16)), port: port)
        default: return nil
        }
    }
}

/// Registered numbers (RFC 8489 §18.3, RFC 8445 §20.1).
package enum STUNAttribute {
    package static let username: UInt16 = 0x0006
    package static let messageIntegrity: UInt16 = 0x0008
    package static let errorCode: UInt16 = 0x0009
    package static let unknownAttributes: UInt16 = 0x000A
    package static let xorMappedAddress: UInt16 = 0x0020
    package static let priority: UInt16 = 0x0024
    package static let useCandidate: UInt16 = 0x0025
    package static let software: UInt16 = 0x8022
    package static let fingerprint: UInt16 = 0x8028
    package static let iceControlled: UInt16 = 0x8029
    package static let iceControlling: UInt16 = 0x802A
    static let fingerprintMask: UInt32 = 0x5354_554E
}

/// A message of ours, attribute by attribute.
package struct STUNWriter: Sendable {
    private var bytes: [UInt8]

    package init(_ kind: UInt16, transaction: some Collection<UInt8>) {
        bytes = [UInt8(kind >> 8), UInt8(kind & 0xFF), 0, 0] + STUNMessage.cookie + transaction
    }

    package mutating func add(_ type: UInt16, _ value: some Collection<UInt8>) {
        bytes += [UInt8(type >> 8), UInt8(type & 0xFF), UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
        bytes += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        setLength(bytes.count - 20)
    }

    package mutating func add(mapped address: SocketAddress) {
        func big(_ value: UInt64, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) } }
        let (family, host): (UInt8, [UInt8]) =
            switch address.host {
            case .v4(let value): (1, big(UInt64(value), 4))
            case .v6(let high, let low): (2, big(high, 8) + big(low, 8))
            }
        let mask = STUNMessage.cookie + bytes[8..<20]
        add(STUNAttribute.xorMappedAddress, [0, family] + big(UInt64(address.port ^ 0x2112), 2) + zip(host, mask).map { $0 ^ $1 })
    }

    package mutating func add(error code: Int) {
        add(STUNAttribute.errorCode, [0, 0, UInt8(code / 100), UInt8(code % 100)])
    }

    /// The whole message, under a password.
    package consuming func finished(password: String) -> [UInt8] {
        setLength(bytes.count - 20 + 24)
        let code = MAC.sha1(bytes, key: Array(password.utf8))
        add(STUNAttribute.messageIntegrity, code)
        setLength(bytes.count - 20 + 8)
        let check = CRC32.of(bytes) ^ STUNAttribute.fingerprintMask
        add(STUNAttribute.fingerprint, bigEndian(check))
        return bytes
    }

    private mutating func setLength(_ length: Int) {
        bytes[2] = UInt8(length >> 8)
        bytes[3] = UInt8(length & 0xFF)
    }
}

func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - $0 * 8)) } }

/// CRC-32 as in ITU-T V.42 and gzip, for some hundred bytes at a time.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }
}
