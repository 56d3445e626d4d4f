public import Primitives

/// What a replay needs of an envelope, with type and payload left where they are: two million are read at a restart.
public struct EnvelopeHeader: Sendable {
    public private(set) var sequence: UInt64 = 0
    public private(set) var stream = UUIDv7(high: 0, low: 0)
    public private(set) var version: UInt64 = 0
    /// As in `Envelope`.
    public private(set) var previous: UInt64 = 0
    public private(set) var time = WallTime(microseconds: 0)
    public private(set) var schemaVersion: UInt32 = 0
    /// Within the envelope's bytes.
    public private(set) var type = 0..<0
    public private(set) var payload = 0..<0

    /// nil unless the bytes are an envelope.
    public init?(parsing bytes: RawSpan) {
        var reader = FieldReader()
        var hasStream = false
        while !reader.isAtEnd(of: bytes) {
            guard let tag = reader.varint(bytes) else { return nil }
            switch tag & 0x07 {
            case 0:
                guard let value = reader.varint(bytes) else { return nil }
                switch tag >> 3 {
                case 1: sequence = value
                case 3: version = value
                case 4: previous = value
                case 6: time = WallTime(microseconds: Int64(bitPattern: value))
                case 10: schemaVersion = UInt32(truncatingIfNeeded: value)
                default: break
                }
            case 2:
                guard let value = reader.range(bytes) else { return nil }
                switch tag >> 3 {
                case 2:
                    guard value.count == 16 else { return nil }
                    stream = UUIDv7(
                        high: bytes.bigEndian(at: value.lowerBound), low: bytes.bigEndian(at: value.lowerBound + 8))
                    hasStream = true
                case 9: type = value
                case 11: payload = value
                default: break
                }
            default: return nil
            }
        }
        guard hasStream, sequence > 0 else { return nil }
    }
}
