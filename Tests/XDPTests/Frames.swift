import Primitives

/// A frame of Ethernet, IP, UDP and RTP, built and checked byte by byte.
struct Frame {
    var source: SocketAddress
    var destination: SocketAddress
    var payload: [UInt8]
    var timeToLive: UInt8 = 64
    /// IPv4: options behind the header, and the word of flags and offset.
    var options: [UInt8] = []
    var fragment: UInt16 = 0x4000
    var ethernet: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]

    enum Checksum {
        case whole
        /// Of the pseudo header alone, for a device to go on with.
        case partial
        case none
    }
    var checksum = Checksum.whole

    var bytes: [UInt8] {
        let length = 8 + payload.count
        let pseudo = source.bytes + destination.bytes + [0, 17] + word(length)
        var udp = word(Int(source.port)) + word(Int(destination.port)) + word(length) + [0, 0] + payload
        let sum: UInt16 =
            switch checksum {
            case .whole: ~Frame.sum(pseudo + udp) == 0 ? 0xFFFF : ~Frame.sum(pseudo + udp)
            case .partial: Frame.sum(pseudo)
            case .none: 0
            }
        udp.replaceSubrange(6..<8, with: word(Int(sum)))
        switch source.host {
        case .v4:
            let total = 20 + options.count + length
            var ip: [UInt8] = [UInt8(0x45 + options.count / 4), 0xB8] + word(total) + [0x12, 0x34] + word(Int(fragment)) + [timeToLive, 17, 0, 0]
            ip += source.bytes + destination.bytes + options
            ip.replaceSubrange(10..<12, with: word(Int(~Frame.sum(ip))))
            return ethernet + [8, 0] + ip + udp
        case .v6: return ethernet + [0x86, 0xDD, 0x60, 0, 0, 0] + word(length) + [17, timeToLive] + source.bytes + destination.bytes + udp
        }
    }

    private func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }

    /// RFC 1071, slowly.
    static func sum(_ bytes: [UInt8]) -> UInt16 {
        var sum = 0
        for (place, byte) in bytes.enumerated() { sum += place % 2 == 0 ? Int(byte) << 8 : Int(byte) }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return UInt16(sum)
    }
}

extension SocketAddress {
    fileprivate var bytes: [UInt8] {
        switch host {
        case .v4(let value): (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - $0 * 8)) }
        case .v6(let high, let low): (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - $0 % 8 * 8)) }
        }
    }
}

func rtp(_ sequence: UInt16, ssrc: UInt32 = 0xA11CE, type: UInt8 = 0, first: UInt8 = 0x80, payload: [UInt8]) -> [UInt8] {
    let timestamp = UInt32(sequence) * 160
    return [first, type, UInt8(sequence >> 8), UInt8(sequence & 0xFF)] + (0..<4).map { UInt8(truncatingIfNeeded: timestamp >> UInt32(24 - $0 * 8)) }
        + (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> UInt32(24 - $0 * 8)) } + payload
}
