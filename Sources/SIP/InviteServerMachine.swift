import Primitives

/// The INVITE server transaction (RFC 3261 §17.2.1, figure 7, with the Accepted state of RFC 6026 §8.5).
///
///     Proceeding ──300-699──▶ Completed ──ACK──▶ Confirmed ──I──▶ ended
///         │                       └──H──▶ ended, no ACK came
///         └──2xx──▶ Accepted ──L──▶ ended
struct InviteServerMachine: Hashable, Sendable {
    enum State: Hashable, Sendable {
        /// Nothing was answered yet; at the instant a 100 goes out by itself.
        case trying(hundredAt: Instant)
        case proceeding
        /// Timer G repeats, timer H gives up.
        case completed(repeatAt: Instant?, interval: Duration, giveUpAt: Instant)
        case confirmed(until: Instant)
        case accepted(until: Instant)
        case ended
    }
    enum Input: Hashable, Sendable {
        /// The INVITE again.
        case repeated
        /// The application answers.
        case provisional, success, failure
        case acknowledged
        case unreachable
        case tick
    }
    enum Action: Hashable, Sendable {
        /// The response of the input, for the first time.
        case transmit
        /// The last response again.
        case retransmit
        case sendTrying
        case reportUnreachable, end
    }
    private(set) var state: State
    private let isReliable: Bool

    init(now: Instant, timers: Timers, isReliable: Bool) {
        self.isReliable = isReliable
        state = .trying(hundredAt: now + timers.trying)
    }

    var nextWake: Instant? {
        switch state {
        case .trying(let hundredAt): hundredAt
        case .completed(let repeatAt, _, let giveUpAt): min(repeatAt ?? giveUpAt, giveUpAt)
        case .confirmed(let until), .accepted(let until): until
        case .proceeding, .ended: nil
        }
    }

    mutating func handle(_ input: Input, now: Instant, timers: Timers, into actions: inout [Action]) {
        switch (state, input) {
        case (.trying, .repeated):
            // Nothing to repeat yet, and the peer is waiting.
            state = .proceeding
            actions.append(.sendTrying)
        case (.proceeding, .repeated), (.completed, .repeated):
            actions.append(.retransmit)
        case (.trying, .provisional), (.proceeding, .provisional):
            state = .proceeding
            actions.append(.transmit)
        case (.trying, .success), (.proceeding, .success):
            state = .accepted(until: now + timers.giveUp)
            actions.append(.transmit)
        case (.trying, .failure), (.proceeding, .failure):
            state = .completed(
                repeatAt: isReliable ? nil : now + timers.t1, interval: timers.t1, giveUpAt: now + timers.giveUp)
            actions.append(.transmit)
        case (.completed, .acknowledged):
            if isReliable { return end(&actions) }
            state = .confirmed(until: now + timers.t4)
        case (.trying, .unreachable), (.proceeding, .unreachable), (.accepted, .unreachable):
            actions.append(.reportUnreachable)
            end(&actions)
        // A refusal stands, whether it gets there or not: nothing hangs on it.
        case (.completed, .unreachable): end(&actions)
        case (.trying(let hundredAt), .tick) where now >= hundredAt:
            state = .proceeding
            actions.append(.sendTrying)
        case (.completed(let repeatAt, let interval, let giveUpAt), .tick):
            if now >= giveUpAt { return end(&actions) }
            if let repeatAt, now >= repeatAt {
                let next = timers.doubled(interval)
                state = .completed(repeatAt: now + next, interval: next, giveUpAt: giveUpAt)
                actions.append(.retransmit)
            }
        case (.confirmed(let until), .tick) where now >= until, (.accepted(let until), .tick) where now >= until:
            end(&actions)
        case (.trying, _), (.proceeding, _), (.completed, _), (.confirmed, _), (.accepted, _), (.ended, _):
            // An early tick; a second final response; an INVITE that the 2xx has answered, whose
            // repetition is the answer's business (RFC 6026 §7.1); a message after the end.
            break
        }
    }

    private mutating func end(_ actions: inout [Action]) {
        state = .ended
        actions.append(.end)
    }
}
