import Primitives
import RTP
import Testing

/// Whatever bytes come: an answer, and ranges that lie inside the packet.
@Test(arguments: 1...8 as ClosedRange<UInt64>)
func noBytesStopTheParsers(seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let key = SRTPMasterKey(random: &random)
    var inbound = try SRTPSession(.inbound, suite: .aesCounterMode128HMACSHA1With80Bits, key: key)
    let models = [
        rtpPacket(sequence: 1, ssrc: 2, payload: Array(repeating: 0, count: 30)),
        bytes(hex: "b1800001000000020000000300000004bede000110ff0000ffff0002")!,
        bytes(hex: "80c80006" + "0000002a" + String(repeating: "00", count: 20))! + receiverReport(ssrc: 1),
    ]
    for _ in 0..<5_000 {
        var packet = random.next() % 4 == 0 ? random.bytes(Int(random.next() % 80)) : models[Int(random.next() % 3)]
        for _ in 0..<random.next() % 4 where !packet.isEmpty {
            packet[Int(random.next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        packet.removeLast(Int(random.next() % UInt64(packet.count + 1)) / 2)
        _ = PacketKind(packet.span.bytes)
        if let header = try? RTPHeader(parsing: packet.span.bytes) {
            #expect(header.byteCount <= packet.count)
            if let payload = try? header.payload(of: packet.span.bytes) {
                #expect(payload.lowerBound >= 12 && payload.upperBound <= packet.count)
            }
        }
        if let compound = try? RTCPCompound(parsing: packet.span.bytes) {
            #expect(compound.packetCount * 4 <= packet.count)
        }
        #expect(throws: SRTPError.self) { try inbound.unprotect(packet) }
        #expect(throws: SRTPError.self) { try inbound.unprotectControl(packet) }
    }
}
