public import OpenSSL

/// One proof for many leaves of a tree: the roots of the largest subtrees that hold none of them, from left to right, each once. What the
/// leaves share of their paths is not said again: a proof of n leaves that stand together has as many hashes as one of a single leaf, and
/// one of all leaves none.
///
/// The tree is gone through from its root. A part without any of the leaves is one hash of the proof, a part that is one of the leaves is
/// that leaf's hash, any other is its two halves (RFC 6962 §2.1).
public enum BatchProof {
    /// - Parameter indices: counted from 0, each larger than the one before.
    public static func hashes<E: Error>(
        of indices: [UInt64], size: UInt64, _ hasher: borrowing MerkleHasher, _ subtree: MerkleProofs.Subtree<E>
    ) throws(E) -> [SHA256Digest] {
        precondition(isInOrder(indices, size), "leaves of a batch are in order, and in the tree")
        var proof: [SHA256Digest] = []
        if size > 0 { try gather(indices[...], 0..<size, &proof, hasher, subtree) }
        return proof
    }

    private static func gather<E: Error>(
        _ indices: ArraySlice<UInt64>, _ range: Range<UInt64>, _ proof: inout [SHA256Digest], _ hasher: borrowing MerkleHasher,
        _ subtree: MerkleProofs.Subtree<E>
    ) throws(E) {
        if indices.isEmpty { return proof.append(try MerkleProofs.root(of: range, hasher, subtree)) }
        // All of them are the checker's own.
        guard indices.count < range.upperBound - range.lowerBound else { return }
        let middle = MerkleProofs.split(range)
        let cut = firstIndex(in: indices, from: middle)
        try gather(indices[..<cut], range.lowerBound..<middle, &proof, hasher, subtree)
        try gather(indices[cut...], middle..<range.upperBound, &proof, hasher, subtree)
    }

    /// The root that leaves and proof come to; nil unless the proof has exactly the hashes that are needed.
    ///
    /// - Parameter leaves: each with its index, in order.
    public static func root(of leaves: [(index: UInt64, digest: SHA256Digest)], size: UInt64, proof: [SHA256Digest]) -> SHA256Digest? {
        let indices = leaves.map(\.index)
        guard size > 0, isInOrder(indices, size) else { return nil }
        var rest = proof[...]
        var digests = leaves.map(\.digest)[...]
        guard let root = fold(indices[...], 0..<size, &digests, &rest, MerkleHasher()), rest.isEmpty else { return nil }
        return root
    }

    private static func fold(
        _ indices: ArraySlice<UInt64>, _ range: Range<UInt64>, _ leaves: inout ArraySlice<SHA256Digest>, _ proof: inout ArraySlice<SHA256Digest>,
        _ hasher: borrowing MerkleHasher
    ) -> SHA256Digest? {
        if indices.isEmpty { return proof.popFirst() }
        if range.upperBound - range.lowerBound == 1 { return leaves.popFirst() }
        let middle = MerkleProofs.split(range)
        let cut = firstIndex(in: indices, from: middle)
        guard let left = fold(indices[..<cut], range.lowerBound..<middle, &leaves, &proof, hasher),
            let right = fold(indices[cut...], middle..<range.upperBound, &leaves, &proof, hasher)
        else { return nil }
        return hasher.node(left, right)
    }

    private static func isInOrder(_ indices: [UInt64], _ size: UInt64) -> Bool {
        zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 } && (indices.last ?? 0) < max(1, size)
    }

    /// The place of the first index that is not below `bound`.
    private static func firstIndex(in indices: ArraySlice<UInt64>, from bound: UInt64) -> Int {
        var (low, high) = (indices.startIndex, indices.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if indices[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
