public import OpenSSL

/// Everything that shows that one event is in a signed log, in one text file that needs neither a server nor trust in
/// the operator:
///
///     c2sp.org/tlog-proof@v1
///     extra <base64>                the envelope's bytes
///     index <number>                leaf, counted from 0
///     <base64>                      one sibling a line, from the leaf up
///                                   (empty line)
///     <checkpoint>
public struct InclusionProof: Hashable, Sendable {
    public var envelope: [UInt8]
    public var index: UInt64
    public var path: [SHA256Digest]
    public var checkpoint: String

    public init(envelope: [UInt8], index: UInt64, path: [SHA256Digest], checkpoint: String) {
        self.envelope = envelope
        self.index = index
        self.path = path
        self.checkpoint = checkpoint
    }

    /// Proves an event against the newest head of the log, signed now.
    public init(
        of sequence: UInt64, in log: some EventLog, origin: String, key: SigningKey
    ) throws(LedgerError) {
        let size = log.head
        guard let envelope = try log.bytes(at: sequence) else { throw .outOfRange(asked: sequence, size: size) }
        self.init(
            envelope: envelope, index: sequence - 1, path: try log.inclusionProof(of: sequence, size: size),
            checkpoint: Checkpoint(origin: origin, size: size, root: try log.rootHash(size: size)).signed(with: key))
    }

    private static let header = "c2sp.org/tlog-proof@v1"

    public var text: String {
        var text = "\(Self.header)\nextra \(Base64.encode(envelope))\nindex \(index)\n"
        for digest in path { text += Base64.encode(digest.bytes) + "\n" }
        return text + "\n" + checkpoint
    }

    public init(text: String) throws(ProofError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 4, lines[0] == Self.header, lines[1].hasPrefix("extra "), lines[2].hasPrefix("index "),
            let envelope = Base64.decode(lines[1].dropFirst(6)), let index = UInt64(lines[2].dropFirst(6)),
            let gap = lines.firstIndex(of: "")
        else { throw .malformed }
        var path: [SHA256Digest] = []
        for line in lines[3..<gap] {
            guard let digest = Base64.decode(line).flatMap({ SHA256Digest($0) }) else { throw .malformed }
            path.append(digest)
        }
        self.init(envelope: envelope, index: index, path: path, checkpoint: lines[(gap + 1)...].joined(separator: "\n"))
    }

    /// The event, if the proof holds under that key.
    public func verified(with key: VerifyingKey) throws(ProofError) -> (event: Envelope, checkpoint: Checkpoint) {
        let head: Checkpoint
        do throws(CheckpointError) {
            head = try Checkpoint(note: checkpoint, key: key)
        } catch {
            throw .checkpoint(error)
        }
        guard let event = unsafe Envelope(parsing: envelope.span.bytes), event.sequence == index + 1 else { throw .malformed }
        let leaf = unsafe MerkleHasher().leaf(envelope.span.bytes)
        guard MerkleProofs.isIncluded(leaf: leaf, index: index, size: head.size, path: path, root: head.root) else {
            throw .notIncluded(index: index, size: head.size)
        }
        return (event, head)
    }
}

public enum ProofError: Error, Hashable, Sendable {
    case malformed
    case checkpoint(CheckpointError)
    /// The event, its place or a sibling was changed.
    case notIncluded(index: UInt64, size: UInt64)
    /// The newer tree does not hold the older one unchanged: something was rewritten.
    case notConsistent(old: UInt64, new: UInt64)
    /// The proof starts at another size than the checkpoint that is there to compare.
    case otherSize(have: UInt64, proof: UInt64)
    /// The checkpoints are of two logs, or of a log and of what a restore made of it.
    case otherLog(have: String, proof: String)
}
