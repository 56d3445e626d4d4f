/// The checks of a whole RTCP datagram (RFC 3550 appendix A.2), with what a relay wants to know of it.
package struct RTCPCompound: Equatable, Sendable {
    package static let senderReport: UInt8 = 200
    package static let receiverReport: UInt8 = 201
    package static let goodbye: UInt8 = 203

    package let senderSSRC: UInt32
    package let packetCount: Int
    /// The sender says that it stops (RFC 3550 §6.6).
    package let saysGoodbye: Bool

    /// Reduced-size RTCP (RFC 5506) is accepted: the first packet may be of any type.
    /// - Parameter packet: a whole UDP payload in clear.
    package init(parsing packet: RawSpan) throws(RTPParseError) {
        let first = try RTCPHeader(parsing: packet)
        var offset = 0
        var packetCount = 0
        var saysGoodbye = false
        while offset < packet.byteCount {
            let rest = packet.byteCount - offset
            guard rest >= 4 else { throw .tooShort(have: rest, need: 4) }
            let head = packet.uint8(at: offset)
            guard head >> 6 == 2 else { throw .wrongVersion(Int(head >> 6)) }
            let type = packet.uint8(at: offset + 1)
            guard (192...223).contains(type) else { throw .wrongType(type) }
            let length = (Int(packet.uint16(at: offset + 2)) + 1) * 4
            guard length <= rest else { throw .wrongLength(have: rest, claimed: length) }
            if head & 0x20 != 0 {
                // Padding is for encryption in blocks: the last packet alone may have it, in whole words.
                guard length == rest else { throw .wrongPadding(have: rest - length, claimed: 0) }
                let padding = Int(packet.uint8(at: packet.byteCount - 1))
                guard padding > 0, padding % 4 == 0, padding <= length - 4 else {
                    throw .wrongPadding(have: length - 4, claimed: padding)
                }
            }
            if type == RTCPCompound.goodbye { saysGoodbye = true }
            offset += length
            packetCount += 1
        }
        senderSSRC = first.senderSSRC
        self.packetCount = packetCount
        self.saysGoodbye = saysGoodbye
    }
}
