internal import CCodecs

/// Packets into speech, and into something like it where a packet is missing. Allocates when it is made, and never again.
@safe package struct AudioDecoder: ~Copyable {
    /// Of one packet: 120 ms at 16,000 samples a second, the longest that Opus has. What a packet holds beyond is cut off.
    package static let samplesMax = 1_920

    @safe private enum State {
        /// With a stand-in for what is lost.
        case stateless(gaps: OpaquePointer)
        case g722(OpaquePointer, gaps: OpaquePointer)
        case g726(OpaquePointer, gaps: OpaquePointer)
        case gsm(OpaquePointer, gaps: OpaquePointer)
        case g729(OpaquePointer)
        case speex(OpaquePointer, frame: Int)
        case opus(OpaquePointer)
    }

    package let codec: Codec
    /// Samples a second of what it gives.
    package let sampleRate: Int
    private let nativeRate: Int
    private let state: State
    private let converter: SampleRateConverter?
    /// Speech at the codec's own rate.
    private var native: [Int16]

    /// nil: the library is not installed, or has no memory.
    ///
    /// - Parameter sampleRate: 8,000 or 16,000.
    package init?(_ codec: Codec, sampleRate: Int) {
        precondition(sampleRate == 8_000 || sampleRate == 16_000)
        let rate = codec.nativeRate(for: sampleRate)
        guard let made = AudioDecoder.state(codec, rate) else { return nil }
        self.codec = codec
        self.sampleRate = sampleRate
        nativeRate = rate
        state = made
        converter = rate == sampleRate ? nil : SampleRateConverter(from: rate, to: sampleRate)
        native = Array(repeating: 0, count: AudioDecoder.samplesMax)
    }

    private static func state(_ codec: Codec, _ rate: Int) -> State? {
        func withGaps(_ pointer: OpaquePointer?, _ make: (OpaquePointer, OpaquePointer) -> State) -> State? {
            guard let pointer = unsafe pointer, let gaps = unsafe ll_plc_new() else { return nil }
            return unsafe make(pointer, gaps)
        }
        switch codec {
        case .pcmu, .pcma: return unsafe ll_plc_new().map { unsafe .stateless(gaps: $0) }
        case .g722: return unsafe withGaps(ll_g722_decoder_new(Int32(rate))) { unsafe .g722($0, gaps: $1) }
        case .g726: return unsafe withGaps(ll_g726_new()) { unsafe .g726($0, gaps: $1) }
        case .gsm: return unsafe withGaps(ll_gsm_new()) { unsafe .gsm($0, gaps: $1) }
        case .g729: return unsafe ll_g729_decoder_new().map { unsafe .g729($0) }
        case .speex: return unsafe ll_speex_decoder_new(0).map { unsafe .speex($0, frame: 160) }
        case .speexWide: return unsafe ll_speex_decoder_new(1).map { unsafe .speex($0, frame: 320) }
        case .opus: return unsafe ll_opus_decoder_new(Int32(rate)).map { unsafe .opus($0) }
        }
    }

    deinit {
        switch state {
        case .stateless(let gaps): unsafe ll_plc_free(gaps)
        case .g722(let pointer, let gaps):
            unsafe ll_g722_free(pointer)
            unsafe ll_plc_free(gaps)
        case .g726(let pointer, let gaps):
            unsafe ll_g726_free(pointer)
            unsafe ll_plc_free(gaps)
        case .gsm(let pointer, let gaps):
            unsafe ll_gsm_free(pointer)
            unsafe ll_plc_free(gaps)
        case .g729(let pointer): unsafe ll_g729_decoder_free(pointer)
        case .speex(let pointer, _): unsafe ll_speex_free(pointer)
        case .opus(let pointer): unsafe ll_opus_decoder_free(pointer)
        }
    }

    /// What a packet says.
    ///
    /// - Returns: what `body` makes of the samples; there are none in a packet that makes no sense.
    package mutating func decode<Result>(_ payload: RawSpan, _ body: (Span<Int16>) -> Result) -> Result {
        let count = read(payload)
        return pass(count, body)
    }

    /// What might have been said while packets were lost.
    ///
    /// - Parameter count: samples, at the rate of this decoder; whole frames of the codec are made, so it may be a few more or fewer.
    package mutating func conceal<Result>(_ count: Int, _ body: (Span<Int16>) -> Result) -> Result {
        let made = fill(min(count * nativeRate / sampleRate, AudioDecoder.samplesMax))
        return pass(made, body)
    }

    private mutating func pass<Result>(_ count: Int, _ body: (Span<Int16>) -> Result) -> Result {
        guard let converter else { return body(native.span.extracting(first: count)) }
        return converter.withConverted(native.span.extracting(first: count), body)
    }

    private mutating func read(_ payload: RawSpan) -> Int {
        let (codec, state) = (codec, state)
        // Of libspeex alone: what it cannot read it says on the process's standard error.
        if case .speex(_, let frame) = state, SpeexPayload.frames(payload, isWide: frame == 320) == nil { return 0 }
        return unsafe native.withUnsafeMutableBufferPointer { room in
            unsafe payload.withUnsafeBytes { bytes in
                guard let data = unsafe bytes.bindMemory(to: UInt8.self).baseAddress, let pcm = room.baseAddress else { return 0 }
                let limit = room.count
                switch state {
                case .stateless(let gaps):
                    let count = min(bytes.count, limit)
                    if codec == .pcmu {
                        for index in 0..<count { unsafe pcm[index] = G711.linear(muLaw: data[index]) }
                    } else {
                        for index in 0..<count { unsafe pcm[index] = G711.linear(aLaw: data[index]) }
                    }
                    unsafe ll_plc_heard(gaps, pcm, Int32(count))
                    return count
                case .g722(let pointer, let gaps):
                    // Two samples a byte at most.
                    let count = Int(unsafe ll_g722_decode(pointer, data, Int32(min(bytes.count, limit / 2)), pcm))
                    unsafe ll_plc_heard(gaps, pcm, Int32(count))
                    return count
                case .g726(let pointer, let gaps):
                    let count = Int(unsafe ll_g726_decode(pointer, data, Int32(min(bytes.count, limit / 2)), pcm))
                    unsafe ll_plc_heard(gaps, pcm, Int32(count))
                    return count
                case .gsm(let pointer, let gaps):
                    let frames = min(bytes.count / 33, limit / 160)
                    guard frames > 0 else { return 0 }
                    let count = Int(unsafe ll_gsm_decode(pointer, data, Int32(frames * 33), pcm))
                    unsafe ll_plc_heard(gaps, pcm, Int32(count))
                    return count
                case .g729(let pointer):
                    // Frames of 10 bytes; a last one of 2 describes silence (RFC 3551 §4.5.6).
                    var (offset, count) = (0, 0)
                    while bytes.count - offset >= 2, limit - count >= 80 {
                        let size = bytes.count - offset >= 10 ? 10 : 2
                        guard size == 10 || bytes.count - offset == 2 else { break }
                        unsafe ll_g729_decode(pointer, data + offset, Int32(size), pcm + count)
                        offset += size
                        count += 80
                    }
                    return count
                case .speex(let pointer, _):
                    return Int(unsafe ll_speex_decode(pointer, data, Int32(bytes.count), pcm, Int32(limit)))
                case .opus(let pointer):
                    return max(0, Int(unsafe ll_opus_decode(pointer, data, Int32(bytes.count), pcm, Int32(limit))))
                }
            }
        }
    }

    private mutating func fill(_ count: Int) -> Int {
        let (state, rate) = (state, nativeRate)
        return unsafe native.withUnsafeMutableBufferPointer { room in
            guard let pcm = room.baseAddress, count > 0 else { return 0 }
            switch state {
            case .stateless(let gaps), .g722(_, let gaps), .g726(_, let gaps), .gsm(_, let gaps):
                unsafe ll_plc_fill(gaps, pcm, Int32(count))
                return count
            case .g729(let pointer):
                let frames = max(1, count / 80)
                for frame in 0..<frames { unsafe ll_g729_decode(pointer, nil, 0, pcm + frame * 80) }
                return frames * 80
            case .speex(let pointer, let frame):
                let frames = max(1, count / frame)
                for index in 0..<frames { unsafe ll_speex_decode(pointer, nil, 0, pcm + index * frame, Int32(frame)) }
                return frames * frame
            case .opus(let pointer):
                // Of Opus in pieces of 10 ms: it makes no others.
                let piece = rate / 100
                let wanted = max(1, count / piece) * piece
                return max(0, Int(unsafe ll_opus_decode(pointer, nil, 0, pcm, Int32(wanted))))
            }
        }
    }
}
