internal import Primitives

/// Headers of IP and UDP as a raw socket wants them.
enum PacketHeaders {
    /// - Parameters:
    ///   - payload: with at least 48 bytes of room in front of it.
    /// - Returns: how many bytes were written in front; nil: source and destination are of different families.
    static func write(before payload: UnsafeMutableRawPointer, count: Int, from source: SocketAddress, to destination: SocketAddress) -> Int? {
        let udp = unsafe payload - 8
        let length = UInt16(truncatingIfNeeded: count + 8)
        unsafe udp.storeBytes(of: source.port.bigEndian, toByteOffset: 0, as: UInt16.self)
        unsafe udp.storeBytes(of: destination.port.bigEndian, toByteOffset: 2, as: UInt16.self)
        unsafe udp.storeBytes(of: length.bigEndian, toByteOffset: 4, as: UInt16.self)
        unsafe udp.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        // The pseudo header (RFC 768, RFC 8200 §8.1): addresses, protocol, length.
        var sum = UInt64(UInt16(17).bigEndian) + UInt64(length.bigEndian)
        let headerBytes: Int
        switch (source.host, destination.host) {
        case (.v4(let from), .v4(let to)):
            headerBytes = 28
            let ip = unsafe payload - headerBytes
            // Version 4 and five words; the kernel fills in length, identification and checksum (raw(7)).
            unsafe ip.storeBytes(of: UInt32(0x4500_0000).bigEndian, toByteOffset: 0, as: UInt32.self)
            // Not to be fragmented, as the kernel's own UDP does it.
            unsafe ip.storeBytes(of: UInt32(0x0000_4000).bigEndian, toByteOffset: 4, as: UInt32.self)
            // 64 hops, UDP.
            unsafe ip.storeBytes(of: UInt32(0x4011_0000).bigEndian, toByteOffset: 8, as: UInt32.self)
            unsafe ip.storeBytes(of: from.bigEndian, toByteOffset: 12, as: UInt32.self)
            unsafe ip.storeBytes(of: to.bigEndian, toByteOffset: 16, as: UInt32.self)
            sum += UInt64(from.bigEndian) + UInt64(to.bigEndian)
        case (.v6(let fromHigh, let fromLow), .v6(let toHigh, let toLow)):
            headerBytes = 48
            let ip = unsafe payload - headerBytes
            unsafe ip.storeBytes(of: UInt32(0x6000_0000).bigEndian, toByteOffset: 0, as: UInt32.self)
            unsafe ip.storeBytes(of: length.bigEndian, toByteOffset: 4, as: UInt16.self)
            unsafe ip.storeBytes(of: UInt16(0x1140).bigEndian, toByteOffset: 6, as: UInt16.self)
            for (place, word) in [fromHigh, fromLow, toHigh, toLow].enumerated() {
                unsafe ip.storeBytes(of: word.bigEndian, toByteOffset: 8 + 8 * place, as: UInt64.self)
                sum += word.bigEndian & 0xFFFF_FFFF + word.bigEndian >> 32
            }
        case (.v4, .v6), (.v6, .v4): return nil
        }
        sum += unsafe PacketHeaders.sum(of: udp, count: count + 8)
        unsafe udp.storeBytes(of: checksum(sum), toByteOffset: 6, as: UInt16.self)
        return headerBytes
    }

    /// The sum of 16-bit words as they stand in memory (RFC 1071), four at a time.
    private static func sum(of bytes: UnsafeMutableRawPointer, count: Int) -> UInt64 {
        var sum: UInt64 = 0
        var place = 0
        while place + 8 <= count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            sum += word & 0xFFFF_FFFF + word >> 32
            place += 8
        }
        while place + 2 <= count {
            sum += unsafe UInt64(bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self))
            place += 2
        }
        if place < count { sum += unsafe UInt64(UInt16(bytes.load(fromByteOffset: place, as: UInt8.self)).littleEndian) }
        return sum
    }

    /// Folded and complemented; none at all is written as its other form (RFC 768).
    private static func checksum(_ sum: UInt64) -> UInt16 {
        var sum = sum
        while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
        let value = ~UInt16(truncatingIfNeeded: sum)
        return value == 0 ? 0xFFFF : value
    }
}
