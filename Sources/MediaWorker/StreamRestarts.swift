internal import RTP

/// A phone that restarts its stream (another source of sound, a reboot) may keep the stream's name and begin with any number. Over RTP that
/// is heard at once. Under SRTP a number that lies far behind belongs to a packet that was sent already, and would be refused for as long as
/// the new stream takes to catch up; and to send it would use a key stream twice (RFC 3711 §9.1). So it goes on under a name of its own.
struct StreamRestarts {
    private var from: UInt32 = 0
    private var to: UInt32 = 0
    /// Of the last packet that lay far behind.
    private var behind: (ssrc: UInt32, sequence: UInt16)?
    private(set) var isNeeded = false

    /// A packet in clear that lies before everything that may still come. One is late; two in a row are a stream.
    /// - Returns: whether it has another name now.
    mutating func begins(anew packet: inout MutableRawSpan, count: Int) -> Bool {
        guard let header = try? RTPHeader(parsing: packet.bytes.extracting(first: count)) else { return false }
        defer { behind = (header.ssrc, header.sequence) }
        guard let behind, behind.ssrc == header.ssrc, header.sequence &- behind.sequence == 1 else { return false }
        // It has been renamed already, and has begun anew once more.
        let original = isNeeded && header.ssrc == to ? from : header.ssrc
        (from, to) = (original, header.ssrc &+ 0x9E37_79B9)
        isNeeded = true
        rename(.media, &packet)
        if header.ssrc != from { packet.storeBytes(of: to.bigEndian, toByteOffset: 8, as: UInt32.self) }
        return true
    }

    /// The name that the peer knows the stream by; reports of its sender have it in another place.
    func rename(_ channel: Channel, _ packet: inout MutableRawSpan) {
        let place = channel == .media ? 8 : 4
        guard packet.byteCount >= place + 4 else { return }
        let name = unsafe UInt32(bigEndian: packet.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt32.self))
        if name == from { packet.storeBytes(of: to.bigEndian, toByteOffset: place, as: UInt32.self) }
    }
}
