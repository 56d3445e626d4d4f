import Foundation
import Model
import Primitives
import Projections

/// Which calls every line has right now: what busy lamps show, and which call can be picked up.
///
/// Soft state beside the log: it follows the facts of calls when they are durable, and is made anew from the live calls when the
/// control plane starts.
struct LineCalls {
    struct Call: Equatable {
        /// What does not change; beside the tables, which grow and are moved with many thousands of calls in them.
        private final class Facts: Sendable, Equatable {
            let id: CallID
            let worker: String
            let caller: CallParty
            let called: CallParty
            let startedAt: Int64

            init(_ id: CallID, _ fact: CallStarted) {
                (self.id, worker, startedAt) = (id, fact.worker, fact.startedAt)
                (caller, called) = (fact.caller, fact.called)
            }

            /// A call's first fact is one.
            static func == (l: Facts, r: Facts) -> Bool { l.id == r.id }
        }

        private let facts: Facts
        fileprivate(set) var isAnswered: Bool
        /// It goes on as another call, so the called line has nothing of it.
        fileprivate(set) var isAway = false
        /// It takes a call that rings at the called line, and is none of that line's own.
        let isPickup: Bool
        /// The line's own calls are those that it made, and not those that it sends on.
        let isForwarded: Bool

        fileprivate init(_ id: CallID, _ fact: CallStarted, isAnswered: Bool) {
            facts = Facts(id, fact)
            self.isAnswered = isAnswered
            (isPickup, isForwarded) = (!fact.pickedUp.isEmpty, !fact.forwardedFrom.isEmpty)
        }

        var id: CallID { facts.id }
        var worker: String { facts.worker }
        var caller: CallParty { facts.caller }
        var called: CallParty { facts.called }
        var startedAt: Int64 { facts.startedAt }
    }

    private var calls = ShardedDictionary<CallID, Call>()
    private var byLine: [SubscriberID: [CallID]] = [:]
    /// Not answered yet, the oldest first.
    private var ringing: [TenantID: [CallID]] = [:]
    /// Lines that somebody watches and whose calls are others than before, until `takeChanged`.
    private var changed: Set<SubscriberID> = []
    var watched: Set<SubscriberID> = []

    init() {}

    // MARK: - asking

    /// The oldest first.
    func calls(of line: SubscriberID) -> [Call] {
        (byLine[line] ?? []).compactMap { calls[$0] }.filter { call in
            call.caller.subscriberID == line.data ? !call.isForwarded : !call.isAway && !call.isPickup
        }
    }

    /// The tenant's calls that ring, the oldest first.
    func ringing(in tenant: TenantID) -> [Call] {
        (ringing[tenant] ?? []).compactMap { calls[$0] }.filter { !$0.isAway && !$0.isPickup && !$0.isAnswered }
    }

    mutating func takeChanged() -> [SubscriberID] {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed.sorted()
    }

    // MARK: - following

    /// Facts of other things change nothing.
    mutating func take(_ event: Event) {
        switch event {
        case .callStarted(let fact): begin(fact, isAnswered: false)
        case .callAnswered(let fact): if let id = CallID(fact.callID) { answer(id) }
        case .callEnded(let fact): if let id = CallID(fact.callID) { end(id) }
        default: break
        }
    }

    mutating func restore(from views: borrowing ViewSnapshot) throws(ViewsError) {
        try views.forEachLiveCall { restore($0) }
    }

    private mutating func restore(_ live: LiveCall) { begin(live.started, isAnswered: live.answeredAt != 0) }

    static func concerns(_ event: Event) -> Bool {
        switch event {
        case .callStarted, .callAnswered, .callEnded: true
        default: false
        }
    }

    private mutating func begin(_ fact: CallStarted, isAnswered: Bool) {
        guard let id = CallID(fact.callID), calls[id] == nil else { return }
        calls[id] = Call(id, fact, isAnswered: isAnswered)
        for line in lines(of: fact.caller, fact.called) { byLine[line, default: []].append(id) }
        if let tenant = TenantID(fact.called.tenantID), !isAnswered { ringing[tenant, default: []].append(id) }
        if let before = CallID(fact.forwardedFrom) {
            calls[before]?.isAway = true
            if let call = calls[before] { note(call) }
        }
        if !watched.isEmpty, let call = calls[id] { note(call) }
    }

    private mutating func answer(_ id: CallID) {
        guard let call = calls[id] else { return }
        calls[id]?.isAnswered = true
        silence(call)
        note(call)
    }

    private mutating func end(_ id: CallID) {
        guard let call = calls.removeValue(forKey: id) else { return }
        silence(call)
        for line in lines(of: call.caller, call.called) {
            byLine[line]?.removeAll { $0 == id }
            if byLine[line]?.isEmpty == true { byLine[line] = nil }
        }
        note(call)
    }

    private mutating func silence(_ call: Call) {
        guard !call.isAnswered, let tenant = TenantID(call.called.tenantID) else { return }
        ringing[tenant]?.removeAll { $0 == call.id }
        if ringing[tenant]?.isEmpty == true { ringing[tenant] = nil }
    }

    private mutating func note(_ call: Call) {
        for line in lines(of: call.caller, call.called) where watched.contains(line) { changed.insert(line) }
    }

    /// A line that calls itself has the call once.
    private func lines(of caller: CallParty, _ called: CallParty) -> [SubscriberID] {
        let (a, b) = (SubscriberID(caller.subscriberID), SubscriberID(called.subscriberID))
        return a == b ? [a].compactMap(\.self) : [a, b].compactMap(\.self)
    }
}
