public import OpenSSL

/// Proofs over a tree whose complete subtrees can be looked up (RFC 6962 §2.1.1, §2.1.2).
public enum MerkleProofs {
    /// The root of the complete subtree of 2^level leaves whose number among those of its level is `index`.
    public typealias Subtree<E: Error> = (_ level: UInt8, _ index: UInt64) throws(E) -> SHA256Digest

    public static func root<E: Error>(
        size: UInt64, _ hasher: borrowing MerkleHasher, _ subtree: Subtree<E>
    ) throws(E) -> SHA256Digest {
        size == 0 ? hasher.emptyRoot : try root(of: 0..<size, hasher, subtree)
    }

    /// The siblings from leaf `index` (counted from 0) up to the root of the first `size` leaves.
    public static func inclusion<E: Error>(
        index: UInt64, size: UInt64, _ hasher: borrowing MerkleHasher, _ subtree: Subtree<E>
    ) throws(E) -> [SHA256Digest] {
        precondition(index < size, "leaf \(index) is not in a tree of \(size)")
        var path: [SHA256Digest] = []
        var range = 0..<size
        while range.count > 1 {
            let middle = split(range)
            if index < middle {
                path.append(try root(of: middle..<range.upperBound, hasher, subtree))
                range = range.lowerBound..<middle
            } else {
                path.append(try root(of: range.lowerBound..<middle, hasher, subtree))
                range = middle..<range.upperBound
            }
        }
        return path.reversed()
    }

    /// What shows that the first `old` leaves of a tree of `new` are the tree that was signed before.
    public static func consistency<E: Error>(
        from old: UInt64, to new: UInt64, _ hasher: borrowing MerkleHasher, _ subtree: Subtree<E>
    ) throws(E) -> [SHA256Digest] {
        precondition(old <= new, "a tree of \(new) does not hold one of \(old)")
        guard old > 0, old < new else { return [] }
        var path: [SHA256Digest] = []
        var range = 0..<new
        // Whether the old tree is all of what is left to look at, so that the checker knows its root already.
        var isWhole = true
        while old < range.upperBound {
            let middle = split(range)
            if old <= middle {
                path.append(try root(of: middle..<range.upperBound, hasher, subtree))
                range = range.lowerBound..<middle
            } else {
                path.append(try root(of: range.lowerBound..<middle, hasher, subtree))
                range = middle..<range.upperBound
                isWhole = false
            }
        }
        if !isWhole { path.append(try root(of: range, hasher, subtree)) }
        return path.reversed()
    }

    /// RFC 9162 §2.1.3.2.
    public static func isIncluded(
        leaf: SHA256Digest, index: UInt64, size: UInt64, path: [SHA256Digest], root: SHA256Digest
    ) -> Bool {
        guard index < size else { return false }
        let hasher = MerkleHasher()
        var (node, last, digest) = (index, size - 1, leaf)
        for sibling in path {
            if last == 0 { return false }
            if node & 1 == 1 || node == last {
                digest = hasher.node(sibling, digest)
                while node & 1 == 0, node != 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                digest = hasher.node(digest, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && digest == root
    }

    /// RFC 9162 §2.1.4.2.
    public static func isConsistent(
        old: UInt64, oldRoot: SHA256Digest, new: UInt64, newRoot: SHA256Digest, path: [SHA256Digest]
    ) -> Bool {
        if old == new { return path.isEmpty && oldRoot == newRoot }
        guard old < new else { return false }
        if old == 0 { return path.isEmpty }
        let hasher = MerkleHasher()
        // The root of a tree whose size is a power of two is not repeated in the proof.
        var path = old.nonzeroBitCount == 1 ? [oldRoot] + path : path
        guard !path.isEmpty else { return false }
        let first = path.removeFirst()
        var (node, last) = (old - 1, new - 1)
        while node & 1 == 1 {
            node >>= 1
            last >>= 1
        }
        var (oldDigest, newDigest) = (first, first)
        for sibling in path {
            if last == 0 { return false }
            if node & 1 == 1 || node == last {
                oldDigest = hasher.node(sibling, oldDigest)
                newDigest = hasher.node(sibling, newDigest)
                while node & 1 == 0, node != 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                newDigest = hasher.node(newDigest, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && oldDigest == oldRoot && newDigest == newRoot
    }

    /// The largest power of two that is smaller than the number of leaves, from the start of the range.
    static func split(_ range: Range<UInt64>) -> UInt64 {
        let count = range.upperBound - range.lowerBound
        return range.lowerBound + (1 << UInt64(63 - (count - 1).leadingZeroBitCount))
    }

    static func root<E: Error>(
        of range: Range<UInt64>, _ hasher: borrowing MerkleHasher, _ subtree: Subtree<E>
    ) throws(E) -> SHA256Digest {
        let count = range.upperBound - range.lowerBound
        if count.nonzeroBitCount == 1 {
            let level = UInt8(count.trailingZeroBitCount)
            return try subtree(level, range.lowerBound >> UInt64(level))
        }
        let middle = split(range)
        let left = try root(of: range.lowerBound..<middle, hasher, subtree)
        let right = try root(of: middle..<range.upperBound, hasher, subtree)
        return hasher.node(left, right)
    }
}
