import Codecs
import Foundation

/// Files of `Tests/Fixtures/codecs`: 0.4 s of speech, the same as FFmpeg 5.1 encoded it, and what FFmpeg made of that again.
enum Speech {
    static func bytes(_ name: String) throws -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: root.appending(path: "Fixtures/codecs/\(name)")))
    }

    /// 16 bits each, little endian.
    static func samples(_ name: String) throws -> [Int16] {
        let bytes = try bytes(name)
        return stride(from: 0, to: bytes.count - 1, by: 2).map { Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8) }
    }

    static func tone(hertz: Double, seconds: Double, sampleRate: Int, amplitude: Double = 8_000) -> [Int16] {
        (0..<Int(seconds * Double(sampleRate))).map { Int16(amplitude * sin(2 * .pi * hertz * Double($0) / Double(sampleRate))) }
    }

    /// Share of the energy at a frequency (Goertzel), 0 to 1.
    static func share(of hertz: Double, in samples: some Collection<Int16>, sampleRate: Int) -> Double {
        let factor = 2 * cos(2 * .pi * hertz / Double(sampleRate))
        var (s1, s2, energy) = (0.0, 0.0, 0.0)
        for sample in samples {
            (s1, s2) = (Double(sample) + factor * s1 - s2, s1)
            energy += Double(sample) * Double(sample)
        }
        return energy == 0 ? 0 : 2 * (s1 * s1 + s2 * s2 - factor * s1 * s2) / (Double(samples.count) * energy)
    }

    static func level(_ samples: some Collection<Int16>) -> Double {
        (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(1, samples.count))).squareRoot()
    }

    /// Of `wanted` against how far `got` is from it, in decibels.
    static func signalToNoise(_ wanted: [Int16], _ got: [Int16]) -> Double {
        let noise = zip(wanted, got).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
        return noise == 0 ? .infinity : 10 * log10(wanted.reduce(0.0) { $0 + Double($1) * Double($1) } / noise)
    }
}

extension AudioEncoder {
    /// Packets of 20 ms.
    mutating func packets(_ samples: [Int16]) -> [[UInt8]] {
        let size = sampleRate / 50
        return stride(from: 0, to: samples.count - size + 1, by: size).map { start in
            var room = [UInt8](repeating: 0, count: 1_280)
            var bytes = room.mutableSpan
            var span = bytes.mutableBytes
            let count = encode(samples.span.extracting(start..<start + size), into: &span)
            return Array(room[..<count])
        }
    }
}

extension AudioDecoder {
    mutating func samples(_ packet: [UInt8]) -> [Int16] { decode(packet.span.bytes) { span in span.indices.map { span[$0] } } }

    mutating func concealed(_ count: Int) -> [Int16] { conceal(count) { span in span.indices.map { span[$0] } } }
}

/// A library that should be there is not.
struct Missing: Error {}

func made(encoder codec: Codec, _ rate: Int) throws -> AudioEncoder {
    guard let made = AudioEncoder(codec, sampleRate: rate) else { throw Missing() }
    return made
}

func made(decoder codec: Codec, _ rate: Int) throws -> AudioDecoder {
    guard let made = AudioDecoder(codec, sampleRate: rate) else { throw Missing() }
    return made
}

func madeDetector() throws -> KeyDetector {
    guard let made = KeyDetector() else { throw Missing() }
    return made
}
