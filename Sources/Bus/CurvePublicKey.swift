internal import CZeroMQ

/// A CurveZMQ public key (RFC 26): 32 bytes, written as 40 characters of Z85 (RFC 32).
public struct CurvePublicKey: Hashable, Sendable {
    public let bytes: [UInt8]

    /// nil unless there are exactly 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }
}

extension CurvePublicKey: LosslessStringConvertible {
    public init?(_ text: String) {
        guard let bytes = z85Decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    public var description: String { z85Encode(bytes) }
}

/// - Precondition: the count is a multiple of four.
func z85Encode(_ bytes: [UInt8]) -> String {
    precondition(bytes.count % 4 == 0)
    var text = [CChar](repeating: 0, count: bytes.count / 4 * 5 + 1)
    unsafe zmq_z85_encode(&text, bytes, bytes.count)
    return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// nil unless `text` is 40 characters of the Z85 alphabet.
func z85Decode(_ text: String) -> [UInt8]? {
    guard text.utf8.count == 40, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 32)
    guard unsafe zmq_z85_decode(&bytes, text) != nil else { return nil }
    // libzmq reads some characters outside of the alphabet as zero: only what comes out the same went in well.
    return z85Encode(bytes) == text ? bytes : nil
}
