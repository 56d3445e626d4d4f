import Primitives

/// The envelope is the protobuf message `Envelope` of docs/wire/envelope.proto, written by hand because it is on
/// the path of every event: fields in the order of their numbers, defaults left out, so equal envelopes have equal bytes.
extension Envelope {
    private enum Field {
        static let sequence: UInt8 = 1 << 3
        static let stream: UInt8 = 2 << 3 | 2
        static let version: UInt8 = 3 << 3
        static let previous: UInt8 = 4 << 3
        static let commit: UInt8 = 5 << 3
        static let time: UInt8 = 6 << 3
        static let actor: UInt8 = 7 << 3 | 2
        static let cause: UInt8 = 8 << 3 | 2
        static let type: UInt8 = 9 << 3 | 2
        static let schemaVersion: UInt8 = 10 << 3
        static let payload: UInt8 = 11 << 3 | 2
        static let origin: UInt8 = 12 << 3 | 2
        /// Instead of `cause`, if that is an identifier in hexadecimal digits: half as long, in every event.
        static let causeID: UInt8 = 13 << 3 | 2
    }

    /// Bytes that an envelope with these texts and this payload cannot exceed.
    static func byteCountMax(actor: String, cause: String, type: String, payload: [UInt8], origin: [UInt8]) -> Int {
        // Twelve fields of at most a tag and a varint of ten bytes each, and the stream.
        actor.utf8.count + cause.utf8.count + type.utf8.count + payload.count + origin.count + 12 * 11 + 18
    }

    public var bytes: [UInt8] {
        let room = Self.byteCountMax(actor: actor, cause: cause, type: type, payload: payload, origin: origin)
        return unsafe [UInt8](unsafeUninitializedCapacity: room) { out, count in
            var writer = unsafe ByteWriter(UnsafeMutableRawBufferPointer(out))
            write(to: &writer)
            count = writer.count
        }
    }

    func write(to out: inout ByteWriter) {
        Self.write(
            to: &out, sequence: sequence, stream: stream, version: version, previous: previous, commit: commit, time: time,
            actor: actor, cause: cause, type: type, schemaVersion: schemaVersion, payload: payload, origin: origin)
    }

    /// From parts, so that the writer of many need not make an envelope of each.
    static func write(
        to out: inout ByteWriter, sequence: UInt64, stream: UUIDv7, version: UInt64, previous: UInt64, commit: UInt64,
        time: WallTime, actor: String, cause: String, type: String, schemaVersion: UInt32, payload: [UInt8], origin: [UInt8]
    ) {
        out.number(Field.sequence, sequence)
        out.byte(Field.stream)
        out.byte(16)
        out.bigEndian(stream.high)
        out.bigEndian(stream.low)
        out.number(Field.version, version)
        out.number(Field.previous, previous)
        out.number(Field.commit, commit)
        out.number(Field.time, UInt64(bitPattern: time.microseconds))
        out.text(Field.actor, actor)
        let causeID = identifier(cause)
        if causeID == nil { out.text(Field.cause, cause) }
        out.text(Field.type, type)
        out.number(Field.schemaVersion, UInt64(schemaVersion))
        out.bytes(Field.payload, payload)
        out.bytes(Field.origin, origin)
        if let causeID {
            out.byte(Field.causeID)
            out.byte(16)
            out.bigEndian(causeID.high)
            out.bigEndian(causeID.low)
        }
    }

    /// nil unless the text is 32 digits from 0 to f, in lower case.
    private static func identifier(_ text: String) -> UUIDv7? {
        guard text.utf8.count == 32 else { return nil }
        var (high, low): (UInt64, UInt64) = (0, 0)
        for digit in text.utf8 {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(value)
        }
        return UUIDv7(high: high, low: low)
    }

    /// nil unless the bytes are an envelope. Fields that this binary does not know are passed over.
    public init?(parsing bytes: RawSpan) {
        self.init(
            sequence: 0, stream: UUIDv7(high: 0, low: 0), version: 0, previous: 0, commit: 0,
            time: WallTime(microseconds: 0), actor: "", cause: "", type: "", schemaVersion: 0, payload: [])
        var reader = FieldReader()
        var hasStream = false
        while !reader.isAtEnd(of: bytes) {
            guard let tag = reader.varint(bytes) else { return nil }
            switch tag & 0x07 {
            case 0:
                guard let value = reader.varint(bytes) else { return nil }
                switch tag {
                case UInt64(Field.sequence): sequence = value
                case UInt64(Field.version): version = value
                case UInt64(Field.previous): previous = value
                case UInt64(Field.commit): commit = value
                case UInt64(Field.time): time = WallTime(microseconds: Int64(bitPattern: value))
                case UInt64(Field.schemaVersion): schemaVersion = UInt32(truncatingIfNeeded: value)
                default: break
                }
            case 2:
                guard let value = reader.range(bytes) else { return nil }
                switch tag {
                case UInt64(Field.stream):
                    guard value.count == 16 else { return nil }
                    stream = UUIDv7(
                        high: bytes.bigEndian(at: value.lowerBound), low: bytes.bigEndian(at: value.lowerBound + 8))
                    hasStream = true
                case UInt64(Field.actor): actor = bytes.text(value)
                case UInt64(Field.cause): cause = bytes.text(value)
                case UInt64(Field.type): type = bytes.text(value)
                case UInt64(Field.payload): payload = bytes.array(value)
                case UInt64(Field.origin): origin = bytes.array(value)
                case UInt64(Field.causeID):
                    guard value.count == 16 else { return nil }
                    cause = hex(bytes.array(value))
                default: break
                }
            default: return nil
            }
        }
        guard hasStream, sequence > 0 else { return nil }
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ value: UInt64) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    init(bigEndian value: UInt64) {
        self.init()
        reserveCapacity(8)
        appendBigEndian(value)
    }

    /// The first eight bytes as a number; the array must have them.
    func bigEndian(at offset: Int = 0) -> UInt64 {
        unsafe span.bytes.bigEndian(at: offset)
    }
}

/// A place in protobuf bytes; every length is checked against them.
struct FieldReader {
    private var offset = 0

    func isAtEnd(of bytes: RawSpan) -> Bool { offset == bytes.byteCount }

    @inline(__always) mutating func varint(_ bytes: RawSpan) -> UInt64? {
        // Most numbers have one byte. The offset is never negative, and below the end here.
        guard offset < bytes.byteCount else { return nil }
        let first = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        offset += 1
        if first < 0x80 { return UInt64(first) }
        return rest(of: UInt64(first & 0x7F), bytes)
    }

    private mutating func rest(of first: UInt64, _ bytes: RawSpan) -> UInt64? {
        var value = first
        var shift: UInt64 = 7
        while offset < bytes.byteCount, shift < 64 {
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    mutating func range(_ bytes: RawSpan) -> Range<Int>? {
        guard let count = varint(bytes), count <= UInt64(bytes.byteCount - offset) else { return nil }
        defer { offset += Int(count) }
        return offset..<(offset + Int(count))
    }
}

extension RawSpan {
    /// Trapping, not undefined, beyond the end.
    func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount, "byte \(offset) of \(byteCount)")
        return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The eight bytes there as a number; trapping beyond the end.
    func bigEndian(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= byteCount - 8, "eight bytes at \(offset) of \(byteCount)")
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
    }

    func array(_ range: Range<Int>) -> [UInt8] { unsafe extracting(range).withUnsafeBytes { unsafe Array($0) } }

    func text(_ range: Range<Int>) -> String {
        unsafe extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
