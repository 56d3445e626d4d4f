internal import Primitives

/// Decides for one side of a session whether its packets may pass without the worker: a machine, one for each direction.
///
/// learning → asked → open → closing → learning; a refusal leads from asked to waiting, and from there to learning.
struct Shortcut: Sendable {
    enum State: Equatable, Sendable {
        /// So many packets of one stream in a row.
        case learning(Int)
        case asked
        case open
        /// The worker has the packets again; the last that passed are being counted.
        case closing
        case waiting(until: Instant)
    }

    private(set) var state = State.learning(0)
    /// That was asked for last.
    private(set) var flow: ShortcutFlow?
    /// Of the flow that is open or closing, counted already.
    private var taken: (packets: UInt64, bytes: UInt64) = (0, 0)
    private(set) var stream: (ssrc: UInt32, payloadType: UInt8) = (0, 0)
    private var pause: Duration = .zero
    /// The way is not there any more: to ask again at once would be in vain.
    private var isLost = false
    /// All that ever passed.
    private(set) var packets: UInt64 = 0

    /// Somebody holds a way for the side, or is about to make one: its port is not given to others before that is over.
    var isHeld: Bool { state == .asked || state == .open || state == .closing }

    /// A packet that the worker passes on.
    /// - Returns: whether it is worth a look: the stream is settled, or its packets pass by themselves and this one did not.
    mutating func hears(ssrc: UInt32, payloadType: UInt8, at now: Instant, rules: ShortcutRules) -> Bool {
        switch state {
        case .learning(let count):
            guard stream == (ssrc, payloadType) else {
                stream = (ssrc, payloadType)
                state = .learning(1)
                return false
            }
            state = .learning(min(count + 1, rules.settled))
            return count + 1 >= rules.settled
        case .waiting(let until):
            if now >= until { state = .learning(0) }
            return false
        case .open:
            stream = (ssrc, payloadType)
            return true
        case .asked, .closing: return false
        }
    }

    mutating func ask(_ wanted: ShortcutFlow) {
        precondition(state != .open && state != .closing)
        flow = wanted
        state = .asked
    }

    mutating func answered(isOpen: Bool, at now: Instant, rules: ShortcutRules) {
        precondition(state == .asked)
        if isOpen {
            taken = (0, 0)
            pause = .zero
            state = .open
        } else {
            wait(at: now, rules: rules)
        }
    }

    private mutating func wait(at now: Instant, rules: ShortcutRules) {
        pause = min(max(pause + pause, rules.pause), rules.pauseMax)
        state = .waiting(until: now + pause)
    }

    mutating func close(isLost: Bool = false) {
        precondition(state == .open)
        self.isLost = isLost
        state = .closing
    }

    mutating func ended(at now: Instant, rules: ShortcutRules) {
        precondition(state == .closing)
        flow = nil
        if isLost { wait(at: now, rules: rules) } else { state = .learning(0) }
    }

    /// What has passed since it was asked before.
    mutating func take(_ counts: ShortcutCounts) -> (packets: UInt64, bytes: UInt64) {
        let new = (packets: counts.packets - taken.packets, bytes: counts.bytes - taken.bytes)
        taken = (counts.packets, counts.bytes)
        packets += new.packets
        return new
    }
}
