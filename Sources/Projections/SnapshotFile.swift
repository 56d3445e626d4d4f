import Glibc
import OpenSSL

/// Files of snapshots: copied and digested in one go, and on the disk when it says so.
enum SnapshotFile {
    private static let pieceBytes = 1 << 20

    /// - Returns: the digest of what was copied.
    static func copy(_ source: String, to target: String) throws(ViewsError) -> SHA256Digest {
        let file = unsafe open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .file(path: target, code: errno) }
        defer { close(file) }
        return try unsafe digest(of: source) { (piece) throws(ViewsError) in
            var written = 0
            while written < piece.count {
                let count = unsafe Glibc.write(file, piece.baseAddress?.advanced(by: written), piece.count - written)
                guard count > 0 else { throw .file(path: target, code: errno) }
                written += count
            }
        }
    }

    static func digest(of path: String) throws(ViewsError) -> SHA256Digest { try unsafe digest(of: path) { _ in } }

    private static func digest(
        of path: String, _ body: (UnsafeRawBufferPointer) throws(ViewsError) -> Void
    ) throws(ViewsError) -> SHA256Digest {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .file(path: path, code: errno) }
        defer { close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 4_096)
        defer { unsafe buffer.deallocate() }
        var hasher = SHA256Stream()
        while true {
            let count = unsafe Glibc.read(file, buffer.baseAddress, buffer.count)
            guard count >= 0 else { throw .file(path: path, code: errno) }
            guard count > 0 else { return hasher.finish() }
            let piece = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
            unsafe hasher.update(piece.bytes)
            try unsafe body(piece)
        }
    }

    static func write(_ text: String, to path: String) throws(ViewsError) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .file(path: path, code: errno) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(file) == 0 else { throw .file(path: path, code: errno) }
    }

    /// A file or a directory.
    static func sync(_ path: String) throws(ViewsError) {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .file(path: path, code: errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw .file(path: path, code: errno) }
    }
}
