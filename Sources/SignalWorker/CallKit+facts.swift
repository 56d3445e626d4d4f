import Bus
import Model
import Primitives

/// Facts that may be sent and wait a moment for others.
///
/// A message to the control plane wakes a thread of each process's bus, the thread that decides, the one that appends, and all of
/// them again for the answer; several messages at once wake them once, and are one commit. A fact is in the outbox's file before anybody
/// is told of it, and nobody waits for its acknowledgement, so it can wait a little; what asks the control plane for anything goes
/// behind the facts that were there before it.
struct GatheredFacts: Sendable {
    /// More than these wait for nobody.
    static let countMax = 64

    private(set) var facts: [Fact] = []
    /// When they are sent at the latest; nil: there are none.
    private(set) var until: Instant?

    mutating func add(_ fact: Fact, until deadline: Instant) {
        facts.append(fact)
        if until == nil { until = deadline }
    }

    mutating func takeAll() -> [Fact] {
        defer {
            facts.removeAll(keepingCapacity: true)
            until = nil
        }
        return facts
    }
}

extension CallKit {
    /// Something has happened to the call, and the control plane must know it.
    mutating func report(_ request: DeskRequest, of call: CallID) {
        let fact = Fact(id: RequestID(UUIDv7(at: wall, random: &random)), call: call, body: serialized(request))
        effects.append(.keep(fact))
        if let next = outbox.add(fact) { send(next) }
    }

    mutating func send(_ fact: Fact) {
        guard configuration.factsGathered > .zero else { return sendNow(fact) }
        gathered.add(fact, until: now + configuration.factsGathered)
        if gathered.facts.count >= GatheredFacts.countMax { sendGathered() }
    }

    /// In the order in which they happened.
    mutating func sendGathered() {
        guard gathered.until != nil else { return }
        for fact in gathered.takeAll() { sendNow(fact) }
    }

    mutating func sendGatheredIfDue() {
        guard let until = gathered.until, until <= now else { return }
        sendGathered()
    }

    private mutating func sendNow(_ fact: Fact) {
        var made: [RequestTable<Pending>.Effect] = []
        _ = requests.submit(
            fact.body, to: CallKit.desk, id: fact.id, policy: .fact, context: .fact(fact), now: now, into: &made)
        carryOut(made)
    }
}
