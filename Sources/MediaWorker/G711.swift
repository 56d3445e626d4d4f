/// The two laws of ITU-T G.711, by way of the linear value between them.
enum G711 {
    /// The A-law byte for the level that a µ-law byte stands for.
    static func aLaw(of muLaw: UInt8) -> UInt8 { table[Int(muLaw)] }

    private static let table: [UInt8] = (0...255).map { aLaw(linear(UInt8($0))) }

    /// 16 bits, of which µ-law uses 14.
    static func linear(_ muLaw: UInt8) -> Int {
        let bits = ~muLaw
        let magnitude = (Int(bits & 0x0F) << 3 + 0x84) << Int(bits >> 4 & 7) - 0x84
        return bits & 0x80 != 0 ? -magnitude : magnitude
    }

    /// Of a 16 bit sample, of which A-law uses 13.
    static func aLaw(_ sample: Int) -> UInt8 {
        let level = sample >> 3
        // A negative level is its one's complement: -1 is the smallest of them.
        let magnitude = min(level >= 0 ? level : ~level, 0xFFF)
        let segment = max(0, Int.bitWidth - magnitude.leadingZeroBitCount - 5)
        let bits = UInt8(segment) << 4 | UInt8(magnitude >> max(1, segment) & 0x0F)
        return bits ^ (level >= 0 ? 0xD5 : 0x55)
    }
}
