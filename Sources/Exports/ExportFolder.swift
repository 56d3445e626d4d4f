internal import Foundation
internal import Glibc
package import Model
internal import OpenSSL

/// The folder of one export. Readers see a file when it is whole, recorded and named; what is being made is in `.work`, which is ours.
package struct ExportFolder: Sendable {
    package let path: String
    private var work: String { path + "/.work" }

    /// Makes the folder if it is not there.
    package init(_ path: String) throws(ExportError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path + "/.work", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
        } catch {
            throw .file(path: path, reason: error.localizedDescription)
        }
    }

    package func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    /// nil: there is no such file.
    package func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: path + "/" + name).map { Array($0) } }

    /// On the disk, and seen by nobody, when this returns.
    package func stage(_ bytes: [UInt8], as name: String) throws(ExportError) {
        let target = work + "/" + name
        _ = unsafe mkdir(work, 0o750)
        let descriptor = unsafe open(target, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw failure(target) }
        defer { _ = Glibc.close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress.unsafelyUnwrapped + written, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(target) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure(target) }
        try sync(work)
    }

    /// What is staged, with its hash.
    package func staged(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: work + "/" + name).map { Hash.sha256(Array($0)) }
    }

    /// The staged file gets its name in the folder; nothing happens if it is not staged.
    package func publish(_ name: String) throws(ExportError) {
        let source = work + "/" + name
        guard FileManager.default.fileExists(atPath: source) else { return }
        guard unsafe rename(source, path + "/" + name) == 0 else { throw failure(source) }
        try sync(path)
        try sync(work)
    }

    /// A file and its manifest, outside of any schedule. Size and hash are filled in.
    package func write(_ file: inout CdrFileExported, _ bytes: [UInt8]) throws(ExportError) {
        file.bytes = UInt64(bytes.count)
        file.sha256 = Data(Hash.sha256(bytes))
        try stage(bytes, as: file.name)
        try stage(ExportManifest(file).json, as: file.name + ".json")
        try publish(file.name)
        try publish(file.name + ".json")
        // Only an empty one goes.
        _ = unsafe rmdir(work)
    }

    /// Removes what was staged and never recorded.
    package func discard(except keep: Set<String>) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? [] where !keep.contains(name) {
            try? FileManager.default.removeItem(atPath: work + "/" + name)
        }
    }

    private func sync(_ directory: String) throws(ExportError) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(directory) }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(directory) }
    }

    private func failure(_ path: String) -> ExportError {
        .file(path: path, reason: unsafe String(cString: strerror(errno)))
    }
}
