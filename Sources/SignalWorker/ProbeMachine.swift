import Primitives
import SIP

/// Asks a gateway again and again whether it is there (OPTIONS, RFC 3261 §11). Out of service after so many failures in a row, back
/// with the first answer.
struct ProbeMachine: Sendable {
    enum Input: Sendable {
        case tick
        case response(status: Int, reason: String)
        /// Nothing came; whether another address of it is to be tried at once.
        case failed(reason: String, hasOther: Bool)
    }

    enum Effect: Equatable, Sendable {
        case send
        case report
    }

    private enum Phase: Equatable {
        case waiting(until: Instant)
        case asking(until: Instant)
    }

    private(set) var isInService: Bool
    private(set) var lastStatus = 0
    private(set) var lastReason = ""
    private var phase: Phase
    private var dueAt: Instant
    private var failures = 0
    private let interval: Duration
    private let failuresMax: Int
    private let silence: Duration

    /// - Parameter silence: after which no answer counts as none.
    init(interval: Duration, failuresMax: Int, silence: Duration, isInService: Bool, now: Instant) {
        self.interval = interval
        self.failuresMax = max(1, failuresMax)
        self.silence = silence
        self.isInService = isInService
        dueAt = now
        phase = .waiting(until: now)
    }

    var nextWake: Instant {
        switch phase {
        case .waiting(let at), .asking(let at): at
        }
    }

    /// Whether an answer is waited for, and has not come in time.
    func isSilent(at now: Instant) -> Bool {
        if case .asking(let until) = phase { now >= until } else { false }
    }

    mutating func handle(_ input: Input, now: Instant, into effects: inout [Effect]) {
        switch (phase, input) {
        case (.waiting(let at), .tick) where now >= at:
            dueAt = now + interval
            ask(now, &effects)
        case (_, .response(let status, let reason)):
            // An answer that comes late is one, too.
            lastStatus = status
            lastReason = reason
            if Self.isFailure(status) {
                guard case .asking = phase else { return }
                failed(now, &effects)
            } else {
                failures = 0
                phase = .waiting(until: max(dueAt, now))
                guard !isInService else { return }
                isInService = true
                effects.append(.report)
            }
        case (.asking, .failed(let reason, let hasOther)):
            guard !hasOther else { return ask(now, &effects) }
            lastStatus = 0
            lastReason = reason
            failed(now, &effects)
        case (.waiting, .tick), (.waiting, .failed), (.asking, .tick): break
        }
    }

    private mutating func ask(_ now: Instant, _ effects: inout [Effect]) {
        phase = .asking(until: now + silence)
        effects.append(.send)
    }

    private mutating func failed(_ now: Instant, _ effects: inout [Effect]) {
        failures += 1
        phase = .waiting(until: max(dueAt, now))
        guard isInService, failures >= failuresMax else { return }
        isInService = false
        effects.append(.report)
    }

    /// That it answers at all is what is asked, unless it says that it cannot work, or nobody behind it answered.
    private static func isFailure(_ status: Int) -> Bool { [408, 502, 503, 504].contains(status) }
}
