internal import RTP

/// Puts the packets of one stream back into their order: holds what came too early until the missing one is there, or two others are
/// beyond it. Time is not waited for, and nothing is delayed that came in order.
struct PacketOrder {
    struct Held {
        fileprivate(set) var header: RTPHeader?
        fileprivate(set) var bytes: [UInt8]
        fileprivate(set) var count = 0
    }

    private static let places = 4
    /// Packets beyond a gap that make it a loss.
    private static let patience = 2
    private static let packetBytesMax = 1_500

    private var held: [Held] = Array(
        repeating: Held(header: nil, bytes: Array(repeating: 0, count: PacketOrder.packetBytesMax)), count: PacketOrder.places)
    private var heldCount = 0
    private var expected: UInt16?
    private var ssrc: UInt32 = 0
    /// The next packet follows on ones that were lost.
    private(set) var isAfterLoss = false
    /// The next packet is the first of another source.
    private(set) var isNewSource = false

    init() {
        // Arrays of one buffer would be copied at the first write.
        for index in held.indices { held[index].bytes = Array(repeating: 0, count: PacketOrder.packetBytesMax) }
    }

    /// - Returns: false: it came too late, twice, or is longer than any.
    mutating func take(_ header: RTPHeader, _ payload: RawSpan) -> Bool {
        guard payload.byteCount <= PacketOrder.packetBytesMax else { return false }
        if expected == nil || header.ssrc != ssrc { restart(header) }
        var ahead = Int(Int16(bitPattern: header.sequence &- (expected ?? header.sequence)))
        if ahead <= -1_000 || ahead >= 1_000 {
            restart(header)
            ahead = 0
        }
        guard ahead >= 0 else { return false }
        if ahead >= PacketOrder.places {
            // Further than there is room for: what is held goes first, as far as it can, and the rest is lost.
            heldCount = 0
            for index in held.indices { held[index].header = nil }
            isAfterLoss = true
            expected = header.sequence
        }
        let place = Int(header.sequence) % PacketOrder.places
        guard held[place].header == nil else { return false }
        held[place].header = header
        held[place].count = payload.byteCount
        for index in 0..<payload.byteCount { held[place].bytes[index] = unsafe payload.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self) }
        heldCount += 1
        return true
    }

    /// The header of the next packet, if it is its turn.
    mutating func next() -> RTPHeader? {
        guard let expected else { return nil }
        if let header = held[Int(expected) % PacketOrder.places].header { return header }
        guard heldCount >= PacketOrder.patience else { return nil }
        for step in 1..<PacketOrder.places {
            guard let header = held[Int(expected &+ UInt16(step)) % PacketOrder.places].header else { continue }
            self.expected = header.sequence
            isAfterLoss = true
            return header
        }
        return nil
    }

    /// Hands out the payload of the packet that `next` has named, and forgets it.
    mutating func withNext<Result>(_ body: (RawSpan) -> Result) -> Result {
        let sequence = expected ?? 0
        let place = Int(sequence) % PacketOrder.places
        defer {
            held[place].header = nil
            heldCount -= 1
            expected = sequence &+ 1
            isAfterLoss = false
            isNewSource = false
        }
        let (bytes, count) = (held[place].bytes, held[place].count)
        return body(unsafe bytes.span.bytes.extracting(first: count))
    }

    private mutating func restart(_ header: RTPHeader) {
        for index in held.indices { held[index].header = nil }
        heldCount = 0
        ssrc = header.ssrc
        expected = header.sequence
        isAfterLoss = false
        isNewSource = true
    }
}
