import Codecs
import Glibc

enum BenchSpeech {
    /// Two seconds of something with the range of a voice: three tones that come and go.
    static func packets(_ codec: Codec) throws -> [[UInt8]] {
        let rate = codec.isWideBand ? 16_000 : 8_000
        guard var encoder = AudioEncoder(codec, sampleRate: rate) else { return [] }
        return (0..<100).map { index in
            var samples = [Int16](repeating: 0, count: rate / 50)
            for place in samples.indices {
                let time = Double(index * samples.count + place) / Double(rate)
                let loudness: Double = 0.5 + 0.5 * sin(2 * .pi * 3 * time)
                let voice: Double = sin(2 * .pi * 180 * time) + 0.6 * sin(2 * .pi * 720 * time) + 0.3 * sin(2 * .pi * 2_300 * time)
                samples[place] = Int16(5_000 * loudness * voice)
            }
            var room = [UInt8](repeating: 0, count: 1_280)
            var bytes = room.mutableSpan
            var span = unsafe bytes.mutableBytes
            let count = encoder.encode(samples.span, into: &span)
            return Array(room[..<count])
        }
    }
}
