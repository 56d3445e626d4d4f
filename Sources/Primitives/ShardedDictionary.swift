/// A dictionary in many parts, for tables that grow to many thousands of entries in a thread that others wait for: it grows part by
/// part, and nobody waits until all of it was moved to a larger place.
public struct ShardedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var shardCount: Int { 64 }
    private var shards = [[Key: Value]](repeating: [:], count: Self.shardCount)
    public private(set) var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    private static func shard(of key: Key) -> Int { key.hashValue & (shardCount - 1) }

    public subscript(key: Key) -> Value? {
        get { shards[Self.shard(of: key)][key] }
        set {
            let shard = Self.shard(of: key)
            let before = shards[shard].count
            shards[shard][key] = newValue
            count += shards[shard].count - before
        }
        _modify {
            let shard = Self.shard(of: key)
            let before = shards[shard].count
            defer { count += shards[shard].count - before }
            yield &shards[shard][key]
        }
    }

    @discardableResult
    public mutating func removeValue(forKey key: Key) -> Value? {
        let shard = Self.shard(of: key)
        guard let removed = shards[shard].removeValue(forKey: key) else { return nil }
        count -= 1
        shards[shard].shrinkIfSparse(above: 64)
        return removed
    }
}
