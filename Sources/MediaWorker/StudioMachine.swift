internal import Foundation
internal import Model
package import Primitives

/// The sessions of a media worker: who opened them, which ports they have, when they fell silent.
///
/// Requests are idempotent by session id: opening again answers with the same ports, closing again with the
/// same figures. Opening is two steps, because only the driver can tell whether a port is to be had.
package struct StudioMachine: Sendable {
    private enum State: Sendable {
        case binding(attempts: Int, waiting: [Ticket], a: LegSetup, b: LegSetup, closing: [Ticket]?)
        case open
        case closing([Ticket])
    }

    private struct Session: Sendable {
        var owner: String
        var portA: UInt16
        var portB: UInt16
        var state: State
        /// When anybody last asked about it.
        var touchedAt: Instant
        var noticeAfter: Instant
        var queries: [Ticket] = []
        /// That is being made.
        var recording: UUIDv7?
        /// Which sides speak more than a telephone's band.
        var isWide = (a: false, b: false)
        /// Which sides hear ring-back: that is its owner's, and ends with it.
        var hearsRinging: Set<Side> = []
    }

    private struct Closed: Sendable {
        let report: MediaReport
        let until: Instant
    }

    package let rules: StudioRules
    private var pool: PortPool
    private var sessions: [MediaSessionID: Session] = [:]
    private var closed: [MediaSessionID: Closed] = [:]
    /// Ids of `closed`, oldest first.
    private var closedOrder: [MediaSessionID] = []
    private var nextSweep: Instant
    private var isDraining = false
    /// Until when whoever closed a session may ask again, because the answer did not arrive.
    private var askedAgainUntil = Instant(nanoseconds: 0)

    package init(rules: StudioRules, at now: Instant) {
        self.rules = rules
        pool = PortPool(ports: rules.ports)
        nextSweep = now + rules.sweepInterval
    }

    package var sessionCount: Int { sessions.count }
    package var sessionsMax: Int { pool.total / 2 }
    package var nextWake: Instant { isDraining && sessions.isEmpty ? min(nextSweep, askedAgainUntil) : nextSweep }

    package mutating func handle(_ input: Input, at now: Instant, wall: WallTime, into effects: inout [Effect]) {
        switch input {
        case .request(let request, let ticket, let worker): handle(request, ticket, from: worker, at: now, &effects)
        case .bound(let id): bound(id, at: now, &effects)
        case .portTaken(let id, let port): portTaken(id, port, &effects)
        case .bindFailed(let id, let reason): abandon(id, .noPorts, reason, &effects)
        case .closed(let report): finish(report, at: now, wall: wall, &effects)
        case .reported(let report):
            let answer = StudioReply.report(media(report, at: now, wall: wall))
            for ticket in sessions[report.session]?.queries ?? [] { effects.append(.reply(ticket, answer)) }
            sessions[report.session]?.queries = []
        case .silent(let reports): silent(reports, at: now, wall: wall, &effects)
        case .tick:
            endDrained(at: now, &effects)
            guard now >= nextSweep else { return }
            nextSweep = now + rules.sweepInterval
            forgetClosed(at: now)
            effects.append(.sweep(silentSince: now + (.zero - rules.silenceLimit)))
        case .refused(let id):
            guard let session = sessions[id], case .open = session.state else { return }
            var notice = StudioNotice()
            notice.sessionID = id.data
            notice.kind = .refused
            effects.append(.notice(owner: session.owner, notice))
        case .drain:
            guard !isDraining else { return }
            isDraining = true
            endDrained(at: now, &effects)
        }
    }

    // MARK: - Requests

    private mutating func handle(
        _ request: StudioRequest, _ ticket: Ticket, from worker: String, at now: Instant, _ effects: inout [Effect]
    ) {
        switch request.kind {
        case .open(let open): handle(open, ticket, from: worker, at: now, &effects)
        case .change(let change): handle(change, ticket, at: now, &effects)
        case .play(let play): handle(play, ticket, at: now, &effects)
        case .keys(let keys): handle(keys, ticket, at: now, &effects)
        case .record(let record): handle(record, ticket, at: now, &effects)
        case .close(let close):
            guard let id = MediaSessionID(close.sessionID) else {
                return refuse(ticket, .malformed, "session id", &effects)
            }
            handle(close: id, ticket, at: now, &effects)
        case .query(let query):
            guard let id = MediaSessionID(query.sessionID) else {
                return refuse(ticket, .malformed, "session id", &effects)
            }
            guard sessions[id] != nil else { return refuse(ticket, .unknownSession, "", &effects) }
            sessions[id]?.touchedAt = now
            sessions[id]?.queries.append(ticket)
            effects.append(.query(id))
        case nil: refuse(ticket, .malformed, "no request", &effects)
        }
    }

    private mutating func handle(
        _ open: OpenSession, _ ticket: Ticket, from worker: String, at now: Instant, _ effects: inout [Effect]
    ) {
        guard let id = MediaSessionID(open.sessionID) else { return refuse(ticket, .malformed, "session id", &effects) }
        if let session = sessions[id] {
            switch session.state {
            case .binding(let attempts, let waiting, let a, let b, let closing):
                sessions[id]?.state = .binding(
                    attempts: attempts, waiting: waiting + [ticket], a: a, b: b, closing: closing)
            case .open: effects.append(.reply(ticket, opened(session)))
            case .closing: refuse(ticket, .unknownSession, "the session is closed", &effects)
            }
            return
        }
        // A request that was overtaken by its own close must not open a session for nobody.
        guard closed[id] == nil else { return refuse(ticket, .unknownSession, "the session is closed", &effects) }
        guard !isDraining else { return refuse(ticket, .draining, "", &effects) }
        let legs: (a: LegSetup, b: LegSetup)
        do {
            legs = (
                try LegSetup(checking: open.hasA ? open.a : LegSpec(), family: rules.address),
                try LegSetup(checking: open.hasB ? open.b : LegSpec(), family: rules.address)
            )
        } catch {
            return refuse(ticket, .malformed, error.description, &effects)
        }
        let (a, b) = (furnished(legs.a, open.a), furnished(legs.b, open.b))
        guard let (portA, portB) = takePorts() else {
            return refuse(ticket, .noPorts, "all \(pool.total) port pairs are in use", &effects)
        }
        sessions[id] = Session(
            owner: open.owner.isEmpty ? worker : open.owner, portA: portA, portB: portB,
            state: .binding(attempts: 1, waiting: [ticket], a: a, b: b, closing: nil), touchedAt: now,
            noticeAfter: now, isWide: (legs.a.formats.isWideBand, legs.b.formats.isWideBand))
        effects.append(.bind(id, portA: portA, portB: portB, a: a, b: b))
    }

    /// A place in a conference with what is said there.
    private func furnished(_ setup: LegSetup, _ spec: LegSpec) -> LegSetup {
        guard setup.seat != nil else { return setup }
        var setup = setup
        setup.seat?.asks = rules.prompts[.conferencePin, spec.seat.language]
        setup.seat?.isWrong = rules.prompts[.conferenceWrongPin, spec.seat.language]
        setup.seat?.isFull = rules.prompts[.conferenceFull, spec.seat.language]
        return setup
    }

    private mutating func handle(_ change: ChangeSession, _ ticket: Ticket, at now: Instant, _ effects: inout [Effect])
    {
        guard let id = MediaSessionID(change.sessionID) else {
            return refuse(ticket, .malformed, "session id", &effects)
        }
        guard var session = sessions[id], case .open = session.state else {
            return refuse(ticket, .unknownSession, "", &effects)
        }
        let legs: (a: LegSetup?, b: LegSetup?)
        do {
            legs = (
                change.hasA ? try LegSetup(checking: change.a, family: rules.address) : nil,
                change.hasB ? try LegSetup(checking: change.b, family: rules.address) : nil
            )
        } catch {
            return refuse(ticket, .malformed, error.description, &effects)
        }
        session.touchedAt = now
        if let a = legs.a { session.isWide.a = a.formats.isWideBand }
        if let b = legs.b { session.isWide.b = b.formats.isWideBand }
        if !change.owner.isEmpty {
            // Only the new owner says who it is, which may have the name of the old one; it does not know that somebody rings.
            for side in [Side.a, .b] where session.hearsRinging.contains(side) { effects.append(.hush(id, side)) }
            session.hearsRinging = []
            if change.owner != session.owner { session.noticeAfter = now }  // it has not been told
            session.owner = change.owner
        }
        sessions[id] = session
        if legs.a != nil || legs.b != nil {
            effects.append(.change(id, a: legs.a.map { furnished($0, change.a) }, b: legs.b.map { furnished($0, change.b) }))
        }
        effects.append(.reply(ticket, opened(session)))
    }

    private mutating func handle(_ play: PlayPrompt, _ ticket: Ticket, at now: Instant, _ effects: inout [Effect]) {
        guard let id = MediaSessionID(play.sessionID) else { return refuse(ticket, .malformed, "session id", &effects) }
        guard let session = sessions[id], case .open = session.state else {
            return refuse(ticket, .unknownSession, "", &effects)
        }
        let side: Side = play.toB ? .b : .a
        if play.rings { sessions[id]?.hearsRinging.insert(side) } else { sessions[id]?.hearsRinging.remove(side) }
        if play.ends || play.rings || !play.sound.isEmpty {
            sessions[id]?.touchedAt = now
            if play.ends {
                effects.append(.hush(id, side))
            } else if play.sound.isEmpty {
                effects.append(.play(id, side, RingBackTone(countryCode: play.countryCode).sound, play.encoding))
            } else {
                effects.append(.sound(id, side, name: play.sound, loops: play.loops || play.rings, play.encoding))
            }
            // How long it is, is known when it is read.
            var reply = StudioReply()
            reply.playing.milliseconds = 0
            return effects.append(.reply(ticket, reply))
        }
        guard let recording = rules.prompts[play.prompt, play.language] else {
            return refuse(ticket, .unknownPrompt, "\(play.prompt)", &effects)
        }
        sessions[id]?.touchedAt = now
        effects.append(.play(id, side, recording, play.encoding))
        var reply = StudioReply()
        reply.playing.milliseconds = UInt32(clamping: recording.duration.milliseconds)
        effects.append(.reply(ticket, reply))
    }

    private mutating func handle(_ keys: SendKeys, _ ticket: Ticket, at now: Instant, _ effects: inout [Effect]) {
        guard let id = MediaSessionID(keys.sessionID), let press = KeyPress(keys) else {
            return refuse(ticket, .malformed, "session id, or keys that are none", &effects)
        }
        guard let session = sessions[id], case .open = session.state else { return refuse(ticket, .unknownSession, "", &effects) }
        sessions[id]?.touchedAt = now
        let side: Side = keys.toB ? .b : .a
        if keys.payloadType > 0 {
            effects.append(.press(id, side, press))
        } else {
            effects.append(.play(id, side, press.sound, keys.encoding))
        }
        var reply = StudioReply()
        reply.playing.milliseconds = UInt32(clamping: press.milliseconds * press.events.count)
        effects.append(.reply(ticket, reply))
    }

    private mutating func handle(_ record: RecordSession, _ ticket: Ticket, at now: Instant, _ effects: inout [Effect]) {
        guard let id = MediaSessionID(record.sessionID) else { return refuse(ticket, .malformed, "session id", &effects) }
        guard let session = sessions[id], case .open = session.state else { return refuse(ticket, .unknownSession, "", &effects) }
        var reply = StudioReply()
        reply.playing.milliseconds = 0
        sessions[id]?.touchedAt = now
        if record.ends {
            if sessions[id]?.recording != nil { effects.append(.record(id, nil)) }
            sessions[id]?.recording = nil
            return effects.append(.reply(ticket, reply))
        }
        guard let recording = UUIDv7(bytes: record.recordingID), record.key.count == 32, record.sealedKey.count <= 0xFFFF else {
            return refuse(ticket, .malformed, "recording id, a key that has not 32 bytes, or a sealed one that is too long", &effects)
        }
        // Asked again, it is the same one.
        if session.recording != recording {
            sessions[id]?.recording = recording
            var setup = RecordingSetup(id: recording, key: Array(record.key), sealedKey: Array(record.sealedKey), isMixed: record.mixed, beganAt: now)
            setup.rate = session.isWide.a || session.isWide.b ? 16_000 : 8_000
            effects.append(.record(id, setup))
        }
        effects.append(.reply(ticket, reply))
    }

    private mutating func handle(close id: MediaSessionID, _ ticket: Ticket, at now: Instant, _ effects: inout [Effect])
    {
        guard let session = sessions[id] else {
            if let past = closed[id] {
                askedAgainUntil = now + rules.repeatLimit
                return effects.append(.reply(ticket, .closed(past.report)))
            }
            return refuse(ticket, .unknownSession, "", &effects)
        }
        switch session.state {
        case .binding(let attempts, let waiting, let a, let b, let closing):
            sessions[id]?.state = .binding(
                attempts: attempts, waiting: waiting, a: a, b: b, closing: (closing ?? []) + [ticket])
        case .open:
            sessions[id]?.state = .closing([ticket])
            effects.append(.close(id))
        case .closing(let waiting): sessions[id]?.state = .closing(waiting + [ticket])
        }
    }

    // MARK: - Opening

    private mutating func takePorts() -> (UInt16, UInt16)? {
        guard let portA = pool.take() else { return nil }
        guard let portB = pool.take() else {
            pool.give(back: portA)
            return nil
        }
        return (portA, portB)
    }

    private mutating func bound(_ id: MediaSessionID, at now: Instant, _ effects: inout [Effect]) {
        guard let session = sessions[id], case .binding(_, let waiting, _, _, let closing) = session.state else {
            return
        }
        for ticket in waiting { effects.append(.reply(ticket, opened(session))) }
        if let closing {
            sessions[id]?.state = .closing(closing)
            effects.append(.close(id))
        } else {
            sessions[id]?.state = .open
        }
    }

    private mutating func portTaken(_ id: MediaSessionID, _ port: UInt16, _ effects: inout [Effect]) {
        guard var session = sessions[id],
            case .binding(let attempts, let waiting, let a, let b, let closing) = session.state
        else { return }
        guard attempts < min(rules.portAttemptsMax, pool.total), let other = pool.take() else {
            return abandon(id, .noPorts, "other programs hold the ports that are left", &effects)
        }
        // To the end of the line: the other program may be gone when its turn comes again.
        if port == session.portA || port == session.portA + 1 {
            pool.give(back: session.portA)
            session.portA = other
        } else {
            pool.give(back: session.portB)
            session.portB = other
        }
        session.state = .binding(attempts: attempts + 1, waiting: waiting, a: a, b: b, closing: closing)
        sessions[id] = session
        effects.append(.bind(id, portA: session.portA, portB: session.portB, a: a, b: b))
    }

    private mutating func abandon(
        _ id: MediaSessionID, _ code: StudioErrorCode, _ reason: String, _ effects: inout [Effect]
    ) {
        guard let session = sessions[id], case .binding(_, let waiting, _, _, let closing) = session.state else {
            return
        }
        remove(id, session, &effects)
        for ticket in waiting { refuse(ticket, code, reason, &effects) }
        for ticket in closing ?? [] { refuse(ticket, .unknownSession, "", &effects) }
    }

    private mutating func remove(_ id: MediaSessionID, _ session: Session, _ effects: inout [Effect]) {
        sessions[id] = nil
        pool.give(back: session.portA)
        pool.give(back: session.portB)
    }

    /// Figures that did not arrive would be missing in a call's record: who leaves stays for one more question.
    private func endDrained(at now: Instant, _ effects: inout [Effect]) {
        guard isDraining, sessions.isEmpty, now >= askedAgainUntil else { return }
        effects.append(.drained)
    }

    // MARK: - Closing

    private mutating func finish(_ report: RelayReport, at now: Instant, wall: WallTime, _ effects: inout [Effect]) {
        let id = report.session
        guard let session = sessions[id], case .closing(let waiting) = session.state else { return }
        let media = media(report, at: now, wall: wall)
        closed[id] = Closed(report: media, until: now + rules.memoryOfClosed)
        closedOrder.append(id)
        askedAgainUntil = now + rules.repeatLimit
        for ticket in waiting { effects.append(.reply(ticket, .closed(media))) }
        for ticket in session.queries { effects.append(.reply(ticket, .report(media))) }
        remove(id, session, &effects)
    }

    private mutating func forgetClosed(at now: Instant) {
        var gone = 0
        for id in closedOrder {
            guard closedOrder.count - gone > rules.closedMax || closed[id].map({ $0.until <= now }) ?? true else {
                break
            }
            closed[id] = nil
            gone += 1
        }
        closedOrder.removeFirst(gone)
    }

    // MARK: - Silence

    private mutating func silent(_ reports: [RelayReport], at now: Instant, wall: WallTime, _ effects: inout [Effect]) {
        for report in reports {
            guard let session = sessions[report.session], case .open = session.state else { continue }
            let silence = now - report.lastHeard
            if silence >= rules.orphanLimit, now - session.touchedAt >= rules.orphanLimit {
                sessions[report.session]?.state = .closing([])
                effects.append(.close(report.session))
            } else if silence >= rules.silenceLimit, now >= session.noticeAfter {
                sessions[report.session]?.noticeAfter = now + rules.noticeInterval
                effects.append(.notice(owner: session.owner, notice(report, at: now, wall: wall)))
            }
        }
    }

    // MARK: - Words

    private func opened(_ session: Session) -> StudioReply {
        var opened = SessionOpened()
        opened.address = rules.address.description
        opened.portA = UInt32(session.portA)
        opened.portB = UInt32(session.portB)
        opened.fingerprint = Data(rules.fingerprint)
        return .opened(opened)
    }

    private func notice(_ report: RelayReport, at now: Instant, wall: WallTime) -> StudioNotice {
        var notice = StudioNotice()
        notice.sessionID = report.session.data
        notice.kind = .silent
        notice.report = media(report, at: now, wall: wall)
        return notice
    }

    private func media(_ report: RelayReport, at now: Instant, wall: WallTime) -> MediaReport {
        var media = MediaReport()
        media.mediaWorker = rules.worker
        let trips = (report.a.quality.roundTrip ?? .zero) + (report.b.quality.roundTrip ?? .zero)
        media.a = LegMedia(report.a, trips: trips, at: now, wall: wall)
        media.b = LegMedia(report.b, trips: trips, at: now, wall: wall)
        media.converted = report.isConverted
        return media
    }

    private func refuse(_ ticket: Ticket, _ code: StudioErrorCode, _ detail: String, _ effects: inout [Effect]) {
        var error = StudioError()
        error.code = code
        error.detail = detail
        var reply = StudioReply()
        reply.error = error
        effects.append(.reply(ticket, reply))
    }
}
