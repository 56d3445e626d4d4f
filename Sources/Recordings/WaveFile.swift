internal import Codecs

/// A WAV file: 16 bits a sample, one channel or two.
package struct WaveFile: Sendable {
    package private(set) var bytes: [UInt8]

    /// - Parameter frames: samples of each channel.
    package init(channels: Int, rate: Int, frames: Int) {
        let size = frames * channels * 2
        func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        bytes = Array("RIFF".utf8) + little(36 + size, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + little(1, 2) + little(channels, 2)
        bytes += little(rate, 4) + little(rate * channels * 2, 4) + little(channels * 2, 2) + little(16, 2) + Array("data".utf8) + little(size, 4)
        bytes.reserveCapacity(44 + size)
    }

    /// - Parameter speech: µ-law, the channels' samples in turn.
    package mutating func append(muLaw speech: [UInt8]) {
        for byte in speech {
            let sample = UInt16(bitPattern: G711.linear(muLaw: byte))
            bytes.append(UInt8(truncatingIfNeeded: sample))
            bytes.append(UInt8(truncatingIfNeeded: sample >> 8))
        }
    }
}

extension RecordingReader {
    /// All of it, to be listened to. The file's own bounds are those of a call: an hour of two channels is 110 MB.
    package func wave(key: [UInt8], allowingCut: Bool) throws -> [UInt8] {
        var speech: [UInt8] = []
        try forEachChunk(key: key, allowingCut: allowingCut) { speech += $0 }
        var file = WaveFile(channels: format.channels, rate: format.rate, frames: speech.count / format.channels)
        file.append(muLaw: speech)
        return file.bytes
    }
}
