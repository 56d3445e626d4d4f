internal import CCodecs

/// Speech into packets. Allocates when it is made, and never again.
@safe package struct AudioEncoder: ~Copyable {
    @safe private enum State {
        case stateless
        case g722(OpaquePointer)
        case g726(OpaquePointer)
        case gsm(OpaquePointer)
        case g729(OpaquePointer)
        case speex(OpaquePointer)
        case opus(OpaquePointer)
    }

    package let codec: Codec
    /// Samples a second of what it is given.
    package let sampleRate: Int
    private let state: State
    /// Where the codec has another rate.
    private let converter: SampleRateConverter?

    /// nil: the library is not installed, or has no memory.
    ///
    /// - Parameter sampleRate: 8,000 or 16,000.
    package init?(_ codec: Codec, sampleRate: Int) {
        precondition(sampleRate == 8_000 || sampleRate == 16_000)
        let native = codec.nativeRate(for: sampleRate)
        let made: State? =
            switch codec {
            case .pcmu, .pcma: .stateless
            case .g722: unsafe ll_g722_encoder_new(Int32(native)).map { unsafe .g722($0) }
            case .g726: unsafe ll_g726_new().map { unsafe .g726($0) }
            case .gsm: unsafe ll_gsm_new().map { unsafe .gsm($0) }
            case .g729: unsafe ll_g729_encoder_new().map { unsafe .g729($0) }
            case .speex: unsafe ll_speex_encoder_new(0).map { unsafe .speex($0) }
            case .speexWide: unsafe ll_speex_encoder_new(1).map { unsafe .speex($0) }
            case .opus: unsafe ll_opus_encoder_new(Int32(native), native == 8_000 ? 16_000 : 32_000).map { unsafe .opus($0) }
            }
        guard let made = made else { return nil }
        self.codec = codec
        self.sampleRate = sampleRate
        state = made
        converter = native == sampleRate ? nil : SampleRateConverter(from: sampleRate, to: native)
    }

    deinit {
        switch state {
        case .stateless: break
        case .g722(let pointer): unsafe ll_g722_free(pointer)
        case .g726(let pointer): unsafe ll_g726_free(pointer)
        case .gsm(let pointer): unsafe ll_gsm_free(pointer)
        case .g729(let pointer): unsafe ll_g729_encoder_free(pointer)
        case .speex(let pointer): unsafe ll_speex_free(pointer)
        case .opus(let pointer): unsafe ll_opus_encoder_free(pointer)
        }
    }

    /// - Parameters:
    ///   - samples: a multiple of `codec.frameMilliseconds`; of Opus one frame of 20, 40 or 60 ms.
    ///   - payload: room for what they become, at most a byte a sample of the codec (of speex/16000 there are twice as many as of 8,000).
    /// - Returns: bytes written; 0: nothing is to be sent.
    package mutating func encode(_ samples: Span<Int16>, into payload: inout MutableRawSpan) -> Int {
        guard let converter else { return write(samples, into: &payload) }
        return converter.withConverted(samples) { [codec, state = state] converted in
            AudioEncoder.write(converted, into: &payload, codec: codec, state)
        }
    }

    private func write(_ samples: Span<Int16>, into payload: inout MutableRawSpan) -> Int {
        AudioEncoder.write(samples, into: &payload, codec: codec, state)
    }

    private static func write(_ samples: Span<Int16>, into payload: inout MutableRawSpan, codec: Codec, _ state: State) -> Int {
        precondition(payload.byteCount >= samples.count || codec == .opus)
        return unsafe samples.withUnsafeBufferPointer { samples in
            unsafe payload.withUnsafeMutableBytes { bytes in
                let out = unsafe bytes.bindMemory(to: UInt8.self).baseAddress!
                guard let pcm = samples.baseAddress else { return 0 }
                let count = Int32(samples.count)
                switch state {
                case .stateless:
                    if codec == .pcmu {
                        for index in 0..<samples.count { unsafe out[index] = G711.muLaw(pcm[index]) }
                    } else {
                        for index in 0..<samples.count { unsafe out[index] = G711.aLaw(pcm[index]) }
                    }
                    return samples.count
                case .g722(let pointer): return Int(unsafe ll_g722_encode(pointer, pcm, count, out))
                case .g726(let pointer): return Int(unsafe ll_g726_encode(pointer, pcm, count, out))
                case .gsm(let pointer): return Int(unsafe ll_gsm_encode(pointer, pcm, count, out))
                case .g729(let pointer):
                    let frames = samples.count / 80
                    for frame in 0..<frames { unsafe ll_g729_encode(pointer, pcm + frame * 80, out + frame * 10) }
                    return frames * 10
                case .speex(let pointer): return Int(unsafe ll_speex_encode(pointer, pcm, count, out, Int32(bytes.count)))
                case .opus(let pointer): return max(0, Int(unsafe ll_opus_encode(pointer, pcm, count, out, Int32(bytes.count))))
                }
            }
        }
    }
}

extension Codec {
    /// The rate at which the codec itself is to work for speech of that rate. G.722 and Opus do both by themselves.
    func nativeRate(for sampleRate: Int) -> Int {
        switch self {
        case .pcmu, .pcma, .g726, .gsm, .g729, .speex: 8_000
        case .speexWide: 16_000
        case .g722, .opus: sampleRate
        }
    }
}
