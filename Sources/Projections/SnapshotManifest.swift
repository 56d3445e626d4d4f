public import OpenSSL
import Primitives

/// The small text file of a snapshot: of which log and which projections it is, and the digest of its tables.
///
///     ledgerline snapshot 1
///     sequence 41000000
///     root <hexadecimal>          of the log's tree at that size
///     tables <hexadecimal>        SHA-256 of data.mdb
///     projections directory=1 rates=2 live_calls=1 accounts=1
public struct SnapshotManifest: Equatable, Sendable {
    public var sequence: UInt64
    public var root: SHA256Digest
    var tables: SHA256Digest
    var projections: [String]

    /// What this binary's state tables are filled by.
    static let currentProjections = ViewsMark.projections(of: stateProjections)

    init(sequence: UInt64, root: SHA256Digest, tables: SHA256Digest) {
        self.sequence = sequence
        self.root = root
        self.tables = tables
        projections = Self.currentProjections
    }

    var text: String {
        "ledgerline snapshot 1\nsequence \(sequence)\nroot \(hex(root.bytes))\ntables \(hex(tables.bytes))\n"
            + "projections \(projections.joined(separator: " "))\n"
    }

    /// nil for anything that `text` did not write.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 6, lines[0] == "ledgerline snapshot 1", lines[5].isEmpty,
            let sequence = Self.value("sequence", lines[1]).flatMap({ UInt64($0) }),
            let root = Self.value("root", lines[2]).flatMap({ bytes(hex: $0) }).flatMap({ SHA256Digest($0) }),
            let tables = Self.value("tables", lines[3]).flatMap({ bytes(hex: $0) }).flatMap({ SHA256Digest($0) }),
            let projections = Self.value("projections", lines[4])
        else { return nil }
        self.init(sequence: sequence, root: root, tables: tables)
        self.projections = projections.split(separator: " ").map(String.init)
    }

    private static func value(_ name: String, _ line: Substring) -> String? {
        line.hasPrefix(name + " ") ? String(line.dropFirst(name.count + 1)) : nil
    }
}
