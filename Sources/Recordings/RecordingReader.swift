internal import Glibc
internal import OpenSSL

/// Reads a recording, whole or cut off.
@safe package final class RecordingReader {
    package let format: RecordingFormat
    private let path: String
    private let descriptor: Int32
    private let headBytes: Int
    private let headDigest: [UInt8]

    package init(_ path: String) throws(RecordingError) {
        self.path = path
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: path, code: errno) }
        var bytes: [UInt8] = []
        do throws(RecordingError) {
            bytes = try RecordingReader.read(descriptor, path, at: 0, count: RecordingFormat.fixedBytes + 0xFFFF)
            guard let (format, count) = RecordingFormat.read(bytes) else { throw .notARecording(path: path) }
            self.format = format
            headBytes = count
            headDigest = Hash.sha256(Array(bytes.prefix(count)))
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Hands over the speech of every chunk.
    /// - Parameter allowingCut: the end may be missing, as when its writer was killed.
    package func forEachChunk<Failure: Error>(
        key: [UInt8], allowingCut: Bool, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws {
        let opener = Sealer(key: key)
        var (place, chunk, samples) = (headBytes, UInt64(0), 0)
        while true {
            let head = try Self.read(descriptor, path, at: place, count: RecordingFormat.chunkHeadBytes)
            guard head.count == RecordingFormat.chunkHeadBytes else { break }
            guard let (kind, size) = RecordingFormat.chunk(head) else { throw RecordingError.damaged(path: path, chunk: chunk) }
            let sealed = try Self.read(descriptor, path, at: place + head.count, count: size)
            guard sealed.count == size else { break }
            let associated = RecordingFormat.associatedData(headDigest: headDigest, kind, chunk)
            guard let plain = opener.open(sealed, nonce: RecordingFormat.nonce(chunk), associatedData: associated) else {
                throw RecordingError.damaged(path: path, chunk: chunk)
            }
            switch kind {
            case .speech:
                samples += plain.count / format.channels
                try body(plain)
            case .last:
                guard plain == RecordingFormat.bigEndian(UInt64(samples), 8) else { throw RecordingError.damaged(path: path, chunk: chunk) }
                return
            }
            (place, chunk) = (place + head.count + size, chunk + 1)
        }
        guard allowingCut else { throw RecordingError.cutOff(path: path) }
    }

    private static func read(_ descriptor: Int32, _ path: String, at place: Int, count: Int) throws(RecordingError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let got = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress! + have, count - have, place + have) }
            guard got >= 0 || errno == EINTR else { throw .file(path: path, code: errno) }
            if got == 0 { break }
            have += max(0, got)
        }
        return Array(bytes.prefix(have))
    }

    /// What there is of a file whose writer was killed: what is behind its last whole chunk is cut away.
    ///
    /// Nothing is decrypted: the key is not kept.
    /// - Returns: `isWhole`: its last chunk is there after all.
    package static func close(cutOff path: String) throws(RecordingError) -> (seal: RecordingFile.Seal, isWhole: Bool) {
        let reader = try RecordingReader(path)
        var (place, samples, isWhole) = (reader.headBytes, 0, false)
        while !isWhole {
            let head = try read(reader.descriptor, path, at: place, count: RecordingFormat.chunkHeadBytes)
            guard head.count == RecordingFormat.chunkHeadBytes, let (kind, size) = RecordingFormat.chunk(head),
                try read(reader.descriptor, path, at: place + head.count, count: size).count == size
            else { break }
            place += head.count + size
            isWhole = kind == .last
            if kind == .speech { samples += (size - Sealer.tagBytes) / reader.format.channels }
        }
        guard unsafe truncate(path, off_t(place)) == 0 else { throw .file(path: path, code: errno) }
        let milliseconds = UInt64(samples * 1_000 / reader.format.rate)
        return (RecordingFile.Seal(sha256: try digest(of: path), bytes: UInt64(place), milliseconds: milliseconds), isWhole)
    }

    /// SHA-256 of a file as it is.
    package static func digest(of path: String) throws(RecordingError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: path, code: errno) }
        defer { _ = Glibc.close(descriptor) }
        var hash = StreamingSHA256()
        var place = 0
        while true {
            let bytes = try read(descriptor, path, at: place, count: 1 << 20)
            if bytes.isEmpty { return hash.finish() }
            hash.update(bytes)
            place += bytes.count
        }
    }
}
