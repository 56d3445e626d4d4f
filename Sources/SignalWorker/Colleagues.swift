import Foundation
import Model
import OpenSSL
import Primitives

/// The other workers, as the rosters tell.
///
/// A roster of the feed that leaves out a worker which an earlier one listed says that it is dead. The roster of a welcome
/// does not: a control plane that has just started knows only who has greeted it, while the others go on working. Those
/// get a while to appear.
struct Colleagues: Sendable {
    enum Source: Sendable {
        case feed
        case welcome
    }

    private struct Entry: Sendable {
        var row: RosterEntry
        /// When it is given up; nil while it is listed.
        var goneAt: Instant?
    }

    private var entries: [String: Entry] = [:]
    private let grace: Duration

    init(grace: Duration) { self.grace = grace }

    /// - Returns: the workers whose process is gone, restarted ones among them, in order of name.
    mutating func take(_ roster: Roster, from source: Source, now: Instant) -> [String] {
        var gone: [String] = []
        let listed = Set(roster.workers.map(\.worker))
        for (name, entry) in entries where !listed.contains(name) && entry.goneAt == nil {
            switch source {
            case .feed: gone.append(name)
            case .welcome: entries[name]?.goneAt = now + grace
            }
        }
        for name in gone { entries[name] = nil }
        for row in roster.workers {
            if let known = entries[row.worker], known.row.incarnation != row.incarnation { gone.append(row.worker) }
            entries[row.worker] = Entry(row: row)
        }
        return gone.sorted()
    }

    /// Gives up those that have not appeared.
    /// - Returns: their names, in order.
    mutating func expire(_ now: Instant) -> [String] {
        // Asked after at each packet, and nearly always there are none.
        guard let first = nextWake, first <= now else { return [] }
        var gone: [String] = []
        for (name, entry) in entries { if let at = entry.goneAt, at <= now { gone.append(name) } }
        for name in gone { entries[name] = nil }
        return gone.sorted()
    }

    var nextWake: Instant? {
        var first: Instant?
        for place in entries.values.indices {
            if let at = entries.values[place].goneAt { first = min(first ?? at, at) }
        }
        return first
    }

    /// All that are to be connected to, in order of name.
    var roster: Roster {
        var roster = Roster()
        roster.workers = entries.sorted { $0.key < $1.key }.map(\.value.row)
        return roster
    }

    func isAlive(_ worker: String) -> Bool { entries[worker] != nil }

    /// In order of name.
    var signalWorkers: [String] { entries.values.map(\.row).filter { $0.kind == .signal }.map(\.worker).sorted() }

    /// The least loaded media worker that takes sessions; by name among equals, so that a replay chooses alike.
    func mediaWorker(except lost: Set<String> = []) -> String? {
        entries.values.map(\.row)
            .filter { $0.kind == .media && !$0.draining && !lost.contains($0.worker) }
            .min { ($0.calls, $0.worker) < ($1.calls, $1.worker) }?.worker
    }

    /// The one that a room's id prefers of all that take sessions (rendezvous hashing): every worker comes to the same.
    func mediaWorker(ofRoom room: [UInt8], except lost: Set<String> = []) -> String? {
        entries.values.map(\.row)
            .filter { $0.kind == .media && !$0.draining && !lost.contains($0.worker) }
            .map { (Hash.sha256(room + Array($0.worker.utf8)), $0.worker) }
            .min { $0.0.lexicographicallyPrecedes($1.0) }?.1
    }

    /// Counts a session that the next roster will tell of, so that a burst is spread.
    mutating func count(on worker: String) { entries[worker]?.row.calls += 1 }
}
