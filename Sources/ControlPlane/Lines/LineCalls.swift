import Foundation
import Model
import Primitives
import Projections

/// Which calls every line has right now: what busy lamps show, and which call can be picked up.
///
/// Who is at an end of a call is what its dialogs say, as they are reported: a line that has sent the other side on has gone, one that took
/// another's place is there. Before an answer it is who calls and who is called.
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
            let isAnonymous: Bool
            /// The call that goes on as this one.
            let before: CallID?
            let kind: ForwardKind
            /// The ringing call that this one takes.
            let taken: CallID?

            init(_ id: CallID, _ fact: CallStarted) {
                (self.id, worker, startedAt, isAnonymous) = (id, fact.worker, fact.startedAt, fact.isAnonymous)
                (caller, called) = (fact.caller, fact.called)
                (before, kind, taken) = (CallID(fact.forwardedFrom), fact.forwardKind, CallID(fact.pickedUp))
            }

            /// A call's first fact is one.
            static func == (l: Facts, r: Facts) -> Bool { l.id == r.id }
        }

        private let facts: Facts
        fileprivate(set) var isAnswered: Bool
        /// The line that is there; nil: a stranger, or another call of ours.
        fileprivate(set) var a: SubscriberID?
        fileprivate(set) var b: SubscriberID?

        fileprivate init(_ id: CallID, _ fact: CallStarted) {
            facts = Facts(id, fact)
            isAnswered = false
            // Who sends a call on is in none, and who takes another's is in that one.
            a = facts.before == nil ? SubscriberID(fact.caller.subscriberID) : nil
            b = facts.taken == nil ? SubscriberID(fact.called.subscriberID) : nil
        }

        var id: CallID { facts.id }
        var worker: String { facts.worker }
        var caller: CallParty { facts.caller }
        var called: CallParty { facts.called }
        var startedAt: Int64 { facts.startedAt }
        var isAnonymous: Bool { facts.isAnonymous }
        fileprivate var before: CallID? { facts.before }
        fileprivate var kind: ForwardKind { facts.kind }
        fileprivate var taken: CallID? { facts.taken }
        fileprivate var callerLine: SubscriberID? { SubscriberID(caller.subscriberID) }
        fileprivate var calledLine: SubscriberID? { SubscriberID(called.subscriberID) }

        fileprivate mutating func take(_ ends: Ends) {
            if ends.isKnownA { a = ends.a }
            if ends.isKnownB { b = ends.b }
        }

        /// Those that it is recorded for, and those that are in it: each once.
        fileprivate var lines: [SubscriberID] {
            var lines: [SubscriberID] = []
            for case let line? in [callerLine, calledLine, a, b] where !lines.contains(line) { lines.append(line) }
            return lines
        }
    }

    /// Who is at the ends of an answered call, as far as its dialogs say it.
    struct Ends {
        fileprivate let a: SubscriberID?
        fileprivate let b: SubscriberID?
        fileprivate let isKnownA: Bool
        fileprivate let isKnownB: Bool

        fileprivate init(_ snapshot: CallSnapshot) {
            (isKnownA, isKnownB) = (snapshot.a.hasTerms, snapshot.b.hasTerms)
            (a, b) = (SubscriberID(snapshot.a.terms.subscriberID), SubscriberID(snapshot.b.terms.subscriberID))
        }
    }

    /// What a fact changes, with the numbers that are sealed in the log.
    enum Change {
        case began(Call)
        case answered(CallID, Ends)
        case moved(CallID, Ends)
        case ended(CallID)

        /// nil: facts of other things change nothing.
        init?(_ event: Event) {
            switch event {
            case .callStarted(let fact):
                guard let id = CallID(fact.callID) else { return nil }
                self = .began(Call(id, fact))
            case .callAnswered(let fact):
                guard let id = CallID(fact.callID) else { return nil }
                self = .answered(id, Ends(fact.snapshot))
            case .callUpdated(let fact):
                guard let id = CallID(fact.callID) else { return nil }
                self = .moved(id, Ends(fact.snapshot))
            case .callEnded(let fact):
                guard let id = CallID(fact.callID) else { return nil }
                self = .ended(id)
            default: return nil
            }
        }
    }

    /// A call as those see it who watch a line that is in it.
    struct Seen: Equatable {
        let id: CallID
        let isCaller: Bool
        let isAnswered: Bool
        /// Empty: it is not known who that is.
        let other: String
        /// The other one does not show a number.
        let isAnonymous: Bool
    }

    private var calls = ShardedDictionary<CallID, Call>()
    /// Of all lines that have to do with a call.
    private var byLine: [SubscriberID: [CallID]] = [:]
    /// Not answered yet, the oldest first.
    private var ringing: [TenantID: [CallID]] = [:]
    /// Lines that somebody watches and whose calls are others than before, until `takeChanged`.
    private var changed: Set<SubscriberID> = []
    var watched: Set<SubscriberID> = []

    init() {}

    // MARK: - asking

    /// The oldest first.
    func calls(of line: SubscriberID) -> [Seen] {
        all(line).compactMap { call in
            guard call.a == line || call.b == line else { return nil }
            let isCaller = call.a == line
            let other = party(call, isCaller ? .b : .a)
            return Seen(id: call.id, isCaller: isCaller, isAnswered: call.isAnswered, other: other.number, isAnonymous: other.isAnonymous)
        }
    }

    /// Where a line is in more or fewer calls than are recorded as its own: those that it has taken over, and those that have gone on to others.
    func moved(of line: SubscriberID) -> [(call: CallID, step: Int64)] {
        all(line).compactMap { call in
            let isThere = call.a == line || call.b == line
            let isParty = call.callerLine == line || call.calledLine == line
            return isThere == isParty ? nil : (call.id, isThere ? 1 : -1)
        }
    }

    /// The tenant's calls that ring, the oldest first.
    func ringing(in tenant: TenantID) -> [Call] {
        (ringing[tenant] ?? []).compactMap { calls[$0] }.filter { $0.b != nil && !$0.isAnswered }
    }

    mutating func takeChanged() -> [SubscriberID] {
        defer { changed.removeAll(keepingCapacity: true) }
        return changed.sorted()
    }

    private func all(_ line: SubscriberID) -> [Call] { (byLine[line] ?? []).compactMap { calls[$0] } }

    // MARK: - who the other one is

    private enum Side {
        case a
        case b
    }

    private struct Party {
        var number = ""
        var isAnonymous = false
    }

    /// A call that goes on as another one is followed to its far end.
    private func party(_ call: Call, _ side: Side, depth: Int = 0) -> Party {
        guard depth < 16 else { return Party() }
        let (there, recorded) = side == .a ? (call.a, call.callerLine) : (call.b, call.calledLine)
        if side == .a, let before = call.before {
            // Who called first, or the side that a transfer has left.
            guard let first = calls[before] else { return Party(isAnonymous: call.isAnonymous) }
            let isLeftByCalled = call.kind != .transferred || first.calledLine == call.callerLine
            var party = party(first, isLeftByCalled ? .a : .b, depth: depth + 1)
            if call.isAnonymous { party.isAnonymous = true }
            return party
        }
        if side == .b, let taken = call.taken { return calls[taken].map { party($0, .a, depth: depth + 1) } ?? Party() }
        if there == recorded {
            return side == .a ? Party(number: call.caller.number, isAnonymous: call.isAnonymous) : Party(number: call.called.number)
        }
        // Another line is there, whose number is not known here.
        guard there == nil, let recorded else { return Party() }
        for next in all(recorded) where next.isAnswered {
            if next.before == call.id { return party(next, .b, depth: depth + 1) }
            if next.taken == call.id { return Party(number: next.caller.number, isAnonymous: next.isAnonymous) }
        }
        return call.isAnswered ? Party() : Party(number: call.called.number)
    }

    // MARK: - following

    mutating func take(_ change: Change) {
        switch change {
        case .began(let call): begin(call)
        case .answered(let id, let ends): answer(id, ends)
        case .moved(let id, let ends): self.change(id) { $0.take(ends) }
        case .ended(let id): end(id)
        }
    }

    mutating func restore<State: ViewQueries & ~Copyable>(from views: borrowing State) throws(ViewsError) {
        try views.forEachLiveCall { restore($0) }
    }

    private mutating func restore(_ live: LiveCall) {
        guard let id = CallID(live.started.callID) else { return }
        var call = Call(id, live.started)
        if live.answeredAt != 0 {
            call.isAnswered = true
            call.take(Ends(live.snapshot))
        }
        begin(call)
    }

    private mutating func begin(_ call: Call) {
        guard calls[call.id] == nil else { return }
        calls[call.id] = call
        for line in call.lines { byLine[line, default: []].append(call.id) }
        if !call.isAnswered, let tenant = TenantID(call.called.tenantID) { ringing[tenant, default: []].append(call.id) }
        note(call)
        // Who transfers is in the first call until somebody has joined it.
        if let before = call.before, call.kind != .transferred { change(before) { if !$0.isAnswered { $0.b = nil } } }
    }

    private mutating func answer(_ id: CallID, _ ends: Ends) {
        guard let call = calls[id] else { return }
        silence(call)
        change(id) {
            $0.isAnswered = true
            $0.take(ends)
        }
    }

    private mutating func end(_ id: CallID) {
        guard let call = calls.removeValue(forKey: id) else { return }
        silence(call)
        for line in call.lines { forget(id, line) }
        note(call)
        // After a phone's redirection that led nowhere the line's others are rung; a forward was the end of it.
        guard call.kind == .redirected, let before = call.before, let line = call.callerLine,
            !all(line).contains(where: { $0.before == before })
        else { return }
        change(before) { if !$0.isAnswered { $0.b = $0.calledLine } }
    }

    private mutating func change(_ id: CallID, _ body: (inout Call) -> Void) {
        guard let before = calls[id] else { return }
        var call = before
        body(&call)
        guard call != before else { return }
        calls[id] = call
        note(call)
        guard call.a != before.a || call.b != before.b else { return }
        note(before)
        let (old, new) = (before.lines, call.lines)
        for line in old where !new.contains(line) { forget(id, line) }
        for line in new where !old.contains(line) { byLine[line, default: []].append(id) }
    }

    private mutating func forget(_ id: CallID, _ line: SubscriberID) {
        byLine[line]?.removeAll { $0 == id }
        if byLine[line]?.isEmpty == true { byLine[line] = nil }
    }

    private mutating func silence(_ call: Call) {
        guard !call.isAnswered, let tenant = TenantID(call.called.tenantID) else { return }
        ringing[tenant]?.removeAll { $0 == call.id }
        if ringing[tenant]?.isEmpty == true { ringing[tenant] = nil }
    }

    private mutating func note(_ call: Call) {
        guard !watched.isEmpty else { return }
        for line in call.lines where watched.contains(line) { changed.insert(line) }
    }
}
