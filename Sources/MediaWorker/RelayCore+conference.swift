internal import Bus
internal import Model
internal import Primitives
internal import RTP

/// The rooms of a thread, and when they are mixed.
struct Conferences {
    /// By id.
    var rooms: [[UInt8]: ConferenceRoom] = [:]
    var due = DeadlineQueue<[UInt8]>()
    /// The room whose frame is being sent, and who still waits for its packet.
    var current: ConferenceRoom?
    var waiting: [MediaSessionID] = []
    /// Callers that are refused, when they have heard why.
    var leaving = DeadlineQueue<MediaSessionID>()
    var refused: [MediaSessionID] = []
    var seats: UInt64 = 0
}

extension RelayCore {
    /// When a room is mixed next, or a packet of it still waits.
    var nextMix: Instant? { conferences.waiting.isEmpty ? conferences.due.first : .zero }

    /// What the session's caller wants of its conference.
    mutating func seat(_ id: MediaSessionID, at now: Instant) {
        guard let place = places[id] else { return }
        let (wish, seating) = sessions.withElement(at: place) { ($0.takeWish(), $0.seating) }
        guard let wish, let seating else { return }
        switch wish {
        case .enter: enter(id, place, seating, at: now)
        case .say(let recording): if let recording { tell(id, recording, seating, at: now) }
        case .refuse(let recording): refuse(id, place, recording, seating, at: now)
        }
    }

    private mutating func enter(_ id: MediaSessionID, _ place: Int, _ seating: ConferenceSeating, at now: Instant) {
        let wanted = seating.place
        let room: ConferenceRoom
        if let known = conferences.rooms[wanted.room] {
            room = known
        } else {
            room = ConferenceRoom(wanted.room, at: now + ConferenceMember.frame)
            conferences.rooms[wanted.room] = room
            conferences.due.insert(wanted.room, at: room.nextAt)
        }
        let isNew = room.member(id) == nil
        guard !isNew || room.members.count < wanted.participantsMax else { return refuse(id, place, wanted.isFull, seating, at: now) }
        conferences.seats += 1
        let member = room.join(id, seating.formats, seed: id.value.low &+ conferences.seats, isSilent: wanted.isSilent || !isNew)
        sessions.withElement(at: place) { $0.seating?.member = member }
        // Others may have got a wider band.
        for other in room.members where other.id != id {
            if let place = places[other.id] { sessions.withElement(at: place) { $0.seating?.member = other } }
        }
        if member == nil { refuse(id, place, nil, seating, at: now) }
    }

    private mutating func tell(_ id: MediaSessionID, _ recording: Recording, _ seating: ConferenceSeating, at now: Instant) {
        play(id, to: .a, recording, otherwise: .pcmu, seed: id.value.low &+ conferences.seats, at: now)
        conferences.seats += 1
    }

    private mutating func refuse(_ id: MediaSessionID, _ place: Int, _ recording: Recording?, _ seating: ConferenceSeating, at now: Instant) {
        sessions.withElement(at: place) { $0.seating?.step = .refused }
        if let recording { tell(id, recording, seating, at: now) }
        conferences.leaving.insert(id, at: now + (recording?.duration ?? .zero) + .milliseconds(200))
    }

    /// A key that signalling was told of (INFO).
    mutating func press(inConference id: MediaSessionID, _ events: [UInt8], at now: Instant) -> Bool {
        guard let place = places[id] else { return false }
        let isSeated = sessions.withElement(at: place) { session in
            guard session.b.setup.seat != nil else { return false }
            for event in events { session.seating?.press(event) }
            return true
        }
        if isSeated { seat(id, at: now) }
        return isSeated
    }

    /// The session is closed.
    mutating func leaveConference(_ id: MediaSessionID, _ place: ConferencePlace?) {
        guard let place, let room = conferences.rooms[place.room] else { return }
        room.leave(id, isSilent: place.isSilent)
        if room.members.isEmpty { conferences.rooms[place.room] = nil }
    }

    /// The next packet of a frame that is due.
    mutating func mixedPacket(at now: Instant, _ buffer: inout MutableRawSpan) -> RelayVerdict? {
        while true {
            while let room = conferences.current, let id = conferences.waiting.popLast() {
                guard let place = places[id] else { continue }
                if let verdict = sessions.withElement(at: place, { $0.mixedPacket(room, &buffer) }) { return verdict }
            }
            conferences.current = nil
            guard let id = conferences.due.popFirst(dueBy: now) else { return nil }
            guard let room = conferences.rooms[id] else { continue }
            var jitter: [MediaSessionID: Duration] = [:]
            for member in room.members {
                guard let place = places[member.id] else { continue }
                jitter[member.id] = sessions.withElement(at: place) { .nanoseconds($0.a.counters.quality.heard.jitter) }
            }
            room.turn(at: now) { jitter[$0] ?? .zero }
            conferences.due.insert(id, at: room.nextAt)
            conferences.current = room
            conferences.waiting = room.members.map(\.id)
        }
    }

    /// Callers that their conferences have refused, and who have heard why.
    package mutating func takeRefused() -> [MediaSessionID] {
        guard !conferences.refused.isEmpty else { return [] }
        defer { conferences.refused = [] }
        return conferences.refused
    }

    mutating func tickConferences(at now: Instant) {
        while let first = conferences.leaving.first, first <= now, let id = conferences.leaving.popFirst(dueBy: now) { if places[id] != nil { conferences.refused.append(id) } }
    }
}
