internal import Codecs
internal import Model

/// In which codec a side hears sound of ours: 20 ms at a time.
enum PromptVoice: Sendable {
    case law(PromptEncoding)
    case coded(PromptCoder)

    /// What the side has agreed on; while that is not known, G.711.
    init(_ formats: LegFormats, otherwise encoding: PromptEncoding) {
        guard let spoken = formats.spoken else {
            self = .law(encoding)
            return
        }
        switch spoken.codec {
        case .pcmu where spoken.payloadType == 0: self = .law(.pcmu)
        case .pcma where spoken.payloadType == 8: self = .law(.pcma)
        case .pcmu, .pcma, .g722, .g726, .gsm, .g729, .speex, .speexWide, .opus: self = PromptCoder(spoken).map { .coded($0) } ?? .law(encoding)
        }
    }

    var payloadType: UInt8 {
        switch self {
        case .law(let encoding): encoding.payloadType
        case .coded(let coder): coder.speech.payloadType
        }
    }

    /// Of a packet.
    var ticks: UInt32 {
        switch self {
        case .law: 160
        case .coded(let coder): UInt32(coder.speech.codec.clockRate / 50)
        }
    }

    /// - Parameter samples: µ-law, 8,000 a second.
    /// - Returns: bytes of the payload.
    func write(_ samples: [UInt8], _ range: Range<Int>, into buffer: inout MutableRawSpan, at place: Int) -> Int {
        switch self {
        case .law(let encoding):
            for (index, sample) in range.enumerated() {
                buffer.storeBytes(of: encoding.byte(sample < samples.count ? samples[sample] : 0xFF), toByteOffset: place + index, as: UInt8.self)
            }
            return range.count
        case .coded(let coder): return coder.write(samples, range, into: &buffer, at: place)
        }
    }
}

/// An encoder that goes with one stream.
///
/// Sendable because the stream that has it is handed to the one thread that relays its session, and is used there alone.
final class PromptCoder: @unchecked Sendable {
    let speech: LegFormats.Speech
    private var encoder: AudioEncoder
    private var linear = [Int16](repeating: 0, count: 160)
    private var payload = [UInt8](repeating: 0, count: 700)

    init?(_ speech: LegFormats.Speech) {
        guard let encoder = AudioEncoder(speech.codec, sampleRate: 8_000) else { return nil }
        self.speech = speech
        self.encoder = encoder
    }

    func write(_ samples: [UInt8], _ range: Range<Int>, into buffer: inout MutableRawSpan, at place: Int) -> Int {
        for (index, sample) in range.enumerated() { linear[index] = G711.linear(muLaw: sample < samples.count ? samples[sample] : 0xFF) }
        let count = Self.encode(&encoder, linear, into: &payload)
        for index in 0..<count { buffer.storeBytes(of: payload[index], toByteOffset: place + index, as: UInt8.self) }
        return count
    }

    // Spans end with the function that makes them, so this one is given the arrays.
    private static func encode(_ encoder: inout AudioEncoder, _ linear: [Int16], into payload: inout [UInt8]) -> Int {
        var bytes = payload.mutableSpan
        var room = unsafe bytes.mutableBytes
        return encoder.encode(linear.span, into: &room)
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
