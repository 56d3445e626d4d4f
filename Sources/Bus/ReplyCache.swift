public import Primitives

/// The answering side of requests: a repeated request gets the first answer again, and its work is done once.
///
/// Bounded by count, by bytes and by age: a request that comes again after its answer was dropped is new. So the age
/// has to be longer than a sender repeats a request whose answer is on the way, and facts need a key of their own.
public struct ReplyCache: Sendable {
    public enum Admission: Hashable, Sendable {
        /// Do the work, then `record` the answer.
        case new
        /// The work goes on; the answer will follow. Nothing to do.
        case inProgress
        /// Send this again.
        case repeated([UInt8])
    }

    /// A peer by its number, so that a table of many thousands of requests compares and hashes no names.
    private struct Key: Hashable {
        let peer: UInt32
        let id: RequestID
    }

    private struct Entry {
        let number: UInt64
        private(set) var answer: [UInt8]?

        /// False: there is one already.
        mutating func take(_ answer: [UInt8]) -> Bool {
            guard self.answer == nil else { return false }
            self.answer = answer
            return true
        }
    }

    public let capacity: Int
    public let bytesMax: Int
    public let age: Duration
    /// Peers are enrolled workers: as many as there have ever been.
    private var peers: [String: UInt32] = [:]
    private var entries = ShardedDictionary<Key, Entry>()
    /// In order of admission; before `start` it is used up. A key whose entry has another number is passed over.
    private var order: [(key: Key, number: UInt64, admitted: Instant)] = []
    private var start = 0
    private var numbers: UInt64 = 0
    private var bytes = 0

    public init(capacity: Int = 50_000, bytesMax: Int = 64 << 20, age: Duration = .seconds(60)) {
        precondition(capacity > 0 && bytesMax > 0)
        self.capacity = capacity
        self.bytesMax = bytesMax
        self.age = age
    }

    public var count: Int { entries.count }

    /// Asked once for each request that arrives, before any work on it.
    public mutating func admit(_ id: RequestID, from peer: String, now: Instant) -> Admission {
        drop(olderThan: now)
        let key = key(id, peer)
        if let entry = entries[key] {
            return entry.answer.map { .repeated($0) } ?? .inProgress
        }
        numbers += 1
        entries[key] = Entry(number: numbers)
        order.append((key, numbers, now))
        dropExcess()
        return .new
    }

    /// Keeps the answer to a request in progress. Not for an answer like "try later": `forget` that one.
    public mutating func record(_ answer: [UInt8], to id: RequestID, from peer: String) {
        let key = key(id, peer)
        guard entries[key]?.take(answer) == true else { return }
        bytes += answer.count
        dropExcess()
    }

    /// The next request with this id is new.
    public mutating func forget(_ id: RequestID, from peer: String) { remove(key(id, peer)) }

    private mutating func key(_ id: RequestID, _ peer: String) -> Key {
        if let number = peers[peer] { return Key(peer: number, id: id) }
        let number = UInt32(peers.count)
        peers[peer] = number
        return Key(peer: number, id: id)
    }

    private mutating func remove(_ key: Key) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        bytes -= entry.answer?.count ?? 0
    }

    private mutating func drop(olderThan now: Instant) {
        while start < order.count {
            let (key, number, admitted) = order[start]
            let isOld = admitted + age <= now
            // What was forgotten is passed over when there is much of it: to look for it at each request would cost as much as the rest.
            guard isOld || order.count - start > 2 * entries.count + 1_024 else { break }
            if entries[key]?.number == number {
                guard isOld else { break }
                remove(key)
            }
            start += 1
        }
        if start > 1_024, start * 2 > order.count {
            order.removeFirst(start)
            order.shrinkIfSparse()
            start = 0
        }
    }

    private mutating func dropExcess() {
        while entries.count > capacity || bytes > bytesMax, start < order.count {
            let (key, number, _) = order[start]
            start += 1
            if entries[key]?.number == number { remove(key) }
        }
    }
}
