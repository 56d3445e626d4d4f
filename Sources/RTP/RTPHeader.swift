/// The RTP header, copied out of the packet (RFC 3550 §5.1).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
///     |                           timestamp                           |
///     |           synchronization source (SSRC) identifier            |
///     |            contributing source (CSRC) identifiers             |
///     |                             ....                              |
///
/// Reading it needs no key: SRTP leaves it in clear (RFC 3711 §3.1).
package struct RTPHeader: Equatable, Sendable {
    package static let fixedByteCount = 12

    package let hasPadding: Bool
    package let marker: Bool
    package let payloadType: UInt8
    package let sequence: UInt16
    /// Sampling instant, in units of the payload's clock (8 000 Hz for G.711, 48 000 Hz for Opus).
    package let timestamp: UInt32
    package let ssrc: UInt32
    /// Bytes before the payload: fixed header, contributing sources and extension.
    package let byteCount: Int

    /// - Parameter packet: a whole UDP payload, as sent or encrypted.
    package init(parsing packet: RawSpan) throws(RTPParseError) {
        let have = packet.byteCount
        guard have >= RTPHeader.fixedByteCount else { throw .tooShort(have: have, need: RTPHeader.fixedByteCount) }
        let first = packet.uint8(at: 0)
        guard first >> 6 == 2 else { throw .wrongVersion(Int(first >> 6)) }
        var end = RTPHeader.fixedByteCount + Int(first & 0x0F) * 4
        if first & 0x10 != 0 {
            // The extension's length counts words after its own first word (RFC 3550 §5.3.1).
            guard have >= end + 4 else { throw .tooShort(have: have, need: end + 4) }
            end += 4 + Int(packet.uint16(at: end + 2)) * 4
        }
        guard have >= end else { throw .tooShort(have: have, need: end) }
        let second = packet.uint8(at: 1)
        hasPadding = first & 0x20 != 0
        marker = second & 0x80 != 0
        payloadType = second & 0x7F
        sequence = packet.uint16(at: 2)
        timestamp = packet.uint32(at: 4)
        ssrc = packet.uint32(at: 8)
        byteCount = end
    }

    /// Where the payload lies without its padding. Only for a packet in clear: SRTP encrypts the padding.
    package func payload(of packet: RawSpan) throws(RTPParseError) -> Range<Int> {
        guard hasPadding else { return byteCount..<packet.byteCount }
        guard packet.byteCount > byteCount else { throw .wrongPadding(have: 0, claimed: 0) }
        let padding = Int(packet.uint8(at: packet.byteCount - 1))
        guard padding > 0, padding <= packet.byteCount - byteCount else {
            throw .wrongPadding(have: packet.byteCount - byteCount, claimed: padding)
        }
        return byteCount..<packet.byteCount - padding
    }

    // MARK: - Writing

    /// Of a packet of our own: without padding, extension and contributing sources.
    package init(marker: Bool, payloadType: UInt8, sequence: UInt16, timestamp: UInt32, ssrc: UInt32) {
        hasPadding = false
        self.marker = marker
        self.payloadType = payloadType & 0x7F
        self.sequence = sequence
        self.timestamp = timestamp
        self.ssrc = ssrc
        byteCount = RTPHeader.fixedByteCount
    }

    /// Only for a header made by the other initialiser: what a parsed one may have had behind its fixed part is not kept.
    package func write(into packet: inout MutableRawSpan) {
        precondition(byteCount == RTPHeader.fixedByteCount && !hasPadding)
        packet.storeBytes(of: 0x80, toByteOffset: 0, as: UInt8.self)
        packet.storeBytes(of: (marker ? 0x80 : 0) | payloadType, toByteOffset: 1, as: UInt8.self)
        packet.storeBytes(of: sequence.bigEndian, toByteOffset: 2, as: UInt16.self)
        packet.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
        packet.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
    }
}
