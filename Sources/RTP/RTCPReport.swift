/// What an RTCP packet says of how a source is received (RFC 3550 §6.4.1).
package struct RTCPReportBlock: Equatable, Sendable {
    package static let byteCount = 24

    package var source: UInt32
    /// In 256ths, since the report before.
    package var fractionLost: UInt8
    /// Since the beginning; below zero where packets came twice.
    package var lost: Int32
    package var highestSequence: UInt32
    /// In units of the payload's clock.
    package var jitter: UInt32
    /// Middle bits of the time of the last sender report of that source; 0: there was none.
    package var lastReport: UInt32
    /// Between it and this, in 65,536ths of a second.
    package var delay: UInt32

    package init(
        source: UInt32, fractionLost: UInt8, lost: Int32, highestSequence: UInt32, jitter: UInt32, lastReport: UInt32, delay: UInt32
    ) {
        self.source = source
        self.fractionLost = fractionLost
        self.lost = lost
        self.highestSequence = highestSequence
        self.jitter = jitter
        self.lastReport = lastReport
        self.delay = delay
    }

    fileprivate init(_ packet: RawSpan, at offset: Int) {
        let word = packet.uint32(at: offset + 4)
        source = packet.uint32(at: offset)
        fractionLost = UInt8(word >> 24)
        // 24 bits with a sign.
        lost = Int32(bitPattern: word << 8) >> 8
        highestSequence = packet.uint32(at: offset + 8)
        jitter = packet.uint32(at: offset + 12)
        lastReport = packet.uint32(at: offset + 16)
        delay = packet.uint32(at: offset + 20)
    }

    fileprivate func write(into packet: inout MutableRawSpan, at offset: Int) {
        let clamped = UInt32(bitPattern: max(-0x80_0000, min(lost, 0x7F_FFFF))) & 0xFF_FFFF
        for (index, word) in [source, UInt32(fractionLost) << 24 | clamped, highestSequence, jitter, lastReport, delay].enumerated() {
            packet.storeBytes(of: word.bigEndian, toByteOffset: offset + index * 4, as: UInt32.self)
        }
    }
}

/// The time that a sender report gives, to tell it again in an answer.
package struct RTCPSenderTime: Equatable, Sendable {
    package let ssrc: UInt32
    /// Seconds and fraction since 1900.
    package let ntp: UInt64

    package var middle: UInt32 { UInt32(truncatingIfNeeded: ntp >> 16) }
}

extension RTCPCompound {
    /// The reports in a compound that has been checked. Blocks beyond the first eight of a packet are left out.
    ///
    /// - Parameter packet: what this value was parsed from.
    package static func forEachReport(
        in packet: RawSpan, sent: (RTCPSenderTime) -> Void, received: (RTCPReportBlock) -> Void
    ) {
        var offset = 0
        while packet.byteCount - offset >= 8 {
            let type = packet.uint8(at: offset + 1)
            let length = (Int(packet.uint16(at: offset + 2)) + 1) * 4
            guard length <= packet.byteCount - offset else { return }
            let isSender = type == RTCPCompound.senderReport
            if isSender || type == RTCPCompound.receiverReport {
                if isSender, length >= 28 {
                    let high = UInt64(packet.uint32(at: offset + 8))
                    sent(RTCPSenderTime(ssrc: packet.uint32(at: offset + 4), ntp: high << 32 | UInt64(packet.uint32(at: offset + 12))))
                }
                let first = offset + (isSender ? 28 : 8)
                for block in 0..<min(8, Int(packet.uint8(at: offset) & 0x1F)) {
                    let start = first + block * RTCPReportBlock.byteCount
                    guard start + RTCPReportBlock.byteCount <= offset + length else { break }
                    received(RTCPReportBlock(packet, at: start))
                }
            }
            offset += length
        }
    }
}

/// A sender report of our own with one block at most, and the name that RFC 3550 §6.1 wants beside it.
package struct RTCPSenderReport: Equatable, Sendable {
    package static let byteCountMax = 28 + RTCPReportBlock.byteCount + 20

    package var ssrc: UInt32
    package var ntp: UInt64
    package var timestamp: UInt32
    package var packets: UInt32
    package var bytes: UInt32
    package var block: RTCPReportBlock?

    package init(ssrc: UInt32, ntp: UInt64, timestamp: UInt32, packets: UInt32, bytes: UInt32, block: RTCPReportBlock?) {
        self.ssrc = ssrc
        self.ntp = ntp
        self.timestamp = timestamp
        self.packets = packets
        self.bytes = bytes
        self.block = block
    }

    /// - Returns: bytes of the compound.
    package func write(into packet: inout MutableRawSpan) -> Int {
        let length = 28 + (block == nil ? 0 : RTCPReportBlock.byteCount)
        let head: [UInt32] = [
            0x80C8_0000 | (block == nil ? 0 : 0x0100_0000) | UInt32(length / 4 - 1), ssrc, UInt32(ntp >> 32), UInt32(truncatingIfNeeded: ntp),
            timestamp, packets, bytes,
        ]
        for (index, word) in head.enumerated() { packet.storeBytes(of: word.bigEndian, toByteOffset: index * 4, as: UInt32.self) }
        block?.write(into: &packet, at: 28)
        // SDES with a CNAME that says nothing: source, item 1 of 8 bytes, end and padding.
        let words: [UInt32] = [0x81CA_0004, ssrc, 0x0108_6C6C, 0x6D65_6469, 0x6100_0000]
        for (index, word) in words.enumerated() { packet.storeBytes(of: word.bigEndian, toByteOffset: length + index * 4, as: UInt32.self) }
        return length + words.count * 4
    }
}
