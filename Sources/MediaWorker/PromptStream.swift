package import Model
package import Primitives
internal import RTP

/// A prompt on its way to one peer: a packet of 20 ms at a time, from a source of its own.
package struct PromptStream: Sendable {
    static let interval: Duration = .milliseconds(20)
    private static let packetSamples = Recording.samplesPerSecond / 50
    /// A thread that was held up this long does not send all that it owes at once.
    private static let latenessMax: Duration = .milliseconds(200)

    let ssrc: UInt32
    /// When the next packet is to leave.
    private(set) var nextAt: Instant
    private let samples: [UInt8]
    private let loops: Bool
    private let voice: PromptVoice
    private var position = 0
    private var sequence: UInt16
    private var timestamp: UInt32

    /// - Parameter seed: where number, timestamp and source begin.
    package init(_ recording: Recording, _ encoding: PromptEncoding, seed: UInt64, at now: Instant) {
        self.init(recording, .law(encoding), seed: seed, at: now)
    }

    init(_ recording: Recording, _ voice: PromptVoice, seed: UInt64, at now: Instant) {
        var random = RandomSource(seed: seed)
        samples = recording.samples
        loops = recording.loops
        self.voice = voice
        ssrc = UInt32(truncatingIfNeeded: random.next())
        timestamp = UInt32(truncatingIfNeeded: random.next())
        sequence = UInt16(truncatingIfNeeded: random.next())
        nextAt = now
    }

    /// Numbers and times that go on where another stream ends; the source stays its own.
    mutating func begin(at place: (sequence: UInt16, timestamp: UInt32)) { (sequence, timestamp) = (place.sequence, place.timestamp) }

    var isOver: Bool { position >= samples.count }

    /// - Returns: bytes of the packet; nil: it is over.
    mutating func write(into buffer: inout MutableRawSpan, at now: Instant) -> Int? {
        guard !isOver else { return nil }
        let header = RTPHeader(
            marker: position == 0, payloadType: voice.payloadType, sequence: sequence, timestamp: timestamp, ssrc: ssrc)
        header.write(into: &buffer)
        // The last packet is filled up with silence.
        let count = voice.write(samples, position..<position + PromptStream.packetSamples, into: &buffer, at: RTPHeader.fixedByteCount)
        position += PromptStream.packetSamples
        if loops, isOver { position = 0 }
        sequence &+= 1
        timestamp &+= voice.ticks
        nextAt = now - nextAt > PromptStream.latenessMax ? now + PromptStream.interval : nextAt + PromptStream.interval
        return RTPHeader.fixedByteCount + count
    }
}
