internal import Foundation
internal import Glibc

/// Where things are in a control node's data directory, and the lock that one process holds on it.
package struct DataDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var ledger: String { path + "/ledger" }
    package var views: String { path + "/views" }
    /// Views that are built beside those that serve.
    package var nextViews: String { path + "/views.next" }
    /// Views that others were put in the place of.
    package var formerViews: String { path + "/views.former" }
    package var location: String { path + "/location" }
    package var snapshots: String { path + "/snapshots" }
    /// A folder to every export, named by its id.
    package var exports: String { path + "/exports" }
    /// PDF files as they were first made, sealed.
    package var invoices: String { path + "/invoices" }
    /// A folder to every media worker, with the recordings that it has written.
    package var recordings: String { path + "/recordings" }
    package var keys: String { path + "/keys" }
    package var logSigningKey: String { keys + "/log-signing.pem" }
    /// The public half as a signed-note key, for whoever verifies checkpoints.
    package var logVerifierKey: String { keys + "/log-signing.pub" }
    package var vaultKey: String { keys + "/vault.key" }
    /// The keys of persons, each to be destroyed when its person is to be forgotten.
    package var subjectKeys: String { keys + "/subjects.keys" }
    package var curveKey: String { keys + "/curve.key" }

    /// Makes the directory and what is missing of its skeleton, for its owner's eyes alone.
    func make() throws(ControlPlaneError) {
        for directory in [path, keys] {
            do {
                try FileManager.default.createDirectory(
                    atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw .directoryUnusable(path: directory, reason: error.localizedDescription)
            }
        }
    }
}

/// Held for as long as a process serves the directory; gone with the process, however it ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(_ directory: DataDirectory) throws(ControlPlaneError) {
        let path = directory.path + "/lock"
        let descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .directoryUnusable(
                path: directory.path, reason: "the lock file cannot be opened (system error \(errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            _ = Glibc.close(descriptor)
            throw .directoryInUse(path: directory.path)
        }
        self.descriptor = descriptor
    }

    deinit {
        // Said, not left to the closing: a child that was forked and has not yet become another program holds the file open.
        _ = flock(descriptor, LOCK_UN)
        _ = Glibc.close(descriptor)
    }
}
