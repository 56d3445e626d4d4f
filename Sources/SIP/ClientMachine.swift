import Primitives

/// The non-INVITE client transaction (RFC 3261 §17.1.2, figure 6).
///
///     Trying ──1xx──▶ Proceeding ──2xx-6xx──▶ Completed ──K──▶ ended
///        └──2xx-6xx──────────────────────────▲
struct ClientMachine: Hashable, Sendable {
    enum State: Hashable, Sendable {
        /// Timer E repeats, timer F gives up.
        case trying(repeatAt: Instant?, interval: Duration, giveUpAt: Instant)
        case proceeding(repeatAt: Instant?, giveUpAt: Instant)
        case completed(until: Instant)
        case ended
    }
    enum Input: Hashable, Sendable {
        case provisional, final, unreachable, tick
    }
    enum Action: Hashable, Sendable {
        case transmit, deliver, timeOut, reportUnreachable, end
    }
    private(set) var state: State
    private let isReliable: Bool

    init(now: Instant, timers: Timers, isReliable: Bool, into actions: inout [Action]) {
        self.isReliable = isReliable
        state = .trying(
            repeatAt: isReliable ? nil : now + timers.t1, interval: timers.t1, giveUpAt: now + timers.giveUp)
        actions.append(.transmit)
    }

    var nextWake: Instant? {
        switch state {
        case .trying(let repeatAt, _, let giveUpAt), .proceeding(let repeatAt, let giveUpAt):
            min(repeatAt ?? giveUpAt, giveUpAt)
        case .completed(let until): until
        case .ended: nil
        }
    }

    mutating func handle(_ input: Input, now: Instant, timers: Timers, into actions: inout [Action]) {
        switch (state, input) {
        case (.trying(let repeatAt, _, let giveUpAt), .provisional):
            // The running repetition fires as it was set, and every T2 from then on.
            state = .proceeding(repeatAt: repeatAt, giveUpAt: giveUpAt)
            actions.append(.deliver)
        case (.proceeding, .provisional):
            actions.append(.deliver)
        case (.trying, .final), (.proceeding, .final):
            actions.append(.deliver)
            if isReliable { return end(&actions) }
            state = .completed(until: now + timers.t4)
        case (.trying, .unreachable), (.proceeding, .unreachable):
            actions.append(.reportUnreachable)
            end(&actions)
        case (.trying(let repeatAt, let interval, let giveUpAt), .tick):
            if now >= giveUpAt {
                actions.append(.timeOut)
                return end(&actions)
            }
            if let repeatAt, now >= repeatAt {
                let next = timers.doubled(interval)
                state = .trying(repeatAt: now + next, interval: next, giveUpAt: giveUpAt)
                actions.append(.transmit)
            }
        case (.proceeding(let repeatAt, let giveUpAt), .tick):
            if now >= giveUpAt {
                actions.append(.timeOut)
                return end(&actions)
            }
            if let repeatAt, now >= repeatAt {
                state = .proceeding(repeatAt: now + timers.t2, giveUpAt: giveUpAt)
                actions.append(.transmit)
            }
        case (.completed(let until), .tick) where now >= until:
            end(&actions)
        case (.completed, _), (.ended, _):
            break  // an early tick, a repeated response, or a message after the end
        }
    }

    private mutating func end(_ actions: inout [Action]) {
        state = .ended
        actions.append(.end)
    }
}
