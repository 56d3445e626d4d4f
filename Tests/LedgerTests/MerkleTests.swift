import OpenSSL
import Primitives
import Testing

@testable import Ledger

/// The eight leaves and the roots that implementations of RFC 6962 share as their vectors.
private let leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    .map { bytes(hex: $0)! }
private let roots = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

private func hashes(_ count: Int) -> [SHA256Digest] {
    let hasher = MerkleHasher()
    return (0..<count).map { hasher.leaf([UInt8]("leaf \($0)".utf8).span.bytes) }
}

/// The definition of RFC 6962 §2.1, word for word.
private func definedRoot(_ leaves: ArraySlice<SHA256Digest>) -> SHA256Digest {
    let hasher = MerkleHasher()
    if leaves.isEmpty { return hasher.emptyRoot }
    if leaves.count == 1 { return leaves.first! }
    var split = 1
    while split * 2 < leaves.count { split *= 2 }
    let middle = leaves.startIndex + split
    return hasher.node(definedRoot(leaves[..<middle]), definedRoot(leaves[middle...]))
}

private func subtree(_ leaves: [SHA256Digest]) -> MerkleProofs.Subtree<Never> {
    { level, index in
        let width = 1 << Int(level)
        return definedRoot(leaves[(Int(index) * width)..<(Int(index) * width + width)])
    }
}

@Test func rootsAreThoseOfTheSharedVectors() {
    let hasher = MerkleHasher()
    var range = CompactRange()
    #expect(hex(range.root(hasher).bytes) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    for (leaf, root) in zip(leaves, roots) {
        range.append(hasher.leaf(leaf.span.bytes), hasher)
        #expect(hex(range.root(hasher).bytes) == root)
    }
}

@Test func everyLeafOfEveryTreeUpTo130IsProvenAndNoOtherIs() {
    let all = hashes(130)
    for size in 1...130 {
        let root = definedRoot(all[..<size])
        for index in 0..<size {
            let path = MerkleProofs.inclusion(index: UInt64(index), size: UInt64(size), MerkleHasher(), subtree(all))
            func holds(_ leaf: SHA256Digest, _ index: Int, _ path: [SHA256Digest]) -> Bool {
                MerkleProofs.isIncluded(leaf: leaf, index: UInt64(index), size: UInt64(size), path: path, root: root)
            }
            #expect(holds(all[index], index, path))
            #expect(!holds(all[(index + 1) % 130], index, path))
            #expect(!holds(all[index], index, path + [all[0]]))
            if size > 1 { #expect(!holds(all[index], (index + 1) % size, path)) }
        }
    }
}

@Test func everySetOfLeavesOfSmallTreesIsProvenAtOnceAndNoOtherSetIs() {
    let all = hashes(12)
    for size in 1...10 {
        let root = definedRoot(all[..<size])
        for set in 0..<(1 << size) {
            let indices = (0..<size).filter { set >> $0 & 1 == 1 }
            let proof = BatchProof.hashes(of: indices.map(UInt64.init), size: UInt64(size), MerkleHasher(), subtree(all))
            let leaves = indices.map { (index: UInt64($0), digest: all[$0]) }
            func computed(_ leaves: [(index: UInt64, digest: SHA256Digest)], _ proof: [SHA256Digest]) -> SHA256Digest? {
                BatchProof.root(of: leaves, size: UInt64(size), proof: proof)
            }
            #expect(computed(leaves, proof) == root)
            #expect(computed(leaves, proof + [all[0]]) == nil)
            if !proof.isEmpty { #expect(computed(leaves, Array(proof.dropLast())) == nil) }
            for place in leaves.indices {
                var changed = leaves
                changed[place].digest = all[11]
                #expect(computed(changed, proof) != root, "another leaf")
                changed.remove(at: place)
                #expect(computed(changed, proof) != root, "a leaf less")
                changed = leaves
                changed[place].index = UInt64(size)
                #expect(computed(changed, proof) == nil, "a leaf beyond the end")
            }
            for place in proof.indices {
                var changed = proof
                changed[place] = all[11]
                #expect(computed(leaves, changed) != root, "another hash")
            }
            if leaves.count > 1 { #expect(computed(leaves.reversed(), proof) == nil, "out of order") }
        }
    }
}

@Test func aProofOfManyLeavesIsShorterThanTheirPaths() {
    let all = hashes(1_000)
    let together = (300..<400).map { UInt64($0) }
    let proof = BatchProof.hashes(of: together, size: 1_000, MerkleHasher(), subtree(all))
    #expect(proof.count < 16)
    #expect(BatchProof.root(of: together.map { ($0, all[Int($0)]) }, size: 1_000, proof: proof) == definedRoot(all[...]))
    let whole = (0..<1_000).map { UInt64($0) }
    #expect(BatchProof.hashes(of: whole, size: 1_000, MerkleHasher(), subtree(all)).isEmpty)
}

@Test func everyTreeUpTo70IsConsistentWithEveryLaterOneAndWithNoOther() {
    let all = hashes(71)
    for new in 0...70 {
        let newRoot = definedRoot(all[..<new])
        for old in 0...new {
            let path = MerkleProofs.consistency(from: UInt64(old), to: UInt64(new), MerkleHasher(), subtree(all))
            let oldRoot = definedRoot(all[..<old])
            func holds(_ oldRoot: SHA256Digest, _ newRoot: SHA256Digest) -> Bool {
                MerkleProofs.isConsistent(
                    old: UInt64(old), oldRoot: oldRoot, new: UInt64(new), newRoot: newRoot, path: path)
            }
            #expect(holds(oldRoot, newRoot), "\(old) to \(new)")
            if old > 0 {
                #expect(!holds(all[70], newRoot), "\(old) to \(new)")
                #expect(!holds(oldRoot, all[70]), "\(old) to \(new)")
            }
        }
    }
}
