import Foundation
import Ledger
import Model
package import OpenSSL
import Primitives
import Rating

/// What a pack proves, and what it only says.
package struct Verdict: Hashable, Sendable {
    package var proven: [String] = []
    package var notProven: [String] = []
    package var log = ""
    package var size: UInt64 = 0
}

extension DisputePack {
    /// Checks everything that can be checked without a server. Throws the first contradiction.
    ///
    /// - Parameter key: the log's name and key as the operator publishes them; nil: those in the pack are taken, which shows that it fits
    ///   together, and not whose it is.
    package func verified(with key: (name: String, key: VerifyingKey)?) throws(Contradiction) -> Verdict {
        var verdict = Verdict()
        let (name, key, head) = try PackHead(log: log, key: self.key, checkpoint: checkpoint).checked(with: key)
        (verdict.log, verdict.size) = (head.origin, head.size)
        let envelopes = try provenEnvelopes(under: head)
        verdict.proven.append("\(envelopes.count) events are in the log \(head.origin), byte for byte, under its signed head of \(head.size) events")
        try checkStream(envelopes, &verdict)
        let events = try CallEvents(envelopes.map { ($0.envelope, $0.role) })
        try checkFacts(events, &verdict)
        try checkCharges(events, &verdict)
        try checkCorrections(events, &verdict)
        try checkDecks(events, &verdict)
        try checkExplanation(events)
        verdict.proven.append("what the pack explains is what follows from these events, computed anew")
        try checkBalances(events, &verdict)
        guard let body = try? signedBody() else { throw Contradiction("the pack cannot be written as it was read") }
        try PackSignature.check(signature, is: body, name: name, key)
        verdict.notProven += notProven(events)
        return verdict
    }

    private func provenEnvelopes(under head: Checkpoint) throws(Contradiction) -> [(envelope: Envelope, role: Role)] {
        var envelopes: [(envelope: Envelope, role: Role)] = []
        var last: UInt64 = 0
        for item in events {
            guard item.sequence > last else { throw Contradiction("event \(item.sequence) is not in its order, or there twice") }
            last = item.sequence
            guard let bytes = Base64.decode(item.envelope), Base64.encode(bytes) == item.envelope else {
                throw Contradiction("event \(item.sequence) is not base64")
            }
            var path: [SHA256Digest] = []
            for text in item.path {
                guard let digest = Base64.decode(text).flatMap({ SHA256Digest($0) }), Base64.encode(digest.bytes) == text else {
                    throw Contradiction("the proof of event \(item.sequence) holds something that is not a hash")
                }
                path.append(digest)
            }
            let leaf = unsafe MerkleHasher().leaf(bytes.span.bytes)
            guard MerkleProofs.isIncluded(leaf: leaf, index: item.sequence - 1, size: head.size, path: path, root: head.root) else {
                throw Contradiction("event \(item.sequence) is not in the signed log: its bytes, its place or its proof were changed")
            }
            guard let envelope = unsafe Envelope(parsing: bytes.span.bytes), envelope.sequence == item.sequence, envelope.type == item.type else {
                throw Contradiction("event \(item.sequence) is not what the pack says it is")
            }
            envelopes.append((envelope, item.role))
        }
        return envelopes
    }

    /// The call's events are its stream from the first on, and none is left out between them.
    private func checkStream(_ envelopes: [(envelope: Envelope, role: Role)], _ verdict: inout Verdict) throws(Contradiction) {
        var previous: Envelope?
        for (envelope, role) in envelopes where role == .call {
            guard envelope.stream.description == explanation.call else {
                throw Contradiction("event \(envelope.sequence) is of another call")
            }
            guard envelope.version == (previous?.version ?? 0) + 1, envelope.previous == previous?.sequence ?? 0 else {
                throw Contradiction("events of the call are left out before event \(envelope.sequence)")
            }
            previous = envelope
        }
        guard let previous else { throw Contradiction("the pack holds no event of the call") }
        verdict.proven.append("the \(previous.version) events of call \(explanation.call) up to event \(previous.sequence) are all there, none is left out")
    }

    /// The record says what the events before it say.
    private func checkFacts(_ events: CallEvents, _ verdict: inout Verdict) throws(Contradiction) {
        let (started, cdr, ended) = (events.started.event, events.cdr, events.ended)
        func same<T: Equatable>(_ a: T, _ b: T, _ what: String) throws(Contradiction) {
            guard a == b else { throw Contradiction("the record's \(what) is not that of the events") }
        }
        try same(cdr.callID, started.callID, "call")
        try same(UUIDv7(bytes: cdr.callID), events.started.envelope.stream, "call")
        try same(cdr.direction, started.direction, "direction")
        try same(cdr.startedAt, started.startedAt, "start")
        try same(cdr.answeredAt, events.answered?.answeredAt ?? 0, "answer")
        try same(cdr.endedAt, ended.endedAt, "end")
        try same(cdr.cause, ended.cause, "cause")
        try same(cdr.sipStatus, ended.sipStatus, "SIP status")
        try same(cdr.attempts, ended.attempts, "route")
        try same(cdr.media, ended.media, "media report")
        try same(cdr.caller.customerID, started.caller.customerID, "customer")
        try same(cdr.caller.subscriberID, started.caller.subscriberID, "caller")
        try same(cdr.calledE164, started.calledE164, "called number")
        try same(cdr.durationMs, cdr.answeredAt == 0 ? 0 : UInt64(max(0, cdr.endedAt - cdr.answeredAt)) / 1_000, "duration")
        verdict.proven.append(
            cdr.answeredAt == 0
                ? "call record \(cdr.number): the call was never answered" : "call record \(cdr.number): \(cdr.durationMs) ms from answer to end, as the events of answer and end say")
    }

    /// The charges are those of the prices in the call's first event, and the money that was moved is theirs.
    private func checkCharges(_ events: CallEvents, _ verdict: inout Verdict) throws(Contradiction) {
        let locks = events.rates
        let charges: [Charge]
        let postings: [Posting]
        do {
            // How many units were left cannot be seen from here: what the record says was taken is, and that it was on offer.
            let used = events.cdr.charges.flatMap(\.allowances)
            try checkAllowances(used, locks)
            charges = try Rater.charges(locks, milliseconds: events.cdr.durationMs, free: used)
            postings = try Rater.postings(for: charges)
        } catch let error as Contradiction {
            throw error
        } catch {
            throw Contradiction("the charge cannot be computed: \(error)")
        }
        guard events.cdr.charges.count == charges.count else {
            throw Contradiction("the record holds \(events.cdr.charges.count) charges, and \(charges.count) prices were agreed when the call started")
        }
        for (recorded, computed) in zip(events.cdr.charges, charges) where recorded != computed {
            throw Contradiction(
                "the \(computed.edge) charge is recorded as \(CallExplanation.amount(recorded.amountMicros, recorded.currency)), and the agreed price gives "
                    + CallExplanation.amount(computed.amountMicros, computed.currency))
        }
        guard events.journal?.postings ?? [] == postings else { throw Contradiction("the money that was moved is not that of the charges") }
        guard events.journal?.id ?? Data() == events.cdr.journalID else { throw Contradiction("the record names another movement of money") }
        if let imbalance = Posting.imbalance(of: postings) { throw Contradiction("the movements do not sum to zero in \(imbalance.currency)") }
        for charge in charges {
            verdict.proven.append(
                "\(charge.edge): \(CallExplanation.amount(charge.amountMicros, charge.currency)) for \(charge.billedSeconds) s, by the price that was agreed in the log when the call started (event \(events.started.envelope.sequence), before its duration was known)")
        }
        for correction in events.corrections {
            guard correction.event.callID == events.cdr.callID else {
                throw Contradiction("event \(correction.envelope.sequence) is given as a correction and names another call")
            }
            if let imbalance = Posting.imbalance(of: correction.event.postings) {
                throw Contradiction("the correction of event \(correction.envelope.sequence) does not sum to zero in \(imbalance.currency)")
            }
        }
        verdict.proven.append(postings.isEmpty ? "no money was moved for the call" : "the money that was moved is that of the charges, and sums to zero")
    }

    private func checkAllowances(_ used: [AllowanceUse], _ locks: [RateLock]) throws(Contradiction) {
        let offered = locks.flatMap(\.allowances)
        for use in used {
            let offer = offered.first { $0.sourceID == use.sourceID && $0.number == use.number && $0.periodStart == use.periodStart }
            guard let offer, offer.isMoney == use.isMoney, use.seconds <= offer.seconds, use.micros <= offer.micros else {
                throw Contradiction("the record takes free units of \(use.name) that were not on offer when the call started")
            }
        }
    }

    /// A charge that was put right is computed again like the charge, and the money that was moved is the difference.
    private func checkCorrections(_ events: CallEvents, _ verdict: inout Verdict) throws(Contradiction) {
        var counts = events.cdr.charges.map(\.amountMicros)
        for event in events.corrected {
            let charge = event.charge
            let name = "correction \(event.number)"
            let index = Int(event.chargeIndex)
            guard event.callID == events.cdr.callID, event.cdrNumber == events.cdr.number, counts.indices.contains(index) else {
                throw Contradiction("\(name) is of another call or charge")
            }
            guard event.beforeMicros == counts[index] else { throw Contradiction("\(name) is not the difference to what counted before it") }
            try event.check(milliseconds: events.cdr.durationMs, moved: events.corrections.first { $0.event.id == event.journalID }?.event.postings)
            let difference = event.differenceMicros
            counts[index] = charge.amountMicros
            verdict.proven.append(
                "\(name): the \(charge.edge) charge was put right by \(CallExplanation.amount(difference, charge.currency)) to"
                    + " \(CallExplanation.amount(charge.amountMicros, charge.currency)) for \(charge.billedSeconds) s, by version \(charge.deckVersion)"
                    + " of deck \(CallExplanation.id(charge.deckID))")
        }
    }

    /// Where a deck's version is in the pack, the price is its row with the longest prefix.
    private func checkDecks(_ events: CallEvents, _ verdict: inout Verdict) throws(Contradiction) {
        let number = explanation.called.isEmpty ? stated.called : explanation.called
        let digits = number.drop { $0 == "+" }
        for lock in events.rates {
            let name = "version \(lock.deckVersion) of deck \(CallExplanation.id(lock.deckID))"
            guard !lock.deckID.isEmpty else {
                verdict.notProven.append("\(lock.edge): that the service plan held this rate for all calls of its kind")
                continue
            }
            guard !digits.isEmpty else {
                verdict.notProven.append("\(lock.edge): that the price is the one of the number, because the number was erased or is not stated")
                continue
            }
            guard let version = events.deck(of: lock), version.importID.isEmpty else {
                verdict.notProven.append("\(lock.edge): that \(name) holds this price, because the version is not in the pack")
                continue
            }
            guard version.effectiveAt <= events.started.event.startedAt else {
                throw Contradiction("\(lock.edge): \(name) was not yet in force when the call started")
            }
            let band = version.band(at: WallTime(microseconds: events.started.event.startedAt), utcOffsetSeconds: lock.utcOffsetSeconds)
            guard DeckIndex(version.entries).entry(for: digits, band: band) == lock.entry else {
                throw Contradiction("\(lock.edge): the price that was agreed is not the row of \(name) with the longest prefix of the number")
            }
            if !version.bands.isEmpty {
                verdict.notProven.append("\(lock.edge): that the clock of \(version.timeZone) was \(lock.utcOffsetSeconds) s from UTC: compare it with the rules of the zone")
            }
            let row = lock.entry.pattern.isEmpty ? "row \"\(lock.entry.prefix)\"" : "expression \(lock.entry.pattern)"
            verdict.proven.append(
                "\(lock.edge): the price is the \(row) of \(name), \(lock.entry.pattern.isEmpty ? "the longest prefix of the number" : "which the number fits")"
                    + (explanation.called.isEmpty ? ", if the number is the one that the operator states" : ""))
        }
    }

    private func checkExplanation(_ events: CallEvents) throws(Contradiction) {
        let computed = try CallExplanation(events, number: stated.called)
        guard computed != explanation else { return }
        throw Contradiction("the explanation does not follow from the events: \(Self.difference(explanation, computed))")
    }

    /// The first field in which two explanations differ.
    private static func difference(_ given: CallExplanation, _ computed: CallExplanation) -> String {
        let names = Mirror(reflecting: given).children.map { $0.label ?? "" }
        let pairs = zip(Mirror(reflecting: given).children, Mirror(reflecting: computed).children)
        for (name, pair) in zip(names, pairs) where "\(pair.0.value)" != "\(pair.1.value)" { return "its \(name) should be \(pair.1.value)" }
        return "a field"
    }

    /// Balances cannot be proven by the call's events, but they can contradict them.
    private func checkBalances(_ events: CallEvents, _ verdict: inout Verdict) throws(Contradiction) {
        var expected: [UInt64: [String]] = [:]
        for entry in events.entries {
            guard case .journalPosted(let journal) = entry.event else { continue }
            expected[entry.envelope.sequence] = journal.postings.map { "\($0.account.text) \(CallExplanation.movement($0).amount)" }.sorted()
        }
        var given: [UInt64: [String]] = [:]
        for balance in stated.balances {
            guard let currency = Currency(balance.currency), let amount = try? Money(parsing: balance.amount, currency), let before = try? Money(parsing: balance.before, currency),
                let after = try? Money(parsing: balance.after, currency), (try? before.adding(amount)) == after
            else { throw Contradiction("the stated balance of \(balance.account) before and after do not differ by \(balance.amount)") }
            given[balance.sequence, default: []].append("\(balance.account) \(balance.amount)")
        }
        for sequence in given.keys.sorted() where given[sequence]?.sorted() != expected[sequence] {
            throw Contradiction("the stated balances of event \(sequence) are not of its movements")
        }
    }

    private func notProven(_ events: CallEvents) -> [String] {
        var words: [String] = []
        if !stated.balances.isEmpty { words.append("the balances before and after: the operator states and signs them, and their differences are the movements") }
        if !stated.names.isEmpty { words.append("the names of customers, carriers and gateways: the operator states and signs them") }
        words.append("that there are no other corrections than the \(events.corrections.count) in the pack")
        if explanation.called.isEmpty, !stated.called.isEmpty { words.append("the numbers: they are sealed in the events, and the operator states and signs them") }
        words.append("that times and packet counts are true: they are what the operator's machines reported, recorded when it says, and not changed since")
        words.append("that nothing was recorded about the call after event \(events.entries.last?.envelope.sequence ?? 0)")
        words.append("that others are shown the same log: compare the checkpoint with one from a witness")
        return words
    }
}
