import Foundation
import Glibc

/// The small text file beside the views that says whether they can be trusted.
///
/// The views are written without sync. That is safe as long as the machine stays up, because what a killed process
/// has written is still in the page cache. It is not safe when the machine stops: LMDB's pages may then be on the
/// disk in any order, and must not even be opened. So this file, which is synced, is read first.
struct ViewsMark: Equatable, Sendable {
    /// Of the machine's start during which the views were written last.
    var bootID: String
    /// Synced and closed: they outlive the machine's stop.
    var isClean: Bool
    /// Of a clean one: size and time of change of the file, as it was closed. Its pages carry no checksums, so one that somebody
    /// has touched since is not opened; a disk that rots unseen is found by `ledgerline replay --check`.
    var stamp = ""
    /// Name and version of every projection that filled the tables.
    var projections: [String]

    /// What the mark of this binary's tables says.
    static let currentProjections = projections(of: Projections.projections)

    static func projections(of types: [any Projection.Type]) -> [String] { types.map { "\($0.name)=\($0.version)" } }

    var text: String {
        "ledgerline views 1\nboot \(bootID)\nstate \(isClean ? "clean \(stamp)" : "open")\n"
            + "projections \(projections.joined(separator: " "))\n"
    }

    /// nil for anything that `text` did not write.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 5, lines[0] == "ledgerline views 1", lines[1].hasPrefix("boot "),
            lines[2].hasPrefix("state clean ") || lines[2] == "state open", lines[3].hasPrefix("projections "), lines[4].isEmpty
        else { return nil }
        bootID = String(lines[1].dropFirst(5))
        isClean = lines[2] != "state open"
        if isClean { stamp = String(lines[2].dropFirst("state clean ".count)) }
        projections = lines[3].dropFirst(12).split(separator: " ").map(String.init)
    }

    /// What the file is like now, on the disk when this returns.
    static func stamp(of directory: String) throws(ViewsError) -> String {
        let path = directory + "/data.mdb"
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .file(path: path, code: errno) }
        defer { Glibc.close(file) }
        var status = stat()
        // LMDB flushes the content alone; the time has to outlive the machine's stop too.
        guard fsync(file) == 0, unsafe fstat(file, &status) == 0 else { throw .file(path: path, code: errno) }
        return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    init(bootID: String, isClean: Bool, projections: [String]) {
        self.bootID = bootID
        self.isClean = isClean
        self.projections = projections
    }

    /// nil if there is none, or none that can be read.
    static func read(directory: String) -> ViewsMark? {
        guard let data = FileManager.default.contents(atPath: path(directory)) else { return nil }
        return ViewsMark(text: String(decoding: data, as: UTF8.self))
    }

    /// On the disk when this returns: the file is replaced as a whole, and file and directory are synced.
    func write(directory: String) throws(ViewsError) {
        let path = ViewsMark.path(directory)
        let fresh = path + ".new"
        let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .file(path: fresh, code: errno) }
        let bytes = Array(text.utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        let isSynced = written == bytes.count && fsync(file) == 0
        let code = errno
        Glibc.close(file)
        guard isSynced else { throw .file(path: fresh, code: code) }
        guard unsafe rename(fresh, path) == 0 else { throw .file(path: path, code: errno) }
        let folder = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .file(path: directory, code: errno) }
        defer { Glibc.close(folder) }
        guard fsync(folder) == 0 else { throw .file(path: directory, code: errno) }
    }

    static func path(_ directory: String) -> String { directory + "/mark" }
}
