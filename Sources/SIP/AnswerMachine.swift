package import Primitives

/// Repeats a 2xx to an INVITE until its ACK comes (RFC 3261 §13.3.1.4).
///
/// The INVITE transaction is over with the 2xx, and a 2xx crosses reliable hops and unreliable ones, so
/// repeating it is nobody's business but the one's who answered: T1, doubled up to T2, on every transport.
package struct AnswerMachine: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case waiting(repeatAt: Instant, interval: Duration, giveUpAt: Instant)
        case acknowledged
        case abandoned
    }
    package enum Action: Hashable, Sendable {
        case retransmit
        /// No ACK within 64·T1: the dialog stands, and a BYE is due.
        case reportUnacknowledged
    }
    package private(set) var state: State

    package init(now: Instant, timers: Timers) {
        state = .waiting(repeatAt: now + timers.t1, interval: timers.t1, giveUpAt: now + timers.giveUp)
    }

    package var nextWake: Instant? {
        guard case .waiting(let repeatAt, _, let giveUpAt) = state else { return nil }
        return min(repeatAt, giveUpAt)
    }

    /// True when this is the first ACK.
    package mutating func acknowledge() -> Bool {
        guard case .waiting = state else { return false }
        state = .acknowledged
        return true
    }

    package mutating func tick(now: Instant, timers: Timers, into actions: inout [Action]) {
        guard case .waiting(let repeatAt, let interval, let giveUpAt) = state else { return }
        if now >= giveUpAt {
            state = .abandoned
            actions.append(.reportUnacknowledged)
        } else if now >= repeatAt {
            let next = timers.doubled(interval)
            state = .waiting(repeatAt: now + next, interval: next, giveUpAt: giveUpAt)
            actions.append(.retransmit)
        }
    }
}
