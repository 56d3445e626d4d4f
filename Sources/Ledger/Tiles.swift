import LMDB
import OpenSSL

/// Hashes of the tree in tiles of 256, as C2SP tlog-tiles publishes them: level 0 holds leaf hashes, level n the roots
/// of complete subtrees of 256^n leaves. What lies between is computed. One value per tile means that an append
/// rewrites one value, not one for each level of the tree.
struct TileKey {
    var level: UInt8
    var index: UInt64

    static let width: UInt64 = 256

    var bytes: [UInt8] {
        var key: [UInt8] = [level]
        key.appendBigEndian(index)
        return key
    }
}

/// The right edge of the tree, held in memory by the writer.
struct TileWriter: Sendable {
    /// For each level: the number of the last tile, and its hashes so far.
    private var edges: [Edge] = []
    private(set) var range: CompactRange

    private struct Edge: Sendable {
        var index: UInt64
        var hashes: [SHA256Digest]
        /// Complete tiles that are not stored yet, and whether the last one has changed.
        var full: [(index: UInt64, hashes: [SHA256Digest])] = []
        var isDirty = false
    }

    init(size: UInt64, _ transaction: borrowing ReadTransaction, _ table: Database) throws(LedgerError) {
        let reader = TileReader(tiles: table)
        let hasher = MerkleHasher()
        var (level, count): (UInt8, UInt64) = (0, size)
        while count > 0 {
            let index = count / TileKey.width
            let width = Int(count % TileKey.width)
            let hashes = width == 0 ? [] : try reader.tile(level, index, transaction)
            guard hashes.count >= width else { throw .treeDamaged(level: level, index: index) }
            edges.append(Edge(index: index, hashes: Array(hashes.prefix(width))))
            level += 1
            count = index
        }
        var roots: [SHA256Digest] = []
        var covered: UInt64 = 0
        for bit in (0..<64).reversed() where size >> UInt64(bit) & 1 == 1 {
            roots.append(try reader.subtree(UInt8(bit), covered >> UInt64(bit), transaction, hasher))
            covered += 1 << UInt64(bit)
        }
        range = CompactRange(size: size, roots: roots)
    }

    mutating func append(leaf bytes: [UInt8], _ hasher: borrowing MerkleHasher) {
        let digest = unsafe hasher.leaf(bytes.span.bytes)
        range.append(digest, hasher)
        add(digest, level: 0, hasher)
    }

    private mutating func add(_ digest: SHA256Digest, level: Int, _ hasher: borrowing MerkleHasher) {
        if level == edges.count { edges.append(Edge(index: 0, hashes: [])) }
        edges[level].hashes.append(digest)
        edges[level].isDirty = true
        guard edges[level].hashes.count == Int(TileKey.width) else { return }
        let root = hasher.root(ofRow: edges[level].hashes)
        edges[level].full.append((edges[level].index, edges[level].hashes))
        edges[level].hashes.removeAll(keepingCapacity: true)
        edges[level].index += 1
        edges[level].isDirty = false
        add(root, level: level + 1, hasher)
    }

    /// Writes what has changed since it was last stored.
    mutating func store(_ transaction: inout WriteTransaction, _ table: Database) throws(LMDBError) {
        for level in edges.indices {
            for tile in edges[level].full {
                try transaction.put(
                    TileKey(level: UInt8(level), index: tile.index).bytes, Self.bytes(tile.hashes), in: table)
            }
            edges[level].full.removeAll()
            guard edges[level].isDirty else { continue }
            try transaction.put(
                TileKey(level: UInt8(level), index: edges[level].index).bytes, Self.bytes(edges[level].hashes), in: table)
            edges[level].isDirty = false
        }
    }

    private static func bytes(_ hashes: [SHA256Digest]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(hashes.count * 32)
        for hash in hashes { for index in 0..<32 { bytes.append(hash.storage[index]) } }
        return bytes
    }
}

struct TileReader {
    let tiles: Database

    func tile(
        _ level: UInt8, _ index: UInt64, _ transaction: borrowing ReadTransaction
    ) throws(LedgerError) -> [SHA256Digest] {
        let stored = try storage { () throws(LMDBError) in
            try transaction.value(of: TileKey(level: level, index: index).bytes, in: tiles)
        }
        guard let stored, stored.count % 32 == 0 else { throw .treeDamaged(level: level, index: index) }
        return stride(from: 0, to: stored.count, by: 32).map { SHA256Digest(stored[$0..<($0 + 32)])! }
    }

    /// The root of the complete subtree of 2^level leaves.
    func subtree(
        _ level: UInt8, _ index: UInt64, _ transaction: borrowing ReadTransaction, _ hasher: borrowing MerkleHasher
    ) throws(LedgerError) -> SHA256Digest {
        let tileLevel = level / 8
        let height = UInt64(level % 8)
        let first = index << height
        let tile = try tile(tileLevel, first / TileKey.width, transaction)
        let start = Int(first % TileKey.width)
        let count = 1 << Int(height)
        guard tile.count >= start + count else { throw .treeDamaged(level: tileLevel, index: first / TileKey.width) }
        return hasher.root(ofRow: Array(tile[start..<(start + count)]))
    }
}
