import Foundation
import Ledger
import Model
import Primitives
import Rating

extension CallExplanation {
    /// - Parameter number: the called number, if the events do not say it because it is sealed.
    init(_ events: CallEvents, number: String) throws(Contradiction) {
        let cdr = events.cdr
        let started = events.started.event
        call = UUIDv7(bytes: cdr.callID)?.description ?? ""
        record = cdr.number
        direction = cdr.direction.literal
        caller = started.caller.number
        dialled = started.dialled
        called = started.calledE164.isEmpty ? started.called.number : started.calledE164
        dialRule = started.dialRule
        startedAt = Self.time(started.startedAt)
        answeredAt = Self.time(events.answered?.answeredAt ?? 0)
        endedAt = Self.time(events.ended.endedAt)
        milliseconds = cdr.durationMs
        cause = events.ended.cause.literal
        sipStatus = events.ended.sipStatus
        milestones = events.entries.compactMap(Self.milestone)
        attempts = events.ended.attempts.map { attempt in
            Attempt(
                target: attempt.target, gateway: Self.id(attempt.gatewayID.isEmpty ? attempt.subscriberID : attempt.gatewayID),
                startedAt: Self.time(attempt.startedAt), ringingAt: Self.time(attempt.ringingAt), endedAt: Self.time(attempt.endedAt), status: attempt.sipStatus,
                reason: attempt.reason)
        }
        route = Self.route(started)
        mediaWorker = events.ended.media.mediaWorker
        media =
            events.ended.hasMedia
            ? [Self.leg("caller", events.ended.media.a, events), Self.leg("called", events.ended.media.b, events)] : []
        let digits = (called.isEmpty ? number : called).drop { $0 == "+" }
        var charges: [Charge] = []
        for lock in events.rates {
            let used = lock.allowances.isEmpty ? [] : cdr.charges.flatMap(\.allowances)
            charges.append(try Charge(lock, cdr.durationMs, events.deck(of: lock), digits: String(digits), used: used))
        }
        self.charges = charges
        movements = (events.journal?.postings ?? []).map(Self.movement)
        corrections = events.corrections.map { envelope, event in
            Correction(
                sequence: envelope.sequence, recordedAt: envelope.time.rfc3339, reason: event.reason, movements: event.postings.map(Self.movement))
        }
    }

    private static func route(_ started: CallStarted) -> [RouteStep]? {
        guard !started.route.isEmpty else { return nil }
        var place = 0
        return started.route.map { step in
            if step.verdict == .planned { place += 1 }
            return RouteStep(
                place: step.verdict == .planned ? place : nil,
                carrier: id(step.carrierID.isEmpty ? (started.direction == .inbound ? started.caller.carrierID : started.called.carrierID) : step.carrierID),
                gateway: id(step.gatewayID), verdict: step.verdict.literal, rule: step.detail, words: words(step, place))
        }
    }

    private static func words(_ step: Model.RouteStep, _ place: Int) -> String {
        switch step.verdict {
        case .planned: place == 1 ? "chosen" : "to be tried if \(place == 2 ? "the first" : "those before it") cannot take the call"
        case .disabled: "left out: it is disabled"
        case .full: "left out: it had as many calls as it takes"
        case .paced: "left out: as many calls as it takes had been sent there within a second"
        case .noRule: "left out: no outbound rule fits"
        case .stopped: "left out: the rule of a carrier before it stops the search"
        case .noPrice: "left out: its deck has no price for the number"
        case .atALoss: "left out: somebody who refuses losses would pay more than it earns"
        case .noGateway: "left out: it has no gateways"
        case .outOfService: "left out: it did not answer when it was asked whether it is there"
        case .UNRECOGNIZED: "left out by a rule of a later version"
        }
    }

    private static func milestone(_ entry: CallEvents.Entry) -> Milestone? {
        guard entry.role == .call else { return nil }
        var at = entry.envelope.time.microseconds
        var what: String
        switch entry.event {
        case .callStarted(let event):
            at = event.startedAt
            what = "the call was accepted by \(event.worker)"
            if !event.sourceAddress.isEmpty { what += ", from \(event.sourceAddress)" }
        case .callAnswered(let event):
            at = event.answeredAt
            what = "answered by " + (event.gatewayID.isEmpty ? "subscriber \(id(event.subscriberID))" : "gateway \(id(event.gatewayID))")
        case .callUpdated: what = "the session was changed (hold, resume or another media worker)"
        case .callAdopted(let event): what = "\(event.worker) carried the call on, because \(event.fromWorker) was lost"
        case .creditRenewed(let event): what = "credit renewed: \(amount(event.hold.amountMicros, event.hold.account.currency)) held for \(event.hold.grantedSeconds) s"
        case .callEnded(let event):
            at = event.endedAt
            what = "ended: \(event.cause.literal), answered to the caller with \(event.sipStatus)"
        case .journalPosted: what = "money was moved"
        case .chargeCorrected(let event):
            at = event.correctedAt
            what = "the \(event.charge.edge) charge was put right by \(amount(event.differenceMicros, event.charge.currency))"
                + " to \(amount(event.charge.amountMicros, event.charge.currency)): \(event.reason)"
        case .cdrRecorded(let event): what = "recorded as call record \(event.cdr.number)"
        default: what = entry.envelope.type
        }
        return Milestone(at: time(at), recordedAt: entry.envelope.time.rfc3339, sequence: entry.envelope.sequence, what: what)
    }

    private static func leg(_ name: String, _ media: LegMedia, _ events: CallEvents) -> Leg {
        var words = "nothing was heard from the \(name)"
        if media.packetsIn > 0, media.lastPacketAt > 0 {
            let before = Double(events.ended.endedAt - media.lastPacketAt) / 1_000_000
            let tenths = Int64((before * 10).rounded())
            words = "the last packet from the \(name) came \(abs(tenths) / 10).\(abs(tenths) % 10) s \(tenths < 0 ? "after" : "before") the end"
        }
        return Leg(
            leg: name, packetsIn: media.packetsIn, bytesIn: media.bytesIn, packetsOut: media.packetsOut, bytesOut: media.bytesOut, dropped: media.dropped,
            lastPacketAt: time(media.lastPacketAt), words: words)
    }

    static func movement(_ posting: Posting) -> Movement {
        Movement(account: posting.account.text, amount: amount(posting.amountMicros, posting.account.currency, withCode: false), currency: posting.account.currency)
    }

    static func time(_ microseconds: Int64) -> String { microseconds == 0 ? "" : WallTime(microseconds: microseconds).rfc3339 }

    static func id(_ data: Data) -> String { UUIDv7(bytes: data)?.description ?? "" }

    static func amount(_ micros: Int64, _ code: String, withCode: Bool = true) -> String {
        withCode ? "\(Money.decimal(micros: micros)) \(code)" : Money.decimal(micros: micros)
    }
}

extension CallExplanation.Charge {
    /// The charge by the price that was agreed when the call started, step by step.
    ///
    /// - Parameter used: free units that the record says the call took.
    init(
        _ lock: RateLock, _ milliseconds: UInt64, _ version: RateDeckVersion?, digits: String, used: [AllowanceUse]
    ) throws(Contradiction) {
        let explained: Explanation
        do throws(RatingError) {
            explained = try Explanation(lock, milliseconds: milliseconds, free: used)
        } catch {
            throw Contradiction("the charge of the \(lock.edge) edge cannot be computed: \(error)")
        }
        edge = lock.edge
        deck = CallExplanation.id(lock.deckID)
        self.version = lock.deckVersion
        chosen = CallExplanation.Candidate(lock.entry, version)
        let index = DeckIndex(digits.isEmpty ? [] : version?.entries ?? [])
        candidates = index.candidates(for: digits).map { CallExplanation.Candidate($0, version) }
        seconds = explained.usedSeconds
        billedSeconds = explained.billedSeconds
        amount = Money.decimal(micros: explained.dueMicros)
        currency = lock.currency
        payer = lock.payer.text
        payee = lock.payee.text
        steps = [
            explained.isLimited
                ? "\(milliseconds) ms from answer to end: money was set aside for \(seconds) s, and no more is charged"
                : "\(milliseconds) ms from answer to end: a second that has begun counts, so \(seconds) s"
        ]
        if let band = Self.bandStep(lock, version) { steps.insert(band, at: 0) }
        steps += Self.timeSteps(explained, increments: chosen.increments)
        for use in explained.allowances where !use.isMoney {
            steps.append("\(use.seconds) s of them are free units of \(use.name), of the period from \(CallExplanation.time(use.periodStart))")
        }
        steps.append(Self.sumStep(explained, chosen))
        steps.append("rounded half-up to \(lock.decimals) decimals: \(Money.decimal(micros: explained.sum.amountMicros)) \(currency)")
        for use in explained.allowances where use.isMoney {
            steps.append("\(Money.decimal(micros: use.micros)) of it are free units of \(use.name), of the period from \(CallExplanation.time(use.periodStart))")
        }
        if explained.allowances.contains(where: \.isMoney) { steps.append("due beside them: \(amount) \(currency)") }
    }

    /// By which clock the band was chosen, if the version has bands.
    private static func bandStep(_ lock: RateLock, _ version: RateDeckVersion?) -> String? {
        guard lock.entry.band != 0 || lock.utcOffsetSeconds != 0 || version?.bands.isEmpty == false else { return nil }
        let minutes = abs(lock.utcOffsetSeconds) / 60
        let clock = "UTC\(lock.utcOffsetSeconds < 0 ? "-" : "+")\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)"
        let band = lock.entry.band == 0 ? "the row that counts outside of bands" : "the row of band \(version?.bandName(lock.entry.band) ?? String(lock.entry.band))"
        return "\(band), by the clock of \(version?.timeZone ?? "the deck"), \(clock) when the call came in; it holds for the whole call"
    }

    private static func timeSteps(_ explained: Explanation, increments: String) -> [String] {
        let price = explained.lock.entry
        switch explained.counted.reason {
        case .freeDelay: return ["a call of up to \(price.freeDelaySeconds) s is free: 0 s billed"]
        case .freeSeconds: return ["the first \(price.freeSeconds) s are free: 0 s billed, the connection fee alone is due"]
        case .counted: break
        }
        var steps: [String] = []
        if price.freeSeconds > 0 { steps.append("the first \(price.freeSeconds) s are free: \(explained.usedSeconds - UInt64(price.freeSeconds)) s are left") }
        if price.minimumSeconds > 0 { steps.append("at least \(price.minimumSeconds) s are counted: \(explained.counted.seconds) s") }
        let (first, next) = (explained.increments.first, explained.increments.next)
        steps.append("increments \(increments): the first of \(first) s, then \(explained.nextIncrements) × \(next) s, are \(explained.billedSeconds) s billed")
        return steps
    }

    private static func sumStep(_ explained: Explanation, _ price: CallExplanation.Candidate) -> String {
        let (sum, entry) = (explained.sum, explained.lock.entry)
        var time = "\(price.perMinute) a minute × \(sum.nextSeconds) s ÷ 60"
        var parts = "\(sum.time)"
        if let first = sum.first {
            time = "\(Money.decimal(micros: entry.firstPerMinuteMicros)) a minute × \(sum.firstSeconds) s ÷ 60 + " + time
            parts = "\(first) + \(sum.next)"
        }
        let fee = explained.counted.reason == .freeDelay ? "no connection fee" : "\(price.connectionFee) connection fee"
        guard entry.isFeeDeductible else { return "\(fee) + \(time) = \(sum.fee) + \(parts) = \(sum.exact)" }
        return "the greater of \(fee) and \(time), because the fee is a minimum charge: \(sum.fee) and \(parts), so \(sum.exact)"
    }
}

extension CallExplanation.Candidate {
    init(_ entry: RateEntry, _ version: RateDeckVersion?) {
        prefix = entry.prefix
        destination = entry.destination
        connectionFee = Money.decimal(micros: entry.connectionFeeMicros)
        perMinute = Money.decimal(micros: entry.perMinuteMicros)
        increments = "\(max(1, entry.firstIncrementSeconds))/\(max(1, entry.nextIncrementSeconds))"
        var terms: [String] = []
        if entry.freeDelaySeconds > 0 { terms.append("a call of up to \(entry.freeDelaySeconds) s is free") }
        if entry.freeSeconds > 0 { terms.append("the first \(entry.freeSeconds) s are free") }
        if entry.minimumSeconds > 0 { terms.append("at least \(entry.minimumSeconds) s") }
        if entry.hasFirstPerMinuteMicros { terms.append("the first increment at \(Money.decimal(micros: entry.firstPerMinuteMicros)) a minute") }
        if entry.isFeeDeductible { terms.append("the connection fee is a minimum charge") }
        if entry.isExact { terms.append("for this number alone") }
        self.terms = terms.isEmpty ? nil : terms
        band = entry.band == 0 ? nil : version?.bandName(entry.band) ?? String(entry.band)
        pattern = entry.pattern.isEmpty ? nil : entry.pattern
    }
}
