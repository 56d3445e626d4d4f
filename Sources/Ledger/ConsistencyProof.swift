public import OpenSSL

/// Shows that a log only grew from one size to another. As a text it is what C2SP tlog-witness sends to a witness, so
/// that one file serves both: old size, siblings, an empty line, the newer checkpoint.
///
///     old 1024
///     <base64 of a hash>
///                              (empty line)
///     <checkpoint>
public struct ConsistencyProof: Hashable, Sendable {
    public static let hashesMax = 63

    public var old: UInt64
    public var path: [SHA256Digest]
    /// The signed note of the newer tree.
    public var note: String

    public init(old: UInt64, path: [SHA256Digest], note: String) {
        self.old = old
        self.path = path
        self.note = note
    }

    public var text: String {
        "old \(old)\n" + path.map { Base64.encode($0.bytes) + "\n" }.joined() + "\n" + note
    }

    public init(text: String) throws(ProofError) {
        guard let gap = text.firstRange(of: "\n\n") else { throw .malformed }
        let lines = text[..<gap.lowerBound].split(separator: "\n", omittingEmptySubsequences: false)
        guard lines[0].hasPrefix("old "), let old = UInt64(lines[0].dropFirst(4)), lines[0] == "old \(old)",
            lines.count - 1 <= Self.hashesMax
        else { throw .malformed }
        var path: [SHA256Digest] = []
        for line in lines.dropFirst() {
            guard let hash = Base64.decode(line).flatMap({ SHA256Digest($0) }) else { throw .malformed }
            path.append(hash)
        }
        self.init(old: old, path: path, note: String(text[gap.upperBound...]))
    }

    /// The newer tree, if it holds the older one unchanged and is signed by that key.
    ///
    /// - Parameter isAcrossRestore: whether the newer log may have another name than the older one, as one has that was
    ///   restored from a backup of it.
    public func verified(
        from older: Checkpoint, with key: VerifyingKey, isAcrossRestore: Bool = false
    ) throws(ProofError) -> Checkpoint {
        let newer: Checkpoint
        do throws(CheckpointError) {
            newer = try Checkpoint(note: note, key: key)
        } catch {
            throw .checkpoint(error)
        }
        guard older.origin == newer.origin || isAcrossRestore else {
            throw .otherLog(have: older.origin, proof: newer.origin)
        }
        guard older.size == old else { throw .otherSize(have: older.size, proof: old) }
        guard
            MerkleProofs.isConsistent(
                old: old, oldRoot: older.root, new: newer.size, newRoot: newer.root, path: path)
        else { throw .notConsistent(old: old, new: newer.size) }
        return newer
    }
}
