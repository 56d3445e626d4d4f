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
            /// The call that goes on as this one.
            let before: CallID?

            init(_ id: CallID, _ fact: CallStarted) {
                (self.id, worker, startedAt) = (id, fact.worker, fact.startedAt)
                (caller, called) = (fact.caller, fact.called)
                before = CallID(fact.forwardedFrom)
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
        fileprivate var before: CallID? { facts.before }
    }

    /// What a fact changes, with the numbers that are sealed in the log.
    enum Change {
        case began(Call)
        case answered(CallID)
        case ended(CallID)

        /// nil: facts of other things change nothing.
        init?(_ event: Event) {
            switch event {
            case .callStarted(let fact):
                guard let id = CallID(fact.callID) else { return nil }
                self = .began(Call(id, fact, isAnswered: false))
            case .callAnswered(let fact):
                guard let id = CallID(fact.callID) else { return nil }
                self = .answered(id)
            case .callEnded(let fact):
                guard let id = CallID(fact.callID) else { return nil }
                self = .ended(id)
            default: return nil
            }
        }
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

    mutating func take(_ change: Change) {
        switch change {
        case .began(let call): begin(call)
        case .answered(let id): answer(id)
        case .ended(let id): end(id)
        }
    }

    mutating func restore(from views: borrowing ViewSnapshot) throws(ViewsError) {
        try views.forEachLiveCall { restore($0) }
    }

    private mutating func restore(_ live: LiveCall) {
        if let id = CallID(live.started.callID) { begin(Call(id, live.started, isAnswered: live.answeredAt != 0)) }
    }

    private mutating func begin(_ call: Call) {
        guard calls[call.id] == nil else { return }
        calls[call.id] = call
        Self.forEachLine(of: call) { line in byLine[line, default: []].append(call.id) }
        if !call.isAnswered, let tenant = TenantID(call.called.tenantID) { ringing[tenant, default: []].append(call.id) }
        if let before = call.before {
            calls[before]?.isAway = true
            if let call = calls[before] { note(call) }
        }
        note(call)
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
        Self.forEachLine(of: call) { line in
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
        guard !watched.isEmpty else { return }
        Self.forEachLine(of: call) { line in if watched.contains(line) { changed.insert(line) } }
    }

    /// A line that calls itself has the call once.
    private static func forEachLine(of call: Call, _ body: (SubscriberID) -> Void) {
        let (a, b) = (SubscriberID(call.caller.subscriberID), SubscriberID(call.called.subscriberID))
        if let a { body(a) }
        if let b, b != a { body(b) }
    }
}
