/// Something to be heard: G.711 µ-law, 8,000 samples a second.
package struct Recording: Equatable, Sendable {
    package static let samplesPerSecond = 8_000

    package let samples: [UInt8]
    /// It begins again behind its end.
    package var loops = false

    package init(samples: [UInt8], loops: Bool = false) {
        self.samples = samples
        self.loops = loops
    }

    package var duration: Duration { .milliseconds(samples.count / (Recording.samplesPerSecond / 1_000)) }

    /// Why a file is not one that can be played.
    package enum FileError: Error, Equatable, CustomStringConvertible {
        case notWave
        case otherFormat
        case noSamples

        package var description: String {
            switch self {
            case .notWave: "is not a WAV file"
            case .otherFormat: "must be G.711 µ-law with one channel and 8000 samples a second"
            case .noSamples: "holds no samples"
            }
        }
    }

    /// A WAV file (RIFF, `fmt ` with format 7).
    package init(wave file: RawSpan) throws(FileError) {
        func tag(_ offset: Int) -> UInt32 { file.littleEndian(at: offset) }
        guard file.byteCount >= 12, tag(0) == Recording.tag("RIFF"), tag(8) == Recording.tag("WAVE") else { throw .notWave }
        var offset = 12
        var isOurs = false
        while offset + 8 <= file.byteCount {
            let (kind, size) = (tag(offset), Int(tag(offset + 4)))
            let start = offset + 8
            guard size <= file.byteCount - start else { throw .notWave }
            if kind == Recording.tag("fmt ") {
                guard size >= 16, tag(start) == 1 << 16 | 7, tag(start + 4) == UInt32(Recording.samplesPerSecond) else {
                    throw .otherFormat
                }
                isOurs = true
            } else if kind == Recording.tag("data") {
                guard isOurs else { throw .otherFormat }
                guard size > 0 else { throw .noSamples }
                let samples = file.extracting(start..<start + size)
                self.init(samples: unsafe samples.withUnsafeBytes { unsafe Array($0) })
                return
            }
            // Chunks begin at even places.
            offset = start + size + size % 2
        }
        throw .noSamples
    }

    private static func tag(_ text: StaticString) -> UInt32 {
        unsafe UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt32.self).littleEndian
    }
}

extension RawSpan {
    fileprivate func littleEndian(at offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
