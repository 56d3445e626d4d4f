/// Writes the fields of one protobuf message into memory that is used again for the next: in the order of their numbers and
/// without defaults, as the generated code does, so that the bytes are the same.
@safe final class WireWriter {
    private var bytes: UnsafeMutableRawPointer
    private var capacity = 4_096
    private var count = 0

    init() { unsafe bytes = .allocate(byteCount: capacity, alignment: 8) }

    deinit { unsafe bytes.deallocate() }

    @inline(__always) func begin() { count = 0 }

    /// What was written since `begin`.
    @inline(__always) func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        let written = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        return try unsafe body(written.bytes)
    }

    /// Left out if it is 0.
    @inline(__always) func number(_ tag: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        reserve(11)
        unsafe bytes.storeBytes(of: tag, toByteOffset: count, as: UInt8.self)
        count += 1
        varint(value)
    }

    @inline(__always) func number(_ tag: UInt8, _ value: Int64) { number(tag, UInt64(bitPattern: value)) }

    /// A `sint64`.
    @inline(__always) func signed(_ tag: UInt8, _ value: Int64) { number(tag, UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    /// Left out if there are none.
    @inline(__always) func bytes(_ tag: UInt8, _ source: RawSpan, _ range: Range<Int>) {
        if !range.isEmpty { message(tag, source, range) }
    }

    /// A message that is there, even if nothing is in it.
    @inline(__always) func message(_ tag: UInt8, _ source: RawSpan, _ range: Range<Int>) {
        reserve(range.count + 11)
        unsafe bytes.storeBytes(of: tag, toByteOffset: count, as: UInt8.self)
        count += 1
        varint(UInt64(range.count))
        let part = source.extracting(range)
        unsafe part.withUnsafeBytes { part in
            guard let start = part.baseAddress else { return }
            unsafe (bytes + count).copyMemory(from: start, byteCount: part.count)
        }
        count += range.count
    }

    @inline(__always) private func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            unsafe bytes.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            count += 1
            rest >>= 7
        }
        unsafe bytes.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always) private func reserve(_ more: Int) {
        if count + more > capacity { grow(count + more) }
    }

    private func grow(_ needed: Int) {
        while capacity < needed { capacity *= 2 }
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        unsafe larger.copyMemory(from: bytes, byteCount: count)
        unsafe bytes.deallocate()
        unsafe bytes = unsafe larger
    }
}
