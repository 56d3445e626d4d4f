import Primitives

/// The INVITE client transaction (RFC 3261 §17.1.1, figure 5, with the Accepted state of RFC 6026 §8.4).
///
///     Calling ──1xx──▶ Proceeding ──3xx-6xx──▶ Completed ──D──▶ ended
///        │  ╲──3xx-6xx──────┼──────────────────▲
///        └──2xx─────────────┴──2xx──▶ Accepted ──M──▶ ended
struct InviteClientMachine: Hashable, Sendable {
    enum State: Hashable, Sendable {
        /// Timer A repeats, timer B gives up.
        case calling(repeatAt: Instant?, interval: Duration, giveUpAt: Instant)
        /// Without a limit of its own; `cancel` sets one (§9.1).
        case proceeding(giveUpAt: Instant?)
        case completed(until: Instant)
        case accepted(until: Instant)
        case ended
    }
    enum Input: Hashable, Sendable {
        case provisional, success, failure
        /// A CANCEL went out: a peer that does not answer the INVITE within 64·T1 now is taken to have ended it.
        case cancel
        case unreachable
        case tick
    }
    enum Action: Hashable, Sendable {
        case transmit, acknowledge, deliver
        case timeOut, reportUnreachable, end
    }
    private(set) var state: State
    private let isReliable: Bool

    init(now: Instant, timers: Timers, isReliable: Bool, into actions: inout [Action]) {
        self.isReliable = isReliable
        state = .calling(
            repeatAt: isReliable ? nil : now + timers.t1, interval: timers.t1, giveUpAt: now + timers.giveUp)
        actions.append(.transmit)
    }

    var nextWake: Instant? {
        switch state {
        case .calling(let repeatAt, _, let giveUpAt): min(repeatAt ?? giveUpAt, giveUpAt)
        case .proceeding(let giveUpAt): giveUpAt
        case .completed(let until), .accepted(let until): until
        case .ended: nil
        }
    }

    mutating func handle(_ input: Input, now: Instant, timers: Timers, into actions: inout [Action]) {
        switch (state, input) {
        case (.calling, .provisional):
            state = .proceeding(giveUpAt: nil)
            actions.append(.deliver)
        case (.proceeding, .provisional):
            actions.append(.deliver)
        case (.calling, .success), (.proceeding, .success):
            state = .accepted(until: now + timers.giveUp)
            actions.append(.deliver)
        case (.accepted, .success):
            actions.append(.deliver)
        case (.calling, .failure), (.proceeding, .failure):
            actions += [.acknowledge, .deliver]
            if isReliable { return end(&actions) }
            state = .completed(until: now + timers.waitForRepeatedFailure)
        case (.completed, .failure):
            actions.append(.acknowledge)
        case (.calling(_, let interval, let giveUpAt), .cancel):
            // Nobody wants to be heard any more: an INVITE repeated now might still ring somebody.
            state = .calling(repeatAt: nil, interval: interval, giveUpAt: giveUpAt)
        case (.proceeding(nil), .cancel):
            state = .proceeding(giveUpAt: now + timers.giveUp)
        case (.calling, .unreachable), (.proceeding, .unreachable), (.completed, .unreachable):
            actions.append(.reportUnreachable)
            end(&actions)
        case (.calling(let repeatAt, let interval, let giveUpAt), .tick):
            if now >= giveUpAt {
                actions.append(.timeOut)
                return end(&actions)
            }
            if let repeatAt, now >= repeatAt {
                // Timer A doubles without a limit: 500 ms, 1 s, 2 s … 16 s (§17.1.1.2).
                state = .calling(repeatAt: now + interval * 2, interval: interval * 2, giveUpAt: giveUpAt)
                actions.append(.transmit)
            }
        case (.proceeding(let giveUpAt?), .tick) where now >= giveUpAt:
            actions.append(.timeOut)
            end(&actions)
        case (.completed(let until), .tick) where now >= until, (.accepted(let until), .tick) where now >= until:
            end(&actions)
        case (.proceeding, .cancel), (.proceeding, .tick), (.completed, _), (.accepted, _),
            (.ended, _):
            break  // an early tick, a late provisional, or a message after the end
        }
    }

    private mutating func end(_ actions: inout [Action]) {
        state = .ended
        actions.append(.end)
    }
}
