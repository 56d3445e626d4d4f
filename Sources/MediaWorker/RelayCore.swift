internal import Bus
package import Model
package import OpenSSL
package import Primitives
package import RTP

/// The packet path without sockets: a table from ports to the legs of sessions, and what becomes of a packet.
///
/// Belongs to one thread. Opening, changing and closing sessions may allocate; `handle` does not.
package struct RelayCore: ~Copyable {
    let ports: ClosedRange<UInt16>
    private let rules: SourceRules
    /// nil: all packets pass the worker.
    let shortcuts: ShortcutRules?
    /// For each port: 0, or the session's place, side and channel in one number.
    private var routes: [UInt32]
    var sessions: Slab<RelaySession>
    private(set) var places: [MediaSessionID: Int] = [:]
    /// Prompts that are being played, by when their next packet is due.
    private var prompts = DeadlineQueue<Playing>()
    /// Sides whose handshakes wait for an answer, by when they ask again.
    private var handshakes = DeadlineQueue<Waiting>()
    private var replies: [RelayReply] = []
    var conferences = Conferences()
    var shortcutOrders: [ShortcutOrder] = []
    /// Our ports whose shortcuts are closed, by when their last packets are counted.
    var closingShortcuts = DeadlineQueue<UInt16>()
    private let identity: DTLSIdentity?
    /// Packets to ports that belong to no session.
    package private(set) var packetsWithoutSession: UInt64 = 0

    /// - Parameters:
    ///   - ports: all that sessions may be opened on; each takes two pairs of an even port and the next.
    ///   - identity: our side of DTLS; nil: it is not spoken.
    ///   - shortcuts: whether somebody asks for `takeShortcutOrders`.
    package init(ports: ClosedRange<UInt16>, rules: SourceRules = SourceRules(), identity: DTLSIdentity? = nil, shortcuts: ShortcutRules? = nil) {
        self.ports = ports
        self.shortcuts = shortcuts
        self.rules = rules
        self.identity = identity
        routes = Array(repeating: 0, count: ports.count)
        sessions = Slab(capacity: max(1, ports.count / 4))
    }

    package var sessionCount: Int { sessions.count }

    // MARK: - Packets

    /// Judges a packet, and makes it ready to be sent on, in place.
    /// - Parameters:
    ///   - port: ours, to which it came.
    ///   - buffer: the packet, and behind it `SRTPSession.spareByteCount` bytes for a tag.
    ///   - count: bytes of the packet.
    package mutating func handle(
        port: UInt16, from source: SocketAddress, _ buffer: inout MutableRawSpan, count: Int, at now: Instant
    ) -> RelayVerdict {
        precondition(count >= 0 && count <= buffer.byteCount)
        guard ports.contains(port), let route = Route(code: routes[Int(port - ports.lowerBound)]) else {
            packetsWithoutSession += 1
            return .drop(.noSession)
        }
        let rules = rules
        var needsReview = false
        let verdict = sessions.withElement(at: route.place) { session in
            let verdict = session.relay(route.side, route.channel, from: source, &buffer, count: count, at: now, rules: rules)
            needsReview = session.shortcutsNeedReview
            return verdict
        }
        if needsReview { reviewShortcuts(at: route.place, now) }
        if case .consumed = verdict {
            gatherReplies(of: route.place, route.side)
            if let id = sessions.withElement(at: route.place, { $0.seating?.wish == nil ? nil : $0.id }) { seat(id, at: now) }
        }
        return verdict
    }

    /// Says that a packet to `port` will be handled some packets later: its session is fetched from memory meanwhile.
    package func expect(_ port: UInt16) {
        guard ports.contains(port), let route = Route(code: routes[Int(port - ports.lowerBound)]) else { return }
        sessions.prefetch(route.place)
    }

    /// The same nearer to it, behind `expect`: now its keys.
    package mutating func expectSoon(_ port: UInt16) {
        guard ports.contains(port), let route = Route(code: routes[Int(port - ports.lowerBound)]) else { return }
        sessions.withElement(at: route.place) { $0.prefetchKeys(route.side) }
    }

    // MARK: - Checks and handshakes

    private struct Waiting: Sendable {
        let session: MediaSessionID
        let side: Side
    }

    private mutating func gatherReplies(of place: Int, _ side: Side) {
        var gathered = replies
        replies = []
        let (id, wake) = sessions.withElement(at: place) { session in (session.id, session.takeReplies(side, into: &gathered)) }
        replies = gathered
        if let wake { handshakes.insert(Waiting(session: id, side: side), at: wake) }
    }

    package var hasReplies: Bool { !replies.isEmpty }

    /// What is to be sent for packets that were `consumed`, and for handshakes of our own.
    package mutating func takeReplies() -> [RelayReply] {
        defer { replies = [] }
        return replies
    }

    /// When `tick` or `promptPacket` has something to do.
    package var nextWake: Instant? {
        var first = nextPrompt
        for other in [handshakes.first, conferences.leaving.first, closingShortcuts.first] { if let other { first = min(other, first ?? other) } }
        return first
    }

    /// What was not answered in time is asked again; see `takeReplies`.
    package mutating func tick(at now: Instant) {
        tickConferences(at: now)
        tickShortcuts(at: now)
        while let first = handshakes.first, first <= now, let waiting = handshakes.popFirst(dueBy: now) {
            guard let place = places[waiting.session] else { continue }
            sessions.withElement(at: place) { $0.tick(waiting.side, at: now) }
            gatherReplies(of: place, waiting.side)
        }
    }

    /// Counts a datagram that was cut by the socket layer because no packet is that long.
    package mutating func dropTooLong(port: UInt16) {
        guard ports.contains(port), let route = Route(code: routes[Int(port - ports.lowerBound)]) else {
            packetsWithoutSession += 1
            return
        }
        sessions.withElement(at: route.place) { session in
            switch route.side {
            case .a: session.a.counters.count(.tooLong)
            case .b: session.b.counters.count(.tooLong)
            }
        }
    }

    /// Writes the next packet that came of one that `handle` took in. Asked until there is none.
    ///
    /// - Parameters:
    ///   - port: to which that one came.
    ///   - buffer: room for a packet and `SRTPSession.spareByteCount` bytes; it may be that of the packet.
    package mutating func convertedPacket(port: UInt16, at now: Instant, _ buffer: inout MutableRawSpan) -> RelayVerdict? {
        guard ports.contains(port), let route = Route(code: routes[Int(port - ports.lowerBound)]) else { return nil }
        return sessions.withElement(at: route.place) { $0.convertedPacket(from: route.side, &buffer, at: now) }
    }

    // MARK: - Prompts

    private struct Playing: Sendable {
        let session: MediaSessionID
        let side: Side
        /// Which of the prompts that a leg has been given: a second one replaces the first.
        let ssrc: UInt32
    }

    /// Lets one side hear a prompt; an unknown session is left alone.
    package mutating func play(_ id: MediaSessionID, to side: Side, _ prompt: PromptStream) {
        play(id, to: side, .speech(prompt))
    }

    /// The same, in the codec that the side has agreed on.
    package mutating func play(
        _ id: MediaSessionID, to side: Side, _ recording: Recording, otherwise encoding: PromptEncoding, seed: UInt64, at now: Instant
    ) {
        guard let place = places[id] else { return }
        let (formats, upcoming) = sessions.withElement(at: place) { session in
            (side == .a ? session.a.setup.formats : session.b.setup.formats, session.upcoming(for: side, at: now))
        }
        var prompt = PromptStream(recording, PromptVoice(formats, otherwise: encoding), seed: seed, at: now)
        if let upcoming { prompt.begin(at: upcoming) }
        play(id, to: side, .speech(prompt))
    }

    /// The side hears the other one again.
    package mutating func hush(_ id: MediaSessionID, _ side: Side) {
        guard let place = places[id] else { return }
        sessions.withElement(at: place) { $0.set(nil, for: side) }
    }

    /// Lets one side get keys; an unknown session is left alone.
    package mutating func press(_ id: MediaSessionID, to side: Side, _ keys: KeyStream) {
        play(id, to: side, .keys(keys))
    }

    private mutating func play(_ id: MediaSessionID, to side: Side, _ prompt: OwnStream) {
        guard let place = places[id] else { return }
        let playing = Playing(session: id, side: side, ssrc: prompt.ssrc)
        prompts.insert(playing, at: prompt.nextAt)
        sessions.withElement(at: place) { $0.set(prompt, for: side) }
        reviewShortcuts(at: place, prompt.nextAt)
    }

    /// When `promptPacket` has one.
    package var nextPrompt: Instant? {
        guard let mix = nextMix else { return prompts.first }
        return min(mix, prompts.first ?? mix)
    }

    /// Writes the next packet of a prompt that is due.
    /// - Parameter buffer: room for a packet and `SRTPSession.spareByteCount` bytes.
    /// - Returns: nil: none is due.
    package mutating func promptPacket(at now: Instant, _ buffer: inout MutableRawSpan) -> RelayVerdict? {
        while let playing = prompts.popFirst(dueBy: now) {
            guard let place = places[playing.session] else { continue }
            let step = sessions.withElement(at: place) { $0.promptPacket(playing.side, ssrc: playing.ssrc, at: now, &buffer) }
            guard let step else { continue }
            if let next = step.next { prompts.insert(playing, at: next) }
            return step.verdict
        }
        return mixedPacket(at: now, &buffer)
    }

    // MARK: - Sessions

    /// - Precondition: the ports and their successors are in range and free, and so is the id.
    package mutating func open(
        _ id: MediaSessionID, portA: UInt16, portB: UInt16, a: LegSetup, b: LegSetup, at now: Instant
    ) throws(SRTPError) {
        precondition(places[id] == nil)
        let legA = try RelayLeg(port: portA, setup: a, identity: identity, at: now)
        let legB = try RelayLeg(port: portB, setup: b, identity: identity, at: now)
        let place = sessions.insert(RelaySession(id: id, openedAt: now, a: legA, b: legB, shortcuts: shortcuts))
        places[id] = place
        route(portA, to: place, .a)
        route(portB, to: place, .b)
        gatherReplies(of: place, .a)
        gatherReplies(of: place, .b)
        seat(id, at: now)
    }

    /// Changes what is given; nil leaves a side as it is. An unknown session is left alone.
    package mutating func change(_ id: MediaSessionID, a: LegSetup?, b: LegSetup?, at now: Instant) throws(SRTPError) {
        guard let place = places[id] else { return }
        let former = try sessions.withElement(at: place) { session throws(SRTPError) -> ConferencePlace? in
            let former = session.b.setup.seat
            if let a { try session.a.change(to: a, at: now) }
            if let b { try session.b.change(to: b, at: now) }
            let hasLeft = session.standUp(from: former)
            session.convertAsAgreed(at: now)
            session.tellTap()
            session.sitAsAgreed()
            return hasLeft ? former : nil
        }
        leaveConference(id, former)
        gatherReplies(of: place, .a)
        gatherReplies(of: place, .b)
        seat(id, at: now)
        reviewShortcuts(at: place, now)
    }

    /// - Returns: what was relayed; nil for an unknown session.
    package mutating func close(_ id: MediaSessionID) -> RelayReport? {
        guard let place = places.removeValue(forKey: id) else { return nil }
        var session = sessions.remove(at: place)
        session.record(into: nil)
        leaveConference(id, session.b.setup.seat)
        unroute(session.a.port)
        unroute(session.b.port)
        return session.report
    }

    /// Copies what both sides say from now on; an unknown session is left alone, and its recording ends.
    /// - Parameter tap: nil: nothing is copied any more.
    package mutating func record(_ id: MediaSessionID, into tap: RecordingTap?, at now: Instant) {
        guard let place = places[id] else {
            tap?.end()
            return
        }
        sessions.withElement(at: place) { $0.record(into: tap) }
        reviewShortcuts(at: place, now)
    }

    package mutating func report(_ id: MediaSessionID) -> RelayReport? {
        guard let place = places[id] else { return nil }
        return sessions.withElement(at: place) { $0.report }
    }

    /// Sessions of which neither side was heard since `instant`, in the order of their ids.
    package mutating func sessions(silentSince instant: Instant) -> [RelayReport] {
        var silent: [RelayReport] = []
        for place in 0..<sessions.capacity where sessions.holds(place) {
            let report = sessions.withElement(at: place) { $0.report }
            if report.lastHeard <= instant { silent.append(report) }
        }
        return silent.sorted { $0.session < $1.session }
    }

    // MARK: - Ports

    /// Whose media a port is for.
    func route(of port: UInt16) -> (place: Int, side: Side)? {
        guard ports.contains(port), let route = Route(code: routes[Int(port - ports.lowerBound)]), route.channel == .media else { return nil }
        return (route.place, route.side)
    }

    private mutating func route(_ port: UInt16, to place: Int, _ side: Side) {
        for (offset, channel) in [Channel.media, .control].enumerated() {
            let index = Int(port - ports.lowerBound) + offset
            precondition(routes[index] == 0)
            routes[index] = Route(place: place, side: side, channel: channel).code
        }
    }

    private mutating func unroute(_ port: UInt16) {
        let index = Int(port - ports.lowerBound)
        routes[index] = 0
        routes[index + 1] = 0
    }
}

/// Whom a port belongs to, packed into one number: place, then a bit for the side, a bit for the channel, and a
/// one that tells it from "nobody".
private struct Route {
    let place: Int
    let side: Side
    let channel: Channel

    init(place: Int, side: Side, channel: Channel) {
        self.place = place
        self.side = side
        self.channel = channel
    }

    init?(code: UInt32) {
        guard code & 1 != 0 else { return nil }
        place = Int(code >> 3)
        side = code & 4 != 0 ? .b : .a
        channel = code & 2 != 0 ? .control : .media
    }

    var code: UInt32 { UInt32(place) << 3 | (side == .b ? 4 : 0) | (channel == .control ? 2 : 0) | 1 }
}
