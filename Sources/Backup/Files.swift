internal import Foundation
internal import Glibc
import OpenSSL
import Primitives

/// Files of a backup: written beside, synced, then given their name.
enum Files {
    static let partial = ".partial"

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    static func makeDirectory(_ path: String) throws(BackupError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .file(path: path, reason: "the directory cannot be made: \(error.localizedDescription)")
        }
    }

    static func names(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    static func read(_ path: String) throws(BackupError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .file(path: path, reason: "it cannot be read")
        }
        return Array(data)
    }

    /// On the disk when this returns, whole or not at all.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(BackupError) {
        let draft = path + partial
        remove(draft)
        var file = try FileWriter(draft, mode: mode)
        try file.write(bytes)
        _ = try file.finish()
        try rename(draft, to: path)
    }

    static func rename(_ old: String, to new: String) throws(BackupError) {
        guard unsafe Glibc.rename(old, new) == 0 else {
            throw .file(path: new, reason: "it cannot be given its name (system error \(errno))")
        }
        try sync(new)
        try sync(String(new[..<(new.lastIndex(of: "/") ?? new.endIndex)]))
    }

    static func sync(_ path: String) throws(BackupError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: path, reason: "it cannot be opened (system error \(errno))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .file(path: path, reason: "it cannot be synced (system error \(errno))") }
    }

    /// Size and SHA-256 of a file, read in parts; `part` sees each.
    static func digest(
        _ path: String, _ part: (ArraySlice<UInt8>) throws(BackupError) -> Void = { _ in }
    ) throws(BackupError) -> (bytes: UInt64, sha256: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: path, reason: "it cannot be opened (system error \(errno))") }
        defer { close(descriptor) }
        var hasher = StreamingSHA256()
        var total: UInt64 = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw .file(path: path, reason: "it cannot be read (system error \(errno))") }
            guard count > 0 else { return (total, hex(hasher.finish())) }
            hasher.update(buffer[..<count])
            try part(buffer[..<count])
            total += UInt64(count)
        }
    }
}

/// A file that is written from front to end, and hashed on the way.
struct FileWriter: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8] = []
    private var hasher = StreamingSHA256()
    private(set) var count: UInt64 = 0

    init(_ path: String, mode: mode_t = 0o600) throws(BackupError) {
        descriptor = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .file(path: path, reason: "it cannot be made (system error \(errno))") }
        self.path = path
    }

    deinit { close(descriptor) }

    mutating func write(_ bytes: some Collection<UInt8>) throws(BackupError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 20 { try flush() }
    }

    /// Synced when this returns.
    mutating func finish() throws(BackupError) -> (bytes: UInt64, sha256: String) {
        try flush()
        guard fsync(descriptor) == 0 else { throw .file(path: path, reason: "it cannot be synced (system error \(errno))") }
        return (count, hex(hasher.finish()))
    }

    private mutating func flush() throws(BackupError) {
        var rest = buffer[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { throw .file(path: path, reason: "it cannot be written (system error \(errno))") }
            rest = rest.dropFirst(written)
        }
        hasher.update(buffer)
        count += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}
