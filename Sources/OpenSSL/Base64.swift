/// Standard base64 with padding (RFC 4648 §4).
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var pending: UInt32 = 0
        var count = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            count += 1
            if count == 3 {
                for shift in [18, 12, 6, 0] as [UInt32] { out.append(alphabet[Int(pending >> shift & 0x3F)]) }
                (pending, count) = (0, 0)
            }
        }
        if count > 0 {
            pending <<= UInt32(8 * (3 - count))
            for index in 0..<4 {
                out.append(index <= count ? alphabet[Int(pending >> UInt32(18 - 6 * index) & 0x3F)] : 0x3D)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// nil unless the text is exactly what `encode` would write for some bytes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        let padding = characters.reversed().prefix { $0 == 0x3D }.count
        guard padding <= 2 else { return nil }
        var out: [UInt8] = []
        var pending: UInt32 = 0
        for (index, character) in characters.dropLast(padding).enumerated() {
            guard let value = value(character) else { return nil }
            pending = pending << 6 | UInt32(value)
            if index % 4 == 3 {
                out += [UInt8(pending >> 16), UInt8(pending >> 8 & 0xFF), UInt8(pending & 0xFF)]
                pending = 0
            }
        }
        switch padding {
        case 1:
            guard pending & 0x03 == 0 else { return nil }
            out += [UInt8(pending >> 10), UInt8(pending >> 2 & 0xFF)]
        case 2:
            guard pending & 0x0F == 0 else { return nil }
            out.append(UInt8(pending >> 4))
        default: break
        }
        return out
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x41...0x5A: character - 0x41
        case 0x61...0x7A: character - 0x61 + 26
        case 0x30...0x39: character - 0x30 + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}
