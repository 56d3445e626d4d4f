package import Primitives
internal import RTP

/// Keys on their way to one peer as telephone events (RFC 4733), from a source of its own.
package struct KeyStream: Sendable {
    static let interval: Duration = .milliseconds(20)
    /// Between two keys.
    private static let pause: Duration = .milliseconds(60)
    /// The end of each is told so often (§2.5.1.4).
    private static let ends = 3

    let ssrc: UInt32
    private(set) var nextAt: Instant
    private let events: [UInt8]
    private let payloadType: UInt8
    private let clockRate: UInt32
    /// Packets of one key before those of its end.
    private let steps: Int
    private var event = 0
    private var step = 0
    private var sequence: UInt16
    private var timestamp: UInt32

    /// - Parameters:
    ///   - events: numbers of RFC 4733 §3.2.
    ///   - seed: where number, timestamp and source begin.
    package init(_ events: [UInt8], payloadType: UInt8, clockRate: UInt32, milliseconds: Int, seed: UInt64, at now: Instant) {
        var random = RandomSource(seed: seed)
        self.events = events
        self.payloadType = payloadType
        self.clockRate = clockRate
        steps = max(2, milliseconds / 20)
        ssrc = UInt32(truncatingIfNeeded: random.next())
        timestamp = UInt32(truncatingIfNeeded: random.next())
        sequence = UInt16(truncatingIfNeeded: random.next())
        nextAt = now
    }

    var isOver: Bool { event >= events.count }

    /// - Returns: bytes of the packet; nil: it is over.
    mutating func write(into buffer: inout MutableRawSpan, at now: Instant) -> Int? {
        guard !isOver else { return nil }
        let header = RTPHeader(marker: step == 0, payloadType: payloadType, sequence: sequence, timestamp: timestamp, ssrc: ssrc)
        header.write(into: &buffer)
        let isEnd = step >= steps
        let duration = UInt64(min(step + 1, steps)) * UInt64(clockRate) / 50
        buffer.storeBytes(of: events[event], toByteOffset: 12, as: UInt8.self)
        buffer.storeBytes(of: isEnd ? 0x8A : 0x0A, toByteOffset: 13, as: UInt8.self)
        buffer.storeBytes(of: UInt16(clamping: duration).bigEndian, toByteOffset: 14, as: UInt16.self)
        sequence &+= 1
        step += 1
        nextAt = nextAt + KeyStream.interval
        if step == steps + KeyStream.ends {
            step = 0
            event += 1
            timestamp &+= UInt32(truncatingIfNeeded: duration + UInt64(clockRate / 10))
            nextAt = nextAt + KeyStream.pause
        }
        return RTPHeader.fixedByteCount + 4
    }
}
