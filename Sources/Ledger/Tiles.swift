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

    private struct Edge: Sendable {
        var index: UInt64
        /// As they are stored: 32 bytes each.
        var hashes: [UInt8]
        /// Complete tiles that are not stored yet, and whether the last one has changed.
        var full: [(index: UInt64, hashes: [UInt8])] = []
        var isDirty = false
    }

    init(size: UInt64, _ transaction: borrowing ReadTransaction, _ table: Database) throws(LedgerError) {
        let reader = TileReader(tiles: table)
        var (level, count): (UInt8, UInt64) = (0, size)
        while count > 0 {
            let index = count / TileKey.width
            let width = Int(count % TileKey.width)
            let hashes = width == 0 ? [] : try reader.bytes(level, index, transaction)
            guard hashes.count >= width * 32 else { throw .treeDamaged(level: level, index: index) }
            edges.append(Edge(index: index, hashes: Array(hashes.prefix(width * 32))))
            level += 1
            count = index
        }
    }

    mutating func append(leaf: RawSpan, _ hasher: borrowing MerkleHasher) { append(hasher.leaf(leaf), hasher) }

    mutating func append(_ leaf: SHA256Digest, _ hasher: borrowing MerkleHasher) { add(leaf, level: 0, hasher) }

    private mutating func add(_ digest: SHA256Digest, level: Int, _ hasher: borrowing MerkleHasher) {
        if level == edges.count { edges.append(Edge(index: 0, hashes: [])) }
        unsafe digest.storage.span.withUnsafeBytes { unsafe edges[level].hashes.append(contentsOf: $0) }
        edges[level].isDirty = true
        guard edges[level].hashes.count == Int(TileKey.width) * 32 else { return }
        let root = hasher.root(ofRow: SHA256Digest.row(edges[level].hashes))
        edges[level].full.append((edges[level].index, edges[level].hashes))
        // The stored tile keeps its memory; the next one starts with its own.
        edges[level].hashes = []
        edges[level].hashes.reserveCapacity(Int(TileKey.width) * 32)
        edges[level].index += 1
        edges[level].isDirty = false
        add(root, level: level + 1, hasher)
    }

    /// Writes what has changed since it was last stored.
    mutating func store(_ transaction: inout WriteTransaction, _ table: Database) throws(LMDBError) {
        for level in edges.indices {
            for tile in edges[level].full {
                try transaction.put(TileKey(level: UInt8(level), index: tile.index).bytes, tile.hashes, in: table)
            }
            edges[level].full.removeAll()
            guard edges[level].isDirty else { continue }
            try transaction.put(
                TileKey(level: UInt8(level), index: edges[level].index).bytes, edges[level].hashes, in: table)
            edges[level].isDirty = false
        }
    }
}

extension SHA256Digest {
    /// The hashes that stand in bytes one after the other.
    static func row(_ bytes: [UInt8]) -> [SHA256Digest] {
        let span = unsafe bytes.span.bytes
        var row: [SHA256Digest] = []
        row.reserveCapacity(bytes.count / 32)
        for offset in stride(from: 0, to: bytes.count, by: 32) { row.append(SHA256Digest(span, at: offset)) }
        return row
    }
}

struct TileReader {
    let tiles: Database

    func tile(
        _ level: UInt8, _ index: UInt64, _ transaction: borrowing ReadTransaction
    ) throws(LedgerError) -> [SHA256Digest] {
        SHA256Digest.row(try bytes(level, index, transaction))
    }

    func bytes(_ level: UInt8, _ index: UInt64, _ transaction: borrowing ReadTransaction) throws(LedgerError) -> [UInt8] {
        let stored = try storage { () throws(LMDBError) in
            try transaction.value(of: TileKey(level: level, index: index).bytes, in: tiles)
        }
        guard let stored, stored.count % 32 == 0 else { throw .treeDamaged(level: level, index: index) }
        return stored
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
