import RTP

func rtpPacket(
    sequence: UInt16, timestamp: UInt32 = 0, ssrc: UInt32, payloadType: UInt8 = 0,
    payload: [UInt8] = Array(repeating: 0xD5, count: 160)
) -> [UInt8] {
    [0x80, payloadType, UInt8(sequence >> 8), UInt8(sequence & 0xFF)] + bigEndian(timestamp) + bigEndian(ssrc) + payload
}

func receiverReport(ssrc: UInt32) -> [UInt8] { [0x80, 201, 0, 1] + bigEndian(ssrc) }

/// Whole packets in and out, for tests that do not care where the bytes lie.
extension SRTPSession {
    mutating func protect(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try protect(&span, count: packet.count)
        return Array(buffer[..<count])
    }

    mutating func unprotect(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try unprotect(&span, count: packet.count)
        return Array(buffer[..<count])
    }

    mutating func protectControl(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet + Array(repeating: 0, count: SRTPSession.spareByteCount)
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try protectControl(&span, count: packet.count)
        return Array(buffer[..<count])
    }

    mutating func unprotectControl(_ packet: [UInt8]) throws(SRTPError) -> [UInt8] {
        var buffer = packet
        var bytes = buffer.mutableSpan
        var span = bytes.mutableBytes
        let count = try unprotectControl(&span, count: packet.count)
        return Array(buffer[..<count])
    }
}
