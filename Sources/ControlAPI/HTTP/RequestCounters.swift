import Synchronization

/// How many requests were answered with which status since the process started: a flood of refusals shows here.
final class RequestCounters: Sendable {
    private let counts = Mutex<[Int: UInt64]>([:])

    func count(_ status: Int) { counts.withLock { $0[status, default: 0] += 1 } }

    /// By status, the lowest first.
    var json: JSON {
        let sorted = counts.withLock { $0 }.sorted { $0.key < $1.key }
        return .object(sorted.map { JSON.Member(String($0.key), .integer($0.value)) })
    }
}
