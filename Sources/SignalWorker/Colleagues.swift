import Model

/// The other workers, as the newest roster tells.
struct Colleagues: Sendable {
    private var entries: [String: RosterEntry] = [:]

    mutating func take(_ roster: Roster) {
        entries = Dictionary(roster.workers.map { ($0.worker, $0) }, uniquingKeysWith: { $1 })
    }

    func isAlive(_ worker: String) -> Bool { entries[worker] != nil }

    /// The least loaded media worker that takes sessions; by name among equals, so that a replay chooses alike.
    func mediaWorker(except lost: String? = nil) -> String? {
        entries.values
            .filter { $0.kind == .media && !$0.draining && $0.worker != lost }
            .min { ($0.calls, $0.worker) < ($1.calls, $1.worker) }?.worker
    }

    /// Counts a session that the next roster will tell of, so that a burst is spread.
    mutating func count(on worker: String) { entries[worker]?.calls += 1 }
}
