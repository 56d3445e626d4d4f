/// What a datagram on a media port is, told by its first two bytes (RFC 7983 §7, RFC 5761 §4).
package enum PacketKind: Equatable, Sendable {
    case rtp
    case rtcp
    case stun
    case dtls
    case unknown

    package init(_ packet: RawSpan) {
        guard packet.byteCount >= 2 else {
            self = .unknown
            return
        }
        switch packet.uint8(at: 0) {
        case 0...3: self = .stun
        case 20...63: self = .dtls
        case 128...191:
            // Payload types 64 to 95 with the marker set are RTCP's 192 to 223; RTP does not use them.
            self = (192...223).contains(packet.uint8(at: 1)) ? .rtcp : .rtp
        default: self = .unknown
        }
    }
}
