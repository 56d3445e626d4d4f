package import Primitives

/// Loss and jitter of a stream as it is heard (RFC 3550 appendices A.1, A.3 and A.8).
package struct StreamStatistics: Sendable {
    /// Of the source that is heard now.
    package private(set) var ssrc: UInt32 = 0
    package private(set) var highestSequence: UInt32 = 0
    private var firstSequence: UInt32 = 0
    private var received: UInt64 = 0
    /// Of sources that were heard before.
    private var expectedBefore: UInt64 = 0
    private var receivedBefore: UInt64 = 0

    private var heardAt = Instant.zero
    private var timestamp: UInt32 = 0
    /// Sixteenths of a nanosecond for a tick of the payload's clock; 0: it is not known, and there is no jitter.
    private var tick: Int64 = 0
    /// Nanoseconds.
    package private(set) var jitter: Int64 = 0
    package private(set) var jitterMax: Int64 = 0
    /// Nanoseconds that its timestamps say nothing was said in, while no packet is missing: silence that was not sent. Never more than have passed.
    package private(set) var silence: Int64 = 0
    /// Longer than any packet.
    private static let packetMax: Int64 = 130_000_000

    package init() {}

    /// - Parameter hertz: of the payload's clock.
    package mutating func setClock(_ hertz: Int) { tick = 16_000_000_000 / Int64(max(1, hertz)) }

    package mutating func hear(ssrc: UInt32, sequence: UInt16, timestamp: UInt32, at now: Instant) {
        guard ssrc == self.ssrc, received > 0 else { return begin(ssrc, sequence, timestamp, now) }
        let step = Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highestSequence))
        // Further away than a stream may jump: it began anew (A.1).
        guard step > -3_000, step < 3_000 else { return begin(ssrc, sequence, timestamp, now) }
        received += 1
        guard step > 0 else { return }
        highestSequence &+= UInt32(step)
        let ticks = Int32(bitPattern: timestamp &- self.timestamp)
        // Packets of one moment, as those of a key that is held, say nothing of the way that they took.
        guard ticks != 0, tick != 0 else { return }
        let length = (Int64(ticks) &* tick) >> 4
        // Below nothing where a packet that passed by the kernel was heard after this turn's clock was read.
        let passed = Int64(bitPattern: now.nanoseconds &- heardAt.nanoseconds)
        // Timestamps claim what they like, some three days with each packet; a pause is as long as both they and the clock say.
        let pause = min(length, passed)
        if step == 1, pause > Self.packetMax { silence &+= pause }
        let late = passed &- length
        heardAt = now
        self.timestamp = timestamp
        // A pause of the speaker, or another clock: not the network's.
        guard late.magnitude < 1_000_000_000 else { return }
        jitter += (Int64(late.magnitude) - jitter) >> 4
        jitterMax = max(jitterMax, jitter)
    }

    private mutating func begin(_ ssrc: UInt32, _ sequence: UInt16, _ timestamp: UInt32, _ now: Instant) {
        expectedBefore += expectedOfThis
        receivedBefore += received
        self.ssrc = ssrc
        // Room below, for packets that come late.
        firstSequence = 0x1_0000 | UInt32(sequence)
        highestSequence = firstSequence
        received = 1
        heardAt = now
        self.timestamp = timestamp
        jitter = 0
    }

    /// What would come now if the stream went on; nil: nothing was heard.
    package func next(at now: Instant) -> (sequence: UInt16, timestamp: UInt32)? {
        guard received > 0 else { return nil }
        let ticks = tick > 0 ? (now - heardAt).nanoseconds * 16 / tick : (now - heardAt).nanoseconds / 125_000
        return (UInt16(truncatingIfNeeded: highestSequence &+ 1), timestamp &+ UInt32(truncatingIfNeeded: max(0, ticks)))
    }

    /// Where the stream stands, for whoever goes on with it.
    package var position: StreamPosition {
        get {
            StreamPosition(
                highestSequence: highestSequence, timestamp: timestamp, heardAt: heardAt, tick: tick, jitter: jitter, jitterMax: jitterMax, silence: silence)
        }
        set {
            (highestSequence, timestamp, heardAt) = (newValue.highestSequence, newValue.timestamp, newValue.heardAt)
            (tick, jitter, jitterMax, silence) = (newValue.tick, newValue.jitter, newValue.jitterMax, newValue.silence)
        }
    }

    /// Packets have been heard elsewhere, up to a position. Those of a source that is not heard any more are counted alone.
    package mutating func goOn(to position: StreamPosition, of source: UInt32, packets: UInt64) {
        guard source == ssrc else {
            expectedBefore += packets
            receivedBefore += packets
            return
        }
        self.position = position
        received += packets
    }

    private var expectedOfThis: UInt64 { received == 0 ? 0 : UInt64(highestSequence &- firstSequence) + 1 }

    package var expected: UInt64 { expectedBefore + expectedOfThis }
    package var heard: UInt64 { receivedBefore + received }
    /// Packets that came twice hide others that did not come.
    package var lost: UInt64 { expected > heard ? expected - heard : 0 }
    /// Of the source that is heard now, as a report of ours says it.
    package var lostOfThis: Int32 { Int32(clamping: Int64(expectedOfThis) - Int64(received)) }
}

/// How far a stream has been heard: what `StreamStatistics` changes with each packet, but for the number of packets.
package struct StreamPosition: Equatable, Sendable {
    /// With the rounds of its numbers in the high half.
    package var highestSequence: UInt32
    package var timestamp: UInt32
    /// When the packet of that timestamp came.
    package var heardAt: Instant
    /// Sixteenths of a nanosecond for a tick of the payload's clock; 0: it is not known.
    package var tick: Int64
    /// Nanoseconds, as the next two.
    package var jitter: Int64
    package var jitterMax: Int64
    package var silence: Int64

    package init(highestSequence: UInt32, timestamp: UInt32, heardAt: Instant, tick: Int64, jitter: Int64, jitterMax: Int64, silence: Int64) {
        self.highestSequence = highestSequence
        self.timestamp = timestamp
        self.heardAt = heardAt
        self.tick = tick
        self.jitter = jitter
        self.jitterMax = jitterMax
        self.silence = silence
    }
}
