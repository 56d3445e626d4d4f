import Ledger
import Model
import Primitives
import Projections
import Subjects

/// The commits of one batch while they are decided: what they are called in the log is known before they are
/// there, because nobody else appends.
struct Batch {
    private(set) var commits: [Commit] = []
    /// The sequence of the last fact, those of this batch included.
    private(set) var head: UInt64
    /// The time of the last fact. A clock that was set back does not put a fact before the one it follows from: the
    /// log stores times that never decrease, and the views must see the time that is stored.
    private(set) var time: WallTime
    private var outcomes = Outcomes()
    /// Of the batch before, which is on its way to the log.
    private let before: Outcomes?
    private let log: any EventLog

    /// What is stored under keys, and no longer, by one batch.
    private struct Outcomes {
        var stored: [[UInt8]: [UInt8]] = [:]
        var released: Set<[UInt8]> = []
    }

    /// Carried out when the batch is durable, in this order.
    var admissions: [Admission] = []
    var replies: [Output] = []
    var announcements: [FeedMessage] = []
    var unbound: [SubscriberID] = []
    var notes: [ControlNote] = []
    /// What lines' calls are followed by.
    private(set) var lineCalls: [LineCalls.Change] = []
    /// Their keys are destroyed when the batch is durable.
    private(set) var erased: [UUIDv7] = []
    /// There may be another gateway that registers or is probed.
    private(set) var changesGateways = false
    /// Keys and salts of what is sealed.
    var sealing: RandomSource

    /// - Parameter before: the batch that this one follows and that the log may not have yet; nil: the log has all.
    init(after before: Batch?, log: any EventLog, sealing: RandomSource) {
        self.log = log
        self.sealing = sealing
        self.before = before?.outcomes
        let recorded = log.recorded
        head = before?.head ?? recorded.head
        time = before?.time ?? recorded.time
    }

    /// What was answered under the key before, in this batch or ever.
    func outcome(forKey key: [UInt8]) throws -> [UInt8]? {
        for batch in [outcomes, before] {
            guard let batch else { continue }
            if batch.released.contains(key) { return nil }
            if let stored = batch.stored[key] { return stored }
        }
        return try log.outcome(forKey: key)?.outcome
    }

    /// Under which the plan of a call is stored while it runs.
    static func key(ofStart call: UUIDv7) -> [UInt8] { Array("call\0".utf8) + call.bytes }

    /// Applies the facts of a decision to the views and keeps them for the log, as one commit.
    /// - Parameter outcome: makes what is stored under the key, when the sequences are known.
    mutating func record(
        _ decision: consuming Decision, actor: String, cause: String, origin: Origin = Origin(), key: [UInt8]? = nil,
        outcome: (inout Batch, borrowing ViewTransaction) throws -> [UInt8] = { _, _ in [] },
        in views: inout ViewTransaction
    ) throws {
        announcements += decision.announcements
        admissions += decision.admissions
        unbound += decision.unbound
        erased += decision.erased
        var facts = decision.takeFacts()
        guard !facts.isEmpty else { return }
        time = max(time, decision.wall)
        var events: [NewEvent] = []
        var expectations: [Expectation] = []
        var releases: [[UInt8]] = []
        for index in facts.indices {
            if let change = LineCalls.Change(facts[index].event) { lineCalls.append(change) }
            // From here on, what is personal is sealed: in the views as in the log.
            try views.keys?.seal(&facts[index].event, &sealing) { call in
                try CallID(call).flatMap { id in try views.subjects(ofCall: id) }
            }
            let fact = facts[index]
            if fact.event.changesGateways { changesGateways = true }
            let payload = fact.event.serialized()
            let place = try views.record(fact.event, payload: payload, stream: fact.stream, time: time)
            head = place.sequence
            if !expectations.contains(where: { $0.stream == fact.stream }) {
                expectations.append(Expectation(stream: fact.stream, version: place.version - 1))
            }
            // Whoever asks for an ended call's plan is refused without it. A call that was refused ends as it starts, and the
            // refusal stays.
            if case .callEnded = fact.event {
                let start = Self.key(ofStart: fact.stream)
                if start != key { releases.append(start) }
            }
            events.append(
                NewEvent(
                    stream: fact.stream, type: fact.event.storedType, schemaVersion: fact.event.schemaVersion,
                    payload: payload))
        }
        let sealedOrigin = try views.keys?.seal(origin, cause: cause, &sealing) ?? []
        let stored = try outcome(&self, views)
        if let key { outcomes.stored[key] = stored }
        for key in releases {
            outcomes.stored[key] = nil
            outcomes.released.insert(key)
        }
        var commit = Commit(
            events: events, expectations: expectations, actor: actor, cause: cause, origin: sealedOrigin, time: time,
            idempotencyKey: key, outcome: key == nil ? [] : stored)
        commit.releases = releases
        commits.append(commit)
    }
}
