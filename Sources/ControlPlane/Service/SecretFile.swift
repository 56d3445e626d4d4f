internal import Foundation
internal import Glibc

/// A small file that only its owner may read: mode 0600, written whole, never overwritten.
package enum SecretFile {
    static let bytesMax = 4_096

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Refuses a file that others can read: its secret may be known.
    package static func read(_ path: String) throws(ControlPlaneError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .keyUnusable(path: path, reason: "it cannot be opened (system error \(errno))")
        }
        defer { _ = Glibc.close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .keyUnusable(path: path, reason: "its mode cannot be read (system error \(errno))")
        }
        let mode = status.st_mode & 0o777
        guard mode & 0o077 == 0 else {
            throw .keyUnusable(
                path: path, reason: "it has mode \(String(mode, radix: 8)), so others can read it: chmod 600 it")
        }
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        let count = unsafe Glibc.read(descriptor, &bytes, bytesMax)
        guard count >= 0 else { throw .keyUnusable(path: path, reason: "it cannot be read (system error \(errno))") }
        return Array(bytes[..<count])
    }

    /// On the disk when this returns, whole or not at all.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(ControlPlaneError) {
        let draft = path + ".new"
        _ = unsafe unlink(draft)
        let descriptor = unsafe open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw .keyUnusable(path: path, reason: "it cannot be written (system error \(errno))")
        }
        let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
        let complete = written == bytes.count && fsync(descriptor) == 0
        let code = errno
        _ = Glibc.close(descriptor)
        guard complete, unsafe rename(draft, path) == 0 else {
            _ = unsafe unlink(draft)
            throw .keyUnusable(path: path, reason: "it cannot be written (system error \(code))")
        }
    }
}
