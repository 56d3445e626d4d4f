/// A time-ordered identifier (RFC 9562 §5.7). Time-ordered keys keep the right edge of an index hot.
public struct UUIDv7: Hashable, Comparable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 48 bits of milliseconds, then random bits around the version and variant marks.
    public init(at time: WallTime, random: inout RandomSource) {
        let milliseconds = UInt64(max(0, time.microseconds / 1_000)) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | 0x7000 | random.next() & 0x0FFF
        low = 0x8000_0000_0000_0000 | random.next() >> 2
    }

    /// nil unless there are exactly 16 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        // Where this is not specialised, as in debug builds, a walk costs a call for every byte.
        let whole = bytes.withContiguousStorageIfAvailable { bytes in
            let memory = UnsafeRawBufferPointer(bytes)
            return unsafe (
                UInt64(bigEndian: memory.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: memory.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        if let whole {
            self.init(high: whole.0, low: whole.1)
            return
        }
        var words: (UInt64, UInt64) = (0, 0)
        // Counted by hand: in unspecialised code an enumeration looks its element's type up for every byte.
        var index = 0
        for byte in bytes {
            if index < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
            index += 1
        }
        self.init(high: words.0, low: words.1)
    }

    public var bytes: [UInt8] {
        // Written out: an array made in any other way asks what it is an array of.
        func byte(_ word: UInt64, _ place: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - 8 * place)) }
        return [
            byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7),
            byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3), byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7),
        ]
    }

    /// 32 lower-case hexadecimal digits.
    public var digits: String {
        unsafe String(unsafeUninitializedCapacity: 32) { out in
            for place in 0..<32 {
                let word = place < 16 ? high : low
                unsafe out[place] = hexDigit(UInt8(truncatingIfNeeded: word >> UInt64(60 - place % 16 * 4)) & 0x0F)
            }
            return 32
        }
    }

    /// Of 32 hexadecimal digits in either case; nil for anything else.
    public init?(digits: ArraySlice<UInt8>) {
        guard digits.count == 32 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in digits.indices {
            guard let value = hexValue(digits[index]) else { return nil }
            words = (words.0 << 4 | words.1 >> 60, words.1 << 4 | UInt64(value))
        }
        self.init(high: words.0, low: words.1)
    }

    public static func < (a: UUIDv7, b: UUIDv7) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

extension UUIDv7: LosslessStringConvertible, CustomStringConvertible {
    /// Reads the usual form with four hyphens, in either case.
    public init?(_ text: String) {
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for (index, byte) in text.utf8.enumerated() {
            switch index {
            case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return nil }
            case 36...: return nil
            default: digits.append(byte)
            }
        }
        self.init(digits: digits[...])
    }

    /// Lower-case hexadecimal with hyphens.
    public var description: String {
        let bytes = bytes
        var digits: [UInt8] = []
        digits.reserveCapacity(36)
        for index in bytes.indices {
            if index == 4 || index == 6 || index == 8 || index == 10 { digits.append(UInt8(ascii: "-")) }
            digits.append(hexDigit(bytes[index] >> 4))
            digits.append(hexDigit(bytes[index] & 0x0F))
        }
        return String(decoding: digits, as: UTF8.self)
    }
}

@inline(__always) private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x61 + value - 10
}

/// nil: it is no hexadecimal digit of either case.
@inline(__always) private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}

/// Lower-case hexadecimal of bytes, for digests and keys shown to people.
public func hex(_ bytes: some Sequence<UInt8>) -> String { hex(Array(bytes)) }

/// The same for an array: every request is named this way, and what is made for any sequence asks each byte's type what it is.
public func hex(_ bytes: [UInt8]) -> String {
    // Made of bytes: a String that grows by characters costs ten times as much.
    unsafe String(unsafeUninitializedCapacity: bytes.count * 2) { out in
        for index in bytes.indices {
            unsafe out[2 * index] = hexDigit(bytes[index] >> 4)
            unsafe out[2 * index + 1] = hexDigit(bytes[index] & 0x0F)
        }
        return bytes.count * 2
    }
}

/// nil unless `text` is an even number of hexadecimal digits.
public func bytes(hex text: String) -> [UInt8]? { bytes(hex: Array(text.utf8)[...]) }

public func bytes(hex text: ArraySlice<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 2)
    var pending: UInt8?
    for byte in text {
        guard let value = hexValue(byte) else { return nil }
        if let first = pending {
            result.append(first << 4 | value)
            pending = nil
        } else {
            pending = value
        }
    }
    return pending == nil ? result : nil
}
