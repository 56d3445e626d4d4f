import Foundation
import Model
import Primitives

/// Who of the enrolled workers is there: what each said in its Hello, and when it was last heard.
///
/// Liveness is soft state of one control process; only its consequences (calls adopted or closed) are facts.
struct WorkerTable {
    /// What a Hello means for the calls that the worker's name owns.
    enum Greeting: Equatable {
        /// The process that we knew.
        case known
        /// The first that this control process sees under the name: the one of before, or another.
        case first
        /// The name was alive or dead as another process: what that process carried in memory is gone.
        case restarted
    }

    private struct Entry {
        var hello: Hello
        var publicKey: [UInt8]
        var heardAt: Instant
        var heardWall: WallTime
        var calls: UInt32 = 0
        var loadPermille: UInt32 = 0
        var media: MediaFigures?
        var draining = false
        var alive = true
    }

    private var entries: [String: Entry] = [:]
    /// Rises with everything that the roster tells.
    private(set) var revision: UInt64 = 0
    /// Owners of live calls that have not been heard since this process started, and until when they may be silent.
    private var expected: [String: Instant] = [:]
    private let deadAfter: Duration

    init(deadAfter: Duration) { self.deadAfter = deadAfter }

    /// A worker that must exist because it owns calls: it is dead if it stays silent until `deadline`.
    mutating func expect(_ name: String, until deadline: Instant) {
        if entries[name] == nil { expected[name] = deadline }
    }

    mutating func greet(_ hello: Hello, publicKey: [UInt8], now: Instant, wall: WallTime) -> Greeting {
        expected[hello.worker] = nil
        let previous = entries[hello.worker]
        var entry = Entry(hello: hello, publicKey: publicKey, heardAt: now, heardWall: wall)
        entry.calls = UInt32(clamping: hello.calls.count)
        let same = previous?.hello.incarnation == hello.incarnation
        if let previous, same {
            entry.draining = previous.draining
            entry.loadPermille = previous.loadPermille
            entry.calls = max(previous.calls, entry.calls)
        }
        entries[hello.worker] = entry
        revision += 1
        return previous == nil ? .first : same ? .known : .restarted
    }

    /// False: it has to say Hello (first).
    mutating func heard(_ name: String, now: Instant, wall: WallTime) -> Bool {
        guard let index = entries.index(forKey: name), entries.values[index].alive else { return false }
        // Many requests come at one time.
        guard entries.values[index].heardAt < now || entries.values[index].heardWall != wall else { return true }
        entries.values[index].heardAt = max(now, entries.values[index].heardAt)
        entries.values[index].heardWall = wall
        return true
    }

    mutating func load(_ name: String, _ beat: Heartbeat) {
        if entries[name]?.calls != beat.calls { revision += 1 }
        entries[name]?.calls = beat.calls
        entries[name]?.loadPermille = beat.loadPermille
        if beat.hasMedia { entries[name]?.media = beat.media }
    }

    /// The names that have now been silent for too long, in order.
    mutating func sweep(now: Instant) -> [String] {
        var died: [String] = []
        for (name, entry) in entries where entry.alive && now - entry.heardAt >= deadAfter {
            entries[name]?.alive = false
            revision += 1
            died.append(name)
        }
        for (name, deadline) in expected where now >= deadline {
            expected[name] = nil
            died.append(name)
        }
        return died.sorted()
    }

    /// This process was stopped for `stall`: nobody could be heard meanwhile, so nobody is blamed.
    mutating func forgive(_ stall: Duration) {
        for (name, entry) in entries { entries[name]?.heardAt = entry.heardAt + stall }
        for (name, deadline) in expected { expected[name] = deadline + stall }
    }

    var nextDeadline: Instant? {
        let silent = entries.values.lazy.filter(\.alive).map { [deadAfter] in $0.heardAt + deadAfter }.min()
        return [silent, expected.values.min()].compactMap { $0 }.min()
    }

    mutating func drain(_ name: String) {
        entries[name]?.draining = true
        revision += 1
    }

    mutating func forget(_ name: String) {
        entries[name] = nil
        expected[name] = nil
        revision += 1
    }

    func isAlive(_ name: String) -> Bool { entries[name]?.alive == true }

    /// The first by name of those that live.
    var anySignalWorker: String? { entries.filter { $0.value.alive && $0.value.hello.kind == .signal }.keys.min() }

    /// Not heard since the start, and still within its grace.
    func isExpected(_ name: String) -> Bool { expected[name] != nil }

    func lastHeard(_ name: String) -> WallTime? { entries[name]?.heardWall }

    /// The signal worker that takes one more call: alive, not draining, fewest calls, first by name. It is
    /// counted as carrying that call at once.
    mutating func takeLeastLoadedSignalWorker() -> String? {
        let candidates = entries.filter { $0.value.alive && $0.value.hello.kind == .signal }
        let best =
            candidates.filter { !$0.value.draining }.min { ($0.value.calls, $0.key) < ($1.value.calls, $1.key) }
            ?? candidates.min { ($0.value.calls, $0.key) < ($1.value.calls, $1.key) }
        if let name = best?.key {
            entries[name]?.calls += 1
            revision += 1
        }
        return best?.key
    }

    /// The living, by name.
    var roster: Model.Roster {
        var roster = Model.Roster()
        roster.workers = entries.keys.sorted().compactMap { name in
            guard let entry = entries[name], entry.alive else { return nil }
            var row = RosterEntry()
            row.worker = name
            row.kind = entry.hello.kind
            row.listeners = entry.hello.listeners
            row.clusterListener = entry.hello.clusterListener
            row.busEndpoint = entry.hello.busEndpoint
            row.curvePublicKey = .init(entry.publicKey)
            row.incarnation = entry.hello.incarnation
            row.calls = entry.calls
            row.draining = entry.draining
            return row
        }
        return roster
    }

    func status(of worker: Worker) -> WorkerStatus {
        guard let entry = entries[worker.name] else {
            return WorkerStatus(
                name: worker.name, kind: worker.kind, state: .absent, listeners: [], busEndpoint: "", calls: 0,
                loadPermille: 0, media: nil, heardAt: nil)
        }
        return WorkerStatus(
            name: worker.name, kind: worker.kind,
            state: !entry.alive ? .dead : entry.draining ? .draining : .alive, listeners: entry.hello.listeners,
            busEndpoint: entry.hello.busEndpoint, calls: entry.calls, loadPermille: entry.loadPermille, media: entry.media,
            heardAt: entry.heardWall)
    }
}
