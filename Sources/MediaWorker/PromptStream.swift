internal import Codecs
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
    private let encoding: PromptEncoding
    private var position = 0
    private var sequence: UInt16
    private var timestamp: UInt32

    /// - Parameter seed: where number, timestamp and source begin.
    package init(_ recording: Recording, _ encoding: PromptEncoding, seed: UInt64, at now: Instant) {
        var random = RandomSource(seed: seed)
        samples = recording.samples
        self.encoding = encoding
        ssrc = UInt32(truncatingIfNeeded: random.next())
        timestamp = UInt32(truncatingIfNeeded: random.next())
        sequence = UInt16(truncatingIfNeeded: random.next())
        nextAt = now
    }

    var isOver: Bool { position >= samples.count }

    /// - Returns: bytes of the packet; nil: it is over.
    mutating func write(into buffer: inout MutableRawSpan, at now: Instant) -> Int? {
        guard !isOver else { return nil }
        let header = RTPHeader(
            marker: position == 0, payloadType: encoding.payloadType, sequence: sequence, timestamp: timestamp, ssrc: ssrc)
        header.write(into: &buffer)
        for index in 0..<PromptStream.packetSamples {
            // The last packet is filled up with silence.
            let sample = position + index < samples.count ? samples[position + index] : 0xFF
            buffer.storeBytes(of: encoding.byte(sample), toByteOffset: RTPHeader.fixedByteCount + index, as: UInt8.self)
        }
        position += PromptStream.packetSamples
        sequence &+= 1
        timestamp &+= UInt32(PromptStream.packetSamples)
        nextAt = now - nextAt > PromptStream.latenessMax ? now + PromptStream.interval : nextAt + PromptStream.interval
        return RTPHeader.fixedByteCount + PromptStream.packetSamples
    }
}

extension PromptEncoding {
    /// RFC 3551 §6.
    fileprivate var payloadType: UInt8 {
        switch self {
        case .pcmu, .UNRECOGNIZED: 0
        case .pcma: 8
        }
    }

    private static let aLawOfMuLaw: [UInt8] = (0...255).map { G711.aLaw(G711.linear(muLaw: $0)) }

    fileprivate func byte(_ sample: UInt8) -> UInt8 {
        switch self {
        case .pcmu, .UNRECOGNIZED: sample
        case .pcma: PromptEncoding.aLawOfMuLaw[Int(sample)]
        }
    }
}
