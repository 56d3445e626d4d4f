import Primitives

/// Walks the fields of a protobuf message in place. Two million events are read at a restart, and a projection needs a
/// few ids of each: making the whole message with its strings would cost ten times the rest.
///
/// Stops at bytes that are not a message and says so; nothing outside of the bytes is ever read.
struct WireReader {
    private var offset: Int
    private let end: Int
    /// Number of the field << 3 | wire type, as in the encoding.
    private(set) var tag: UInt64 = 0
    /// Of a number.
    private(set) var number: UInt64 = 0
    /// Of bytes, text or a message, within the bytes that are walked.
    private(set) var range = 0..<0
    private(set) var isMalformed = false

    @inline(__always) init(_ range: Range<Int>) { (offset, end) = (range.lowerBound, range.upperBound) }

    @inline(__always) init(_ bytes: RawSpan) { self.init(0..<bytes.byteCount) }

    /// Goes to the next field; false at the end.
    @inline(__always) mutating func next(in bytes: RawSpan) -> Bool {
        precondition(end <= bytes.byteCount, "a range of other bytes")
        guard offset < end else { return false }
        guard let next = varint(bytes) else { return fail() }
        tag = next
        switch next & 0x07 {
        case 0:
            guard let value = varint(bytes) else { return fail() }
            number = value
            return true
        case 2:
            guard let count = varint(bytes), count <= UInt64(end - offset) else { return fail() }
            range = offset..<(offset + Int(count))
            offset += Int(count)
            return true
        case 1: return skip(8)
        case 5: return skip(4)
        default: return fail()
        }
    }

    @inline(__always) var signed: Int64 { Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1) }

    /// nil unless there are exactly 16 bytes.
    @inline(__always) func id(in bytes: RawSpan) -> UUIDv7? {
        guard range.count == 16 else { return nil }
        return unsafe UUIDv7(
            high: bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self).bigEndian,
            low: bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound + 8, as: UInt64.self).bigEndian)
    }

    /// nil if there is none.
    @inline(__always) private mutating func varint(_ bytes: RawSpan) -> UInt64? {
        guard offset < end else { return nil }
        let first = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        offset += 1
        if first < 0x80 { return UInt64(first) }
        var result = UInt64(first & 0x7F)
        var shift: UInt64 = 7
        while offset < end, shift < 64 {
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            offset += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        return nil
    }

    private mutating func skip(_ count: Int) -> Bool {
        guard end - offset >= count else { return fail() }
        offset += count
        return true
    }

    private mutating func fail() -> Bool {
        isMalformed = true
        return false
    }
}
