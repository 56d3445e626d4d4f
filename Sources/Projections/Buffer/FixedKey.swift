import Primitives

/// A key of at most 40 bytes as five numbers, so that comparing, hashing and keeping it costs no allocation. The order is
/// that of the bytes.
struct FixedKey: Equatable {
    static let bytesMax = 40

    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64
    var e: UInt64
    var length: UInt8

    @inline(__always) var count: Int { Int(length) }

    @inline(__always)
    init(_ a: UInt64, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0, count: Int) {
        (self.a, self.b, self.c, self.d, self.e, length) = (a, b, c, d, e, UInt8(truncatingIfNeeded: count))
    }

    @inline(__always) init(_ id: UUIDv7) { self.init(id.high, id.low, count: 16) }
    @inline(__always) init(_ id: UUIDv7, _ number: UInt64) { self.init(id.high, id.low, number, count: 24) }
    /// Times before 1970 sort before later ones, as in `Key`.
    @inline(__always) init(_ time: WallTime, _ number: UInt64) {
        self.init(UInt64(bitPattern: time.microseconds) ^ (1 << 63), number, count: 16)
    }
    @inline(__always) init(_ number: UInt64) { self.init(number, count: 8) }

    /// nil for a longer one.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount <= Self.bytesMax else { return nil }
        self.init(0, count: bytes.byteCount)
        a = Self.word(bytes, 0)
        b = Self.word(bytes, 8)
        c = Self.word(bytes, 16)
        d = Self.word(bytes, 24)
        e = Self.word(bytes, 32)
    }

    /// Eight bytes from there, zeros after the end.
    private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        let left = bytes.byteCount - offset
        if left >= 8 { return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian }
        var word: UInt64 = 0
        for index in 0..<8 {
            word <<= 8
            if index < left { word |= UInt64(unsafe bytes.unsafeLoad(fromByteOffset: offset + index, as: UInt8.self)) }
        }
        return word
    }

    @inline(__always) static func < (l: FixedKey, r: FixedKey) -> Bool {
        if l.a != r.a { return l.a < r.a }
        if l.b != r.b { return l.b < r.b }
        if l.c != r.c { return l.c < r.c }
        if l.d != r.d { return l.d < r.d }
        if l.e != r.e { return l.e < r.e }
        return l.length < r.length
    }

    /// For a table in memory alone: ids are random where it matters, and nobody outside chooses them.
    @inline(__always) var hash: UInt64 {
        var hash = (a ^ (b &* 0x9E37_79B9_7F4A_7C15)) &* 0xBF58_476D_1CE4_E5B9
        hash ^= hash >> 29
        hash = (hash ^ c ^ (d &* 0x94D0_49BB_1331_11EB) ^ e) &* 0x94D0_49BB_1331_11EB
        return hash ^ (hash >> 32)
    }

    /// Writes all 40 bytes; the first `count` are the key's.
    @inline(__always) func store(to buffer: UnsafeMutableRawPointer) {
        unsafe buffer.storeBytes(of: a.bigEndian, as: UInt64.self)
        unsafe buffer.storeBytes(of: b.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe buffer.storeBytes(of: c.bigEndian, toByteOffset: 16, as: UInt64.self)
        unsafe buffer.storeBytes(of: d.bigEndian, toByteOffset: 24, as: UInt64.self)
        unsafe buffer.storeBytes(of: e.bigEndian, toByteOffset: 32, as: UInt64.self)
    }
}
