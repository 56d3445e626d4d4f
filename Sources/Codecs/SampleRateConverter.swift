internal import CCodecs

/// Between 8,000 and 16,000 samples a second. Allocates when it is made, and never again.
@safe final class SampleRateConverter {
    private let resampler: OpaquePointer
    /// What it wrote last.
    private var converted: [Int16]

    init?(from: Int, to: Int) {
        guard let made = unsafe ll_resampler_new(Int32(from), Int32(to)) else { return nil }
        unsafe resampler = made
        converted = Array(repeating: 0, count: AudioDecoder.samplesMax * 2)
    }

    deinit { unsafe ll_resampler_free(resampler) }

    func withConverted<Result>(_ samples: Span<Int16>, _ body: (Span<Int16>) -> Result) -> Result {
        let count = convert(samples)
        let written = converted
        return body(written.span.extracting(first: count))
    }

    private func convert(_ samples: Span<Int16>) -> Int {
        let resampler = unsafe resampler
        return unsafe converted.withUnsafeMutableBufferPointer { out in
            unsafe samples.withUnsafeBufferPointer { samples in
                guard let pcm = samples.baseAddress, let room = out.baseAddress else { return 0 }
                return Int(unsafe ll_resample(resampler, pcm, Int32(samples.count), room, Int32(out.count)))
            }
        }
    }
}
