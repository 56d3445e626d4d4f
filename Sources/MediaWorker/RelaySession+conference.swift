internal import Primitives
internal import RTP

/// A caller's place in a conference: asked for the PIN, let in, refused.
struct ConferenceSeating {
    enum Step: Equatable {
        /// The PIN is being pressed.
        case asking(pressed: [UInt8], tries: Int)
        case seated
        case refused
    }

    /// What is to be done about it: by the core, which knows the rooms.
    enum Wish {
        case enter
        case say(Recording?)
        case refuse(Recording?)
    }

    static let triesMax = 3

    let place: ConferencePlace
    let formats: LegFormats
    var step: Step
    var wish: Wish?
    /// Reads keys while the PIN is asked for.
    var keys = EventKeys()
    var member: ConferenceMember?

    init(_ place: ConferencePlace, _ formats: LegFormats) {
        self.place = place
        self.formats = formats
        if place.pin.isEmpty {
            step = .seated
            wish = .enter
        } else {
            step = .asking(pressed: [], tries: 0)
            wish = .say(place.asks)
        }
    }

    mutating func press(_ key: UInt8) {
        guard case .asking(var pressed, var tries) = step else { return }
        // The pound key ends what is too short.
        if key < 10 { pressed.append(key) }
        guard pressed.count >= place.pin.count || key == 11 else { return step = .asking(pressed: pressed, tries: tries) }
        if pressed == place.pin {
            step = .seated
            wish = .enter
            return
        }
        tries += 1
        step = tries < Self.triesMax ? .asking(pressed: [], tries: tries) : .refused
        wish = tries < Self.triesMax ? .say(place.isWrong) : .refuse(place.isWrong)
    }
}

extension RelaySession {
    /// Speech of a caller goes to the room, and RTCP ends here.
    mutating func confer(
        _ side: Side, _ channel: Channel, from source: SocketAddress, _ buffer: inout MutableRawSpan, count: Int, at now: Instant, rules: SourceRules
    ) -> RelayVerdict {
        guard side == .a else { return .drop(.notNegotiated) }
        switch a.receive(on: channel, from: source, &buffer, count: count, at: now, rules: rules) {
        case .dropped(let reason): return .drop(reason)
        case .consumed: return .consumed
        case .accepted(.control, let count):
            a.counters.quality.read(buffer.bytes.extracting(first: count), at: now)
            a.counters.count(.converted)
            return .drop(.converted)
        case .accepted(.media, let count):
            let packet = buffer.bytes.extracting(first: count)
            if let tap { tap.take(.a, packet, at: now) }
            if let member = seating?.member {
                if let reason = member.take(packet) {
                    a.counters.count(reason)
                    return .drop(reason)
                }
            } else if let formats = seating?.formats, let key = seating?.keys.read(packet, formats) {
                seating?.press(key)
            }
            return .consumed
        }
    }

    /// After the legs were changed.
    ///
    /// - Returns: whether the place that it had was in another room than it has one in now.
    mutating func standUp(from former: ConferencePlace?) -> Bool {
        guard let former, former.room != b.setup.seat?.room else { return false }
        seating = nil
        return true
    }

    /// After the legs were changed: a caller whose formats are known takes its place; others of its own make it another member.
    mutating func sitAsAgreed() {
        guard let place = b.setup.seat else { return }
        converts = true
        let formats = a.setup.formats
        guard !formats.speech.isEmpty, seating?.formats != formats else { return }
        guard let before = seating else { return seating = ConferenceSeating(place, formats) }
        var next = ConferenceSeating(place, formats)
        next.step = before.step
        next.wish = before.step == .seated ? .enter : nil
        seating = next
    }

    mutating func takeWish() -> ConferenceSeating.Wish? {
        defer { seating?.wish = nil }
        return seating?.wish
    }

    /// The packet of a frame that was mixed.
    mutating func mixedPacket(_ room: ConferenceRoom, _ buffer: inout MutableRawSpan) -> RelayVerdict? {
        // Who is told something does not hear the others meanwhile.
        guard a.prompt == nil, let member = seating?.member else { return nil }
        let count = room.write(member, into: &buffer)
        guard count > 0 else { return nil }
        switch a.dispatch(.media, &buffer, count: count) {
        case .ready(let port, let destination, let count): return .forward(from: port, to: destination, count: count)
        case .dropped(let reason):
            a.counters.count(reason)
            return .drop(reason)
        }
    }
}
