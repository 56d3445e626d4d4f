import Foundation
import Model
import Primitives

/// Who watches which line (RFC 6665). Soft state: a control plane that has started anew is told again by refreshes, which bring
/// all that makes a subscription.
struct Subscriptions {
    struct Key: Hashable, Comparable {
        let callID: String
        let tag: String

        static func < (a: Key, b: Key) -> Bool { (a.callID, a.tag) < (b.callID, b.tag) }
    }

    struct Watch {
        let watcher: SubscriberID
        /// Of the password that it subscribed with.
        var credential: Int
        let line: SubscriberID
        let package: EventPackage
        /// The Event field, which comes back in every NOTIFY.
        let event: String
        var dialog: DialogState
        var flow: Flow
        var expiresAt: WallTime
        /// Of documents that number themselves.
        var version: UInt32 = 0
        /// What was told last.
        var told: LineState?
        /// By whom it was told, and when, where the feed brought it there.
        var announced: (worker: String, at: WallTime)?
        /// What was told last may not have reached the phone.
        var isDoubtful = false
    }

    /// That one phone's line may have: a large panel of lamps.
    static let ofOneMax = 200
    static let allMax = 500_000
    /// So long a phone waits at most for what a restart of the control plane has kept from it.
    static let secondsMax: UInt32 = 600

    private(set) var watches: [Key: Watch] = [:]
    /// Lines of which nobody knows how they are, because the views could not be read: whoever watches them is told when they can be.
    var untold: Set<SubscriberID> = []
    /// Lines with watches that are doubtful since the last tick.
    private(set) var doubted: Set<SubscriberID> = []
    /// Who may no longer watch since something above them has changed: looked at a few at a time, in the order of `suspectQueue`, which may
    /// also hold some that are not suspected any more.
    private var suspects: Set<SubscriberID> = []
    private var suspectQueue: [SubscriberID] = []
    private var byLine: [SubscriberID: [Key]] = [:]
    private var byWatcher: [SubscriberID: [Key]] = [:]

    init() {}

    func keys(of line: SubscriberID) -> [Key] { byLine[line] ?? [] }

    func keys(by watcher: SubscriberID) -> [Key] { byWatcher[watcher] ?? [] }

    func isFull(for watcher: SubscriberID) -> Bool { watches.count >= Self.allMax || byWatcher[watcher]?.count ?? 0 >= Self.ofOneMax }

    /// - Parameter watcher: nil: any may be meant.
    mutating func suspect(_ watcher: SubscriberID?) {
        if let watcher {
            // Before all those who are meant by chance.
            if byWatcher[watcher] != nil, suspects.insert(watcher).inserted { suspectQueue.insert(watcher, at: 0) }
        } else if suspects.count < byWatcher.count {
            // In an order that does not depend on the table.
            suspectQueue += byWatcher.keys.filter { suspects.insert($0).inserted }.sorted()
        }
    }

    var hasSuspects: Bool { !suspects.isEmpty }

    /// The next to be looked at, who are suspected until `clear`.
    mutating func nextSuspects(_ most: Int) -> [SubscriberID] {
        suspectQueue.removeFirst(suspectQueue.prefix { !suspects.contains($0) }.count)
        return suspectQueue.prefix(most).filter(suspects.contains)
    }

    mutating func clear(_ watcher: SubscriberID) { suspects.remove(watcher) }

    mutating func put(_ watch: Watch, _ key: Key) {
        if watches[key] == nil {
            byLine[watch.line, default: []].append(key)
            byWatcher[watch.watcher, default: []].append(key)
        }
        watches[key] = watch
    }

    mutating func update(_ key: Key, _ body: (inout Watch) -> Void) {
        guard var watch = watches[key] else { return }
        body(&watch)
        watches[key] = watch
    }

    @discardableResult
    mutating func remove(_ key: Key) -> Watch? {
        guard let watch = watches.removeValue(forKey: key) else { return nil }
        byLine[watch.line]?.removeAll { $0 == key }
        if byLine[watch.line]?.isEmpty == true { byLine[watch.line] = nil }
        byWatcher[watch.watcher]?.removeAll { $0 == key }
        if byWatcher[watch.watcher]?.isEmpty == true {
            byWatcher[watch.watcher] = nil
            suspects.remove(watch.watcher)
        }
        return watch
    }

    /// A worker may not have had what was announced to it since then.
    mutating func doubt(_ worker: String, since: WallTime) {
        for (key, watch) in watches {
            guard let announced = watch.announced, announced.worker == worker, announced.at >= since else { continue }
            watches[key]?.isDoubtful = true
            doubted.insert(watch.line)
        }
    }

    /// Doubtful ones are told at the next occasion.
    mutating func tellDoubted() {
        untold.formUnion(doubted)
        doubted = []
    }

    /// In an order that does not depend on the table.
    func lapsed(at wall: WallTime) -> [Key] { watches.filter { $0.value.expiresAt <= wall }.keys.sorted() }
}
