public import OpenSSL

/// Hashing of RFC 6962 §2.1: leaves and inner nodes are told apart by their first byte.
public struct MerkleHasher: ~Copyable {
    private let hasher = SHA256Hasher()

    public init() {}

    public func leaf(_ bytes: RawSpan) -> SHA256Digest { hasher.hash(prefix: 0x00, bytes) }

    public func node(_ left: SHA256Digest, _ right: SHA256Digest) -> SHA256Digest {
        hasher.hash(prefix: 0x01, left, right)
    }

    /// The root over a row of 2^n hashes.
    func root(ofRow row: [SHA256Digest]) -> SHA256Digest {
        var row = row
        var width = row.count
        while width > 1 {
            width /= 2
            for index in 0..<width { row[index] = node(row[2 * index], row[2 * index + 1]) }
        }
        return row[0]
    }

    /// The root of no leaves: the hash of nothing.
    public var emptyRoot: SHA256Digest { SHA256Digest(Hash.sha256([]))! }
}

/// The roots of the largest complete subtrees of a growing tree, left to right: all that is needed to go on.
public struct CompactRange: Sendable {
    public private(set) var size: UInt64 = 0
    /// One for each bit of `size` that is set, largest subtree first.
    private var roots: [SHA256Digest] = []

    public init() {}

    public init(size: UInt64, roots: [SHA256Digest]) {
        precondition(roots.count == size.nonzeroBitCount, "a range of \(size) leaves has \(size.nonzeroBitCount) roots")
        self.size = size
        self.roots = roots
    }

    public mutating func append(_ leaf: SHA256Digest, _ hasher: borrowing MerkleHasher) {
        var digest = leaf
        var rest = size
        while rest & 1 == 1 {
            digest = hasher.node(roots.removeLast(), digest)
            rest >>= 1
        }
        roots.append(digest)
        size += 1
    }

    public func root(_ hasher: borrowing MerkleHasher) -> SHA256Digest {
        guard var digest = roots.last else { return hasher.emptyRoot }
        for left in roots.dropLast().reversed() { digest = hasher.node(left, digest) }
        return digest
    }
}
