/// The two laws of ITU-T G.711. Each value has one byte, and each byte one value.
package enum G711 {
    /// 16 bits, of which µ-law uses 14.
    package static func linear(muLaw byte: UInt8) -> Int16 { muLawValues[Int(byte)] }

    /// 16 bits, of which A-law uses 13.
    package static func linear(aLaw byte: UInt8) -> Int16 { aLawValues[Int(byte)] }

    package static func muLaw(_ sample: Int16) -> UInt8 {
        let magnitude = min(Int(sample).magnitude + 0x84, 0x7FFF)
        let segment = UInt.bitWidth - 8 - magnitude.leadingZeroBitCount
        let bits = UInt8(segment) << 4 | UInt8(magnitude >> (segment + 3) & 0x0F)
        return ~(sample < 0 ? bits | 0x80 : bits)
    }

    package static func aLaw(_ sample: Int16) -> UInt8 {
        let level = Int(sample) >> 3
        // A negative level is its one's complement: -1 is the smallest of them.
        let magnitude = min(level >= 0 ? level : ~level, 0xFFF)
        let segment = max(0, Int.bitWidth - magnitude.leadingZeroBitCount - 5)
        let bits = UInt8(segment) << 4 | UInt8(magnitude >> max(1, segment) & 0x0F)
        return bits ^ (level >= 0 ? 0xD5 : 0x55)
    }

    private static let muLawValues: [Int16] = (0...255).map { byte in
        let bits = ~UInt8(byte)
        let magnitude = Int16(bits & 0x0F) << 3 + 0x84
        let value = magnitude << Int16(bits >> 4 & 7) - 0x84
        return bits & 0x80 != 0 ? -value : value
    }

    private static let aLawValues: [Int16] = (0...255).map { byte in
        let bits = UInt8(byte) ^ 0x55
        let segment = Int16(bits >> 4 & 7)
        let step = Int16(bits & 0x0F) << 4
        let value = segment == 0 ? step + 8 : (step + 0x108) << (segment - 1)
        return bits & 0x80 != 0 ? value : -value
    }
}
