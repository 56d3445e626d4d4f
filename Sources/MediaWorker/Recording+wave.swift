internal import Codecs

extension Recording {
    /// A WAV file as people have them: 16 bits a sample or G.711 µ-law, one channel or more, any usual rate. Becomes one channel of 8,000
    /// samples a second, by the mean of the samples that each of ours stands for.
    init(anyWave bytes: [UInt8]) throws(FileError) {
        func number(_ place: Int, _ count: Int) -> Int { (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) } }
        guard bytes.count >= 12, bytes.starts(with: Array("RIFF".utf8)), Array(bytes[8..<12]) == Array("WAVE".utf8) else { throw .notWave }
        var place = 12
        var form: (code: Int, channels: Int, rate: Int, bits: Int)?
        while place + 8 <= bytes.count {
            let (kind, size) = (Array(bytes[place..<place + 4]), number(place + 4, 4))
            let start = place + 8
            if kind == Array("fmt ".utf8), size >= 16, start + 16 <= bytes.count {
                form = (number(start, 2), number(start + 2, 2), number(start + 4, 4), number(start + 14, 2))
            } else if kind == Array("data".utf8) {
                guard let form, (1...8).contains(form.channels), (8_000...192_000).contains(form.rate) else { throw .otherFormat }
                let end = min(bytes.count, start + size)
                let width = form.bits / 8
                guard form.code == 1 && width == 2 || form.code == 7 && width == 1 || form.code == 0xFFFE && width == 2 else { throw .otherFormat }
                let frame = width * form.channels
                let frames = (end - start) / frame
                guard frames > 0 else { throw .noSamples }
                func mean(_ index: Int) -> Int {
                    var sum = 0
                    for channel in 0..<form.channels {
                        let at = start + index * frame + channel * width
                        sum += width == 1 ? Int(G711.linear(muLaw: bytes[at])) : Int(Int16(truncatingIfNeeded: number(at, 2)))
                    }
                    return sum / form.channels
                }
                let count = frames * Recording.samplesPerSecond / form.rate
                var samples: [UInt8] = []
                samples.reserveCapacity(count)
                for index in 0..<count {
                    let first = index * form.rate / Recording.samplesPerSecond
                    let next = max(first + 1, min(frames, (index + 1) * form.rate / Recording.samplesPerSecond))
                    let sum = (first..<next).reduce(0) { $0 + mean($1) }
                    samples.append(G711.muLaw(Int16(clamping: sum / (next - first))))
                }
                guard !samples.isEmpty else { throw .noSamples }
                self.init(samples: samples)
                return
            }
            place = start + size + size % 2
        }
        throw .noSamples
    }
}
