internal import Foundation
internal import Glibc
import Ledger
package import OpenSSL
import Primitives

/// A directory that a log is backed up to.
///
///     log.pub                       the key that its checkpoints are verified by
///     full-N/data.mdb               a compacted copy of the whole ledger
///     events-A-B.events             what came after
///     *.manifest                    one for each, hash-chained, with a signed checkpoint
///     keys/                         only if asked for; see `copyKeys`
package struct BackupDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    var verifierPath: String { path + "/log.pub" }
    package var keys: String { path + "/keys" }

    /// Oldest first. Each must name the one before.
    package func manifests() throws(BackupError) -> [Manifest] {
        var manifests: [Manifest] = []
        for name in Files.names(in: path) where name.hasSuffix(".manifest") {
            let text = String(decoding: try Files.read(path + "/" + name), as: UTF8.self)
            if text.hasPrefix(Manifest.titleOfAnyVersion), !text.hasPrefix(Manifest.title + "\n") {
                throw .outOfReach(reason: "\(name) was written by a newer version: use that one")
            }
            guard let manifest = Manifest(text), manifest.name + ".manifest" == name else {
                throw .damaged(part: name, reason: "it is not as it was written")
            }
            manifests.append(manifest)
        }
        var ordered: [Manifest] = []
        var previous = Manifest.none
        while let next = manifests.first(where: { $0.previous == previous }) {
            ordered.append(next)
            previous = next.hash
        }
        guard ordered.count == manifests.count else {
            let lost = manifests.first { !ordered.contains($0) }
            throw .damaged(part: lost?.name ?? "", reason: "the part before it is missing or changed")
        }
        return ordered
    }

    /// The name of the log that this is a backup of, and its key.
    package func verifier() throws(BackupError) -> (name: String, key: VerifyingKey) {
        let text = String(decoding: try Files.read(verifierPath), as: UTF8.self).filter { !$0.isNewline }
        guard let parsed = VerifyingKey.parse(noteKey: text) else {
            throw .file(path: verifierPath, reason: "it is not a verifier key (name+id+base64)")
        }
        return parsed
    }

    func checkpoint(of manifest: Manifest) throws(BackupError) -> Checkpoint {
        let (name, key) = try verifier()
        guard let checkpoint = try? Checkpoint(note: manifest.checkpoint, key: key), checkpoint.origin == name,
            checkpoint.size == manifest.last
        else { throw .damaged(part: manifest.name, reason: "its checkpoint is not signed by \(name)") }
        return checkpoint
    }
}
