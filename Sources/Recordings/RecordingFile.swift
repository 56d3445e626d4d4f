internal import Glibc
internal import OpenSSL

/// A recording that is being written: chunk by chunk, each readable by itself whatever becomes of the process.
///
/// Belongs to one thread.
@safe package final class RecordingFile {
    package let format: RecordingFormat
    package let path: String
    private let descriptor: Int32
    private let sealer: Sealer
    private let headDigest: [UInt8]
    private var hash = StreamingSHA256()
    private var chunks: UInt64 = 0
    private(set) var byteCount: UInt64 = 0
    /// Samples of each channel.
    package private(set) var samples: UInt64 = 0

    /// What a finished file is known by.
    package struct Seal: Equatable, Sendable {
        package let sha256: [UInt8]
        package let bytes: UInt64
        package let milliseconds: UInt64
    }

    /// Makes the file; one that is there is not written over.
    /// - Parameter key: 32 bytes, of this file alone.
    package init(_ path: String, _ format: RecordingFormat, key: [UInt8]) throws(RecordingError) {
        self.path = path
        self.format = format
        sealer = Sealer(key: key)
        let head = format.head
        headDigest = Hash.sha256(head)
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, code: errno) }
        try write(head)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// - Parameter speech: µ-law, the channels' samples in turn.
    package func append(_ speech: ArraySlice<UInt8>) throws(RecordingError) {
        var rest = speech
        while !rest.isEmpty {
            let part = rest.prefix(RecordingFormat.samplesMax)
            try write(.speech, Array(part))
            rest = rest.dropFirst(part.count)
        }
        samples += UInt64(speech.count / format.channels)
    }

    /// Writes the last chunk, and waits for the disk.
    package func finish() throws(RecordingError) -> Seal {
        try write(.last, RecordingFormat.bigEndian(samples, 8))
        guard fsync(descriptor) == 0 else { throw .file(path: path, code: errno) }
        return Seal(sha256: hash.finish(), bytes: byteCount, milliseconds: samples * 1_000 / UInt64(format.rate))
    }

    private func write(_ kind: RecordingFormat.Kind, _ plain: [UInt8]) throws(RecordingError) {
        let associated = RecordingFormat.associatedData(headDigest: headDigest, kind, chunks)
        let sealed = sealer.seal(plain, nonce: RecordingFormat.nonce(chunks), associatedData: associated)
        chunks += 1
        try write(RecordingFormat.bigEndian(UInt64(sealed.count), 4) + [kind.rawValue] + sealed)
    }

    private func write(_ bytes: [UInt8]) throws(RecordingError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in unsafe Glibc.write(descriptor, buffer.baseAddress! + done, bytes.count - done) }
            guard count >= 0 || errno == EINTR else { throw .file(path: path, code: errno) }
            done += max(0, count)
        }
        hash.update(bytes)
        byteCount += UInt64(bytes.count)
    }
}
