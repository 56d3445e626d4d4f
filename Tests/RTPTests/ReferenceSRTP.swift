/// SRTP with AES-CM and HMAC-SHA1 written from the text of RFC 3711 and for nothing but clarity: what the
/// library under test is compared with. The tests hold it to the RFC's own vectors first.
struct ReferenceSRTP {
    struct Keys {
        let cipher: [UInt8], authentication: [UInt8], salt: [UInt8]
    }
    let media: Keys
    let control: Keys
    let tagByteCount: Int

    init(masterKey: [UInt8], masterSalt: [UInt8], tagByteCount: Int) {
        func keys(_ label: UInt8) -> Keys {
            Keys(
                cipher: ReferenceSRTP.derive(label, 16, masterKey, masterSalt),
                authentication: ReferenceSRTP.derive(label + 1, 20, masterKey, masterSalt),
                salt: ReferenceSRTP.derive(label + 2, 14, masterKey, masterSalt))
        }
        media = keys(0)
        control = keys(3)
        self.tagByteCount = tagByteCount
    }

    /// RFC 3711 §4.3.1, key derivation rate 0: the label stands seven bytes from the salt's end.
    static func derive(_ label: UInt8, _ count: Int, _ key: [UInt8], _ salt: [UInt8]) -> [UInt8] {
        var x = salt
        x[7] ^= label
        return keyStream(key, counter: x + [0, 0], count: count)
    }

    /// RFC 3711 §4.1.1: the blocks of a counter that rises by one.
    static func keyStream(_ key: [UInt8], counter: [UInt8], count: Int) -> [UInt8] {
        let aes = ReferenceAES(key: key)
        var counter = counter
        var stream: [UInt8] = []
        while stream.count < count {
            stream += aes.encrypt(counter)
            for index in stride(from: 15, through: 0, by: -1) {
                counter[index] &+= 1
                if counter[index] != 0 { break }
            }
        }
        return Array(stream[..<count])
    }

    private static func encrypt(_ text: ArraySlice<UInt8>, _ keys: Keys, ssrc: [UInt8], index: UInt64) -> [UInt8] {
        // IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)
        var iv = keys.salt + [0, 0]
        for offset in 0..<4 { iv[4 + offset] ^= ssrc[offset] }
        for offset in 0..<6 { iv[8 + offset] ^= UInt8(truncatingIfNeeded: index >> UInt64(40 - offset * 8)) }
        return zip(text, keyStream(keys.cipher, counter: iv, count: text.count)).map { $0 ^ $1 }
    }

    func protect(_ packet: [UInt8], headerByteCount: Int, rollover: UInt32) -> [UInt8] {
        let index = UInt64(rollover) << 16 | UInt64(packet[2]) << 8 | UInt64(packet[3])
        let body = ReferenceSRTP.encrypt(packet[headerByteCount...], media, ssrc: Array(packet[8..<12]), index: index)
        let result = Array(packet[..<headerByteCount]) + body
        let tag = ReferenceSHA1.hmac(media.authentication, result + bigEndian(rollover))
        return result + tag[..<tagByteCount]
    }

    func protectControl(_ packet: [UInt8], index: UInt32) -> [UInt8] {
        let body = ReferenceSRTP.encrypt(packet[8...], control, ssrc: Array(packet[4..<8]), index: UInt64(index))
        let result = Array(packet[..<8]) + body + bigEndian(index | 0x8000_0000)
        return result + ReferenceSHA1.hmac(control.authentication, result)[..<10]
    }
}

func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - $0 * 8)) } }
