/// The first eight bytes of an RTCP packet, which SRTCP leaves in clear (RFC 3550 §6.1, RFC 3711 §3.4).
package struct RTCPHeader: Equatable, Sendable {
    package static let byteCount = 8

    /// Report blocks, source descriptions or sources, as the type has it.
    package let count: UInt8
    package let hasPadding: Bool
    package let type: UInt8
    /// Bytes of this packet of the compound, header included.
    package let packetByteCount: Int
    package let senderSSRC: UInt32

    package init(parsing packet: RawSpan) throws(RTPParseError) {
        guard packet.byteCount >= RTCPHeader.byteCount else {
            throw .tooShort(have: packet.byteCount, need: RTCPHeader.byteCount)
        }
        let first = packet.uint8(at: 0)
        guard first >> 6 == 2 else { throw .wrongVersion(Int(first >> 6)) }
        count = first & 0x1F
        hasPadding = first & 0x20 != 0
        type = packet.uint8(at: 1)
        packetByteCount = (Int(packet.uint16(at: 2)) + 1) * 4
        senderSSRC = packet.uint32(at: 4)
        guard (192...223).contains(type) else { throw .wrongType(type) }
    }
}
