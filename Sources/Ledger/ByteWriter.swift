/// Writes protobuf fields into memory that its owner keeps: an array that grows byte by byte would ask at each byte
/// whether it is the only one. Trapping, not undefined, beyond the end.
@safe struct ByteWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private let room: Int
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) {
        unsafe self.memory = memory
        room = memory.count
    }

    mutating func byte(_ value: UInt8) {
        precondition(count < room, "byte \(count) of \(room)")
        unsafe memory.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    mutating func bigEndian(_ value: UInt64) {
        precondition(count <= room - 8, "eight bytes at \(count) of \(room)")
        unsafe memory.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt64.self)
        count += 8
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(rest))
    }

    /// Zero is left out, as protobuf does.
    mutating func number(_ tag: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        byte(tag)
        varint(value)
    }

    mutating func bytes(_ tag: UInt8, _ value: [UInt8]) {
        unsafe value.withUnsafeBytes { unsafe field(tag, $0) }
    }

    mutating func text(_ tag: UInt8, _ value: String) {
        var value = value
        value.withUTF8 { unsafe field(tag, UnsafeRawBufferPointer($0)) }
    }

    private mutating func field(_ tag: UInt8, _ value: UnsafeRawBufferPointer) {
        let length = value.count
        guard length > 0 else { return }
        byte(tag)
        varint(UInt64(length))
        precondition(length <= room - count, "\(length) bytes at \(count) of \(room)")
        unsafe memory.baseAddress!.advanced(by: count).copyMemory(from: value.baseAddress!, byteCount: length)
        count += length
    }
}
