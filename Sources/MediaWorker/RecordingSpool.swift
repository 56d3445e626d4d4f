internal import Foundation
internal import Glibc
internal import Model
internal import Primitives
internal import Recordings

/// The worker's folder of recordings. A file's ending says how far it has come: `.part` while it is written, `.done` until the control plane
/// knows its digest, `.rec` from then on.
package struct RecordingSpool: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// The folder and those above it, as far as they are missing.
    func make() throws(RecordingError) {
        var made = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            made += "/" + name
            guard unsafe mkdir(made, 0o700) == 0 || errno == EEXIST else { throw .file(path: made, code: errno) }
        }
    }

    func part(_ id: UUIDv7) -> String { "\(path)/\(id).part" }
    func done(_ id: UUIDv7) -> String { "\(path)/\(id).done" }
    func noted(_ id: UUIDv7) -> String { "\(path)/\(id).rec" }

    /// The file is whole: it gets its next name, which is on the disk when this returns.
    func finished(_ id: UUIDv7) {
        rename(part(id), done(id))
        syncFolder()
    }

    func note(_ id: UUIDv7) { rename(done(id), noted(id)) }

    private func rename(_ old: String, _ new: String) { _ = unsafe Glibc.rename(old, new) }

    private func syncFolder() {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    /// What an earlier process has left: files that it was writing when it ended, and such that nobody has noted yet.
    func remaining(at wall: WallTime) -> [RecordingReport] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
        return names.compactMap { name in
            let parts = name.split(separator: ".")
            guard parts.count == 2, parts[1] == "part" || parts[1] == "done", let id = UUIDv7(String(parts[0])) else { return nil }
            var report = RecordingReport()
            report.recordingID = Data(id.bytes)
            report.finishedAt = wall.microseconds
            do throws(RecordingError) {
                let (seal, isWhole) = try RecordingReader.close(cutOff: "\(path)/\(name)")
                report.take(seal)
                report.cutOff = !isWhole
            } catch {
                report.failure = "\(error)"
            }
            if parts[1] == "part" { finished(id) }
            return report
        }
    }
}

extension RecordingReport {
    mutating func take(_ seal: RecordingFile.Seal) {
        sha256 = Data(seal.sha256)
        bytes = seal.bytes
        milliseconds = seal.milliseconds
    }
}
