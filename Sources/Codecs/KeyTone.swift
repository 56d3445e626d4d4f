internal import CCodecs

/// The two tones of a key, from one sample to the next (ITU-T Q.23).
package struct KeyTone: Sendable {
    /// What the keys of RFC 4733 §3.2 are called, by event number.
    package static let keys: [Character] = Array("0123456789*#ABCD")

    private static let rows: [Double] = [697, 770, 852, 941]
    private static let columns: [Double] = [1_209, 1_336, 1_477, 1_633]
    /// Row and column of each event.
    private static let places: [(Int, Int)] = [
        (3, 1), (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0), (3, 2), (0, 3), (1, 3), (2, 3), (3, 3),
    ]

    private var low: Oscillator
    private var high: Oscillator

    /// nil: no key has that number. -8 dBm0 for the low tone and -6 for the high one, as telephones send them.
    package init?(event: UInt8, sampleRate: Int) {
        guard event < KeyTone.places.count else { return nil }
        let (row, column) = KeyTone.places[Int(event)]
        low = Oscillator(hertz: KeyTone.rows[row], sampleRate: sampleRate, amplitude: 9_000)
        high = Oscillator(hertz: KeyTone.columns[column], sampleRate: sampleRate, amplitude: 11_000)
    }

    package mutating func next() -> Int16 { Int16(low.next() + high.next()) }
}

/// Hears keys in speech.
@safe package struct KeyDetector: ~Copyable {
    private let detector: OpaquePointer
    /// 8,000 samples a second of what was given at 16,000.
    private var halved: [Int16]

    package init?() {
        guard let made = unsafe ll_dtmf_new() else { return nil }
        unsafe detector = made
        halved = Array(repeating: 0, count: AudioDecoder.samplesMax)
    }

    deinit { unsafe ll_dtmf_free(detector) }

    /// - Parameter sampleRate: 8,000 or 16,000.
    /// - Returns: the event number (RFC 4733 §3.2) of the key that is held as the samples end; nil: none.
    package mutating func hear(_ samples: Span<Int16>, sampleRate: Int) -> UInt8? {
        let step = sampleRate / 8_000
        let count = min(samples.count / step, halved.count)
        for index in 0..<count {
            let first = Int(samples[index * step])
            // The mean of two neighbours dampens what lies above 4,000 Hz.
            halved[index] = Int16(step == 1 ? first : (first + Int(samples[index * step + 1])) / 2)
        }
        let detector = unsafe detector
        let key = unsafe halved.withUnsafeBufferPointer { pcm in
            guard let pcm = pcm.baseAddress else { return Int32(0) }
            return unsafe ll_dtmf_heard(detector, pcm, Int32(count))
        }
        guard key > 0, let scalar = Unicode.Scalar(UInt32(key)) else { return nil }
        return KeyTone.keys.firstIndex(of: Character(scalar)).map { UInt8($0) }
    }
}
