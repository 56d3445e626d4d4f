internal import Primitives
internal import RTP

/// Two legs; what one hears, the other is sent.
struct RelaySession: ~Copyable {
    let id: MediaSessionID
    let openedAt: Instant
    var a: RelayLeg
    var b: RelayLeg
    /// The sides share no codec.
    var converts = false
    var conversion: Conversion?
    /// What `conversion` was made of, and how many there were.
    var converted: (a: LegFormats, b: LegFormats)?
    var conversions: UInt64 = 0
    /// Of a caller of a conference.
    var seating: ConferenceSeating?
    /// nil: all packets pass the worker.
    let shortcuts: ShortcutRules?
    /// Something has happened to a shortcut, or could: see `RelayCore.reviewShortcuts`.
    var shortcutsNeedReview = false
    /// It is about to be closed.
    var isEnding = false
    /// Where packets are copied for a recording.
    private(set) var tap: RecordingTap?

    init(id: MediaSessionID, openedAt: Instant, a: consuming RelayLeg, b: consuming RelayLeg, shortcuts: ShortcutRules? = nil) {
        self.id = id
        self.shortcuts = shortcuts
        self.openedAt = openedAt
        self.a = a
        self.b = b
        convertAsAgreed(at: openedAt)
        sitAsAgreed()
    }

    var report: RelayReport { RelayReport(session: id, openedAt: openedAt, a: a.counters, b: b.counters, isConverted: conversions > 0) }

    mutating func relay(
        _ side: Side, _ channel: Channel, from source: SocketAddress, _ buffer: inout MutableRawSpan, count: Int,
        at now: Instant, rules: SourceRules
    ) -> RelayVerdict {
        if converts {
            guard b.setup.seat == nil else { return confer(side, channel, from: source, &buffer, count: count, at: now, rules: rules) }
            return convert(side, channel, from: source, &buffer, count: count, at: now, rules: rules)
        }
        let verdict =
            switch side {
            case .a: RelaySession.pass(&a, &b, .a, tap, channel, from: source, &buffer, count: count, at: now, rules: rules)
            case .b: RelaySession.pass(&b, &a, .b, tap, channel, from: source, &buffer, count: count, at: now, rules: rules)
            }
        if let shortcuts, case .forward = verdict, channel == .media { noteForShortcut(side, buffer.bytes, at: now, shortcuts) }
        return verdict
    }

    /// Those that a packet from `side` needs.
    borrowing func prefetchKeys(_ side: Side) {
        switch side {
        case .a: RelaySession.prefetchKeys(from: a, to: b)
        case .b: RelaySession.prefetchKeys(from: b, to: a)
        }
    }

    private static func prefetchKeys(from near: borrowing RelayLeg, to far: borrowing RelayLeg) {
        near.prefetchInbound()
        far.prefetchOutbound()
    }

    private static func pass(
        _ near: inout RelayLeg, _ far: inout RelayLeg, _ side: Side, _ tap: RecordingTap?, _ channel: Channel, from source: SocketAddress,
        _ buffer: inout MutableRawSpan, count: Int, at now: Instant, rules: SourceRules
    ) -> RelayVerdict {
        switch near.receive(on: channel, from: source, &buffer, count: count, at: now, rules: rules) {
        case .dropped(let reason): return .drop(reason)
        case .consumed: return .consumed
        case .accepted(let channel, let count):
            if channel == .control, !near.setup.isOpaque {
                near.counters.quality.read(buffer.bytes.extracting(first: count), at: now)
                far.counters.quality.tell(buffer.bytes.extracting(first: count), at: now)
            } else if channel == .media {
                if let tap, !near.setup.isOpaque { tap.take(side, buffer.bytes.extracting(first: count), at: now) }
                if far.prompt != nil {
                    near.counters.count(.announcing)
                    return .drop(.announcing)
                }
            }
            switch far.dispatch(channel, &buffer, count: count) {
            case .ready(let port, let destination, let count):
                return .forward(from: port, to: destination, count: count)
            case .dropped(let reason):
                near.counters.count(reason)
                return .drop(reason)
            }
        }
    }

    // MARK: - Checks and handshakes

    /// What is to be sent to a side, and when that side wants to be looked at again.
    mutating func takeReplies(_ side: Side, into replies: inout [RelayReply]) -> Instant? {
        switch side {
        case .a: a.takeReplies(into: &replies)
        case .b: b.takeReplies(into: &replies)
        }
    }

    mutating func tick(_ side: Side, at now: Instant) {
        switch side {
        case .a: a.tick(at: now)
        case .b: b.tick(at: now)
        }
    }

    // MARK: - Recording

    /// - Parameter tap: nil: it is not recorded any more.
    mutating func record(into tap: RecordingTap?) {
        self.tap?.end()
        self.tap = tap
        tellTap()
    }

    /// After the legs were changed.
    func tellTap() { tap?.set(a.setup.formats, b.setup.formats) }

    // MARK: - Prompts

    /// Where a stream of ours begins that a side hears instead of the other one: where that one would go on. There are receivers that take timestamps
    /// of another source for those of the one before.
    func upcoming(for side: Side, at now: Instant) -> (sequence: UInt16, timestamp: UInt32)? {
        if let converter = side == .a ? conversion?.toA : conversion?.toB { return converter.upcoming }
        return side == .a ? b.counters.quality.heard.next(at: now) : a.counters.quality.heard.next(at: now)
    }

    mutating func set(_ prompt: OwnStream?, for side: Side) {
        switch side {
        case .a: a.prompt = prompt
        case .b: b.prompt = prompt
        }
    }

    /// - Returns: nil: the prompt was replaced or is over; `next`: when the one after is due, nil behind the last.
    mutating func promptPacket(
        _ side: Side, ssrc: UInt32, at now: Instant, _ buffer: inout MutableRawSpan
    ) -> (verdict: RelayVerdict, next: Instant?)? {
        switch side {
        case .a: a.promptPacket(ssrc: ssrc, at: now, &buffer)
        case .b: b.promptPacket(ssrc: ssrc, at: now, &buffer)
        }
    }
}
