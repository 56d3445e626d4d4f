import Primitives

/// The non-INVITE server transaction (RFC 3261 §17.2.2, figure 8).
///
///     Trying ──1xx──▶ Proceeding ──200-699──▶ Completed ──J──▶ ended
///        └──200-699──────────────────────────▲
struct ServerMachine: Hashable, Sendable {
    enum State: Hashable, Sendable {
        case trying, proceeding
        case completed(until: Instant)
        case ended
    }
    enum Input: Hashable, Sendable {
        /// The request again.
        case repeated
        /// The application answers.
        case provisional, final
        case unreachable
        case tick
    }
    enum Action: Hashable, Sendable {
        case transmit, retransmit, reportUnreachable, end
    }
    private(set) var state: State = .trying
    private let isReliable: Bool

    init(isReliable: Bool) {
        self.isReliable = isReliable
    }

    var nextWake: Instant? {
        guard case .completed(let until) = state else { return nil }
        return until
    }

    mutating func handle(_ input: Input, now: Instant, timers: Timers, into actions: inout [Action]) {
        switch (state, input) {
        case (.proceeding, .repeated), (.completed, .repeated):
            actions.append(.retransmit)
        case (.trying, .provisional), (.proceeding, .provisional):
            state = .proceeding
            actions.append(.transmit)
        case (.trying, .final), (.proceeding, .final):
            actions.append(.transmit)
            if isReliable { return end(&actions) }
            state = .completed(until: now + timers.giveUp)
        case (.trying, .unreachable), (.proceeding, .unreachable), (.completed, .unreachable):
            actions.append(.reportUnreachable)
            end(&actions)
        case (.completed(let until), .tick) where now >= until:
            end(&actions)
        case (.trying, _), (.proceeding, _), (.completed, _), (.ended, _):
            break  // nothing to repeat yet, an early tick, a second final response, or a message after the end
        }
    }

    private mutating func end(_ actions: inout [Action]) {
        state = .ended
        actions.append(.end)
    }
}
