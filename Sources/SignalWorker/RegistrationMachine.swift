import Model
import Primitives
import SIP

/// One registration of ours at a carrier (RFC 3261 §10.2): asks, answers the challenge, refreshes in time, tries again later and
/// later while it fails, and leaves. It knows neither addresses nor messages to be sent: those are its owner's.
///
///     waiting ──due──▶ asking ──2xx──▶ waiting (registered)
///        ▲               │ 401 ──▶ keyed ──hash──▶ asking
///        └──backs off────┘ all else
struct RegistrationMachine: Sendable {
    struct Rules: Hashable, Sendable {
        /// After the first failure; each further pause is twice the one before.
        var retry: Duration = .seconds(5)
        var retryMax: Duration = .seconds(600)
        /// A registrar that is not to be satisfied below this is not one for us.
        var secondsMax: UInt32 = 86_400
    }

    enum Input: Sendable {
        case tick
        case response(SIPMessage)
        /// No response; whether another server of the registrar is to be tried at once.
        case failed(reason: String, hasOther: Bool)
        /// What the control plane says to a challenge; nil: it has nothing.
        case credential(username: String, ha1: [UInt8])
        case noCredential
        /// It is to be registered no longer.
        case leave
    }

    /// A REGISTER to be sent.
    struct Order: Equatable, Sendable {
        var seconds: UInt32
        var cseq: UInt32
        /// 401 or 407, and what answers it.
        var credentials: (status: Int, value: DigestCredentials)?

        static func == (a: Order, b: Order) -> Bool {
            a.seconds == b.seconds && a.cseq == b.cseq && a.credentials?.status == b.credentials?.status
                && a.credentials?.value == b.credentials?.value
        }
    }

    enum Effect: Equatable, Sendable {
        case send(Order)
        case ask(realm: String, isSHA256: Bool)
        /// The state has changed, or was refreshed.
        case report
        /// It has left, or tried to.
        case over
    }

    private enum Phase: Equatable {
        case waiting(until: Instant)
        /// A REGISTER is on its way.
        case asking
        /// The hash for a challenge is on its way.
        case keyed
        case over
    }

    /// The answer to a challenge can be used again until the server wants another nonce.
    private struct Key {
        var challenge: DigestChallenge
        var status: Int
        var username: String
        var ha1: [UInt8]
        var count: UInt32 = 0
    }

    private(set) var state = RegistrationState.none
    /// When it lapses if it is not refreshed.
    private(set) var until: Instant?
    private(set) var lastStatus = 0
    private(set) var lastReason = ""
    private var phase: Phase
    private var seconds: UInt32
    private var cseq: UInt32 = 0
    private var failures = 0
    private var key: Key?
    private var asked: (challenge: DigestChallenge, status: Int)?
    /// Challenges that were answered in this round.
    private var answers = 0
    private var hasGrown = false
    private var isLeaving = false
    private let uri: String
    private let contact: URI
    private let rules: Rules

    /// - Parameters:
    ///   - uri: of the registrar, as it stands in requests.
    ///   - contact: by which ours is found among the contacts of an answer.
    init(uri: String, contact: URI, seconds: UInt32, rules: Rules, now: Instant) {
        self.uri = uri
        self.contact = contact
        self.seconds = seconds
        self.rules = rules
        phase = .waiting(until: now)
    }

    var isOver: Bool { phase == .over }

    var nextWake: Instant? {
        switch phase {
        case .waiting(let at): min(at, state == .registered ? until ?? at : at)
        case .asking, .keyed: state == .registered ? until : nil
        case .over: nil
        }
    }

    mutating func handle(_ input: Input, now: Instant, random: inout RandomSource, into effects: inout [Effect]) {
        if state == .registered, let until, now >= until { lapse(&effects) }
        switch (phase, input) {
        case (.waiting(let at), .tick) where now >= at: begin(&random, &effects)
        case (.asking, .response(let response)):
            if response.isFinal { answered(response, now, &random, &effects) }
        case (.asking, .failed(let reason, let hasOther)):
            if hasOther, !isLeaving {
                lastStatus = 0
                lastReason = reason
                begin(&random, &effects)
            } else {
                failed(0, reason, after: nil, now, &random, &effects)
            }
        case (.keyed, .credential(let username, let ha1)):
            guard let asked else { return }
            key = Key(challenge: asked.challenge, status: asked.status, username: username, ha1: ha1)
            send(&random, &effects)
        case (.keyed, .noCredential):
            failed(asked?.status ?? 401, "a password is asked for, and none is set up", after: nil, now, &random, &effects)
        case (.over, _): break
        case (_, .leave): leave(&random, &effects)
        case (.waiting, _), (.asking, _), (.keyed, _): break  // an early tick, or what comes too late
        }
    }

    private mutating func leave(_ random: inout RandomSource, _ effects: inout [Effect]) {
        guard !isLeaving else { return }
        isLeaving = true
        guard state == .registered else { return end(&effects) }
        // A REGISTER that is on its way is overtaken: the numbers say which one counts.
        begin(&random, &effects)
    }

    private mutating func end(_ effects: inout [Effect]) {
        phase = .over
        until = nil
        state = .none
        effects += [.report, .over]
    }

    private mutating func begin(_ random: inout RandomSource, _ effects: inout [Effect]) {
        answers = 0
        hasGrown = false
        send(&random, &effects)
    }

    private mutating func send(_ random: inout RandomSource, _ effects: inout [Effect]) {
        phase = .asking
        cseq += 1
        var order = Order(seconds: isLeaving ? 0 : seconds, cseq: cseq)
        if var key {
            key.count += 1
            self.key = key
            let credentials = DigestCredentials(
                answering: key.challenge, username: key.username, ha1: key.ha1, method: .register, uri: uri, cnonce: hex(random.bytes(8)), nc: key.count)
            order.credentials = (key.status, credentials)
        }
        effects.append(.send(order))
    }

    // MARK: Answers

    private mutating func answered(_ response: SIPMessage, _ now: Instant, _ random: inout RandomSource, _ effects: inout [Effect]) {
        if isLeaving, response.status != 401, response.status != 407 { return end(&effects) }
        switch response.status {
        case 200..<300: granted(response, now, &random, &effects)
        case 401, 407: challenged(response, now, &random, &effects)
        case 423:
            // RFC 3261 §10.2.8: the same again, for as long as it wants at least.
            guard !hasGrown, let least = response.headers[.minExpires].flatMap({ UInt32($0) }), least > seconds, least <= rules.secondsMax else {
                return failed(response.status, response.reason, after: nil, now, &random, &effects)
            }
            hasGrown = true
            seconds = least
            send(&random, &effects)
        default:
            let pause = response.headers[.retryAfter].flatMap { UInt32($0.prefix { $0.isNumber }) }
            failed(response.status, response.reason, after: pause, now, &random, &effects)
        }
    }

    private mutating func challenged(_ response: SIPMessage, _ now: Instant, _ random: inout RandomSource, _ effects: inout [Effect]) {
        guard let challenge = DigestChallenge.all(in: response).first else {
            return failed(response.status, "its challenge cannot be answered", after: nil, now, &random, &effects)
        }
        // Asked again, it does not like the password; unless only the nonce was too old.
        guard answers < (challenge.isStale ? 3 : 1) else {
            key = nil
            return failed(response.status, "the password is not taken", after: nil, now, &random, &effects)
        }
        answers += 1
        guard var known = key, known.challenge.realm == challenge.realm, known.challenge.algorithm == challenge.algorithm else {
            asked = (challenge, response.status)
            phase = .keyed
            return effects.append(.ask(realm: challenge.realm, isSHA256: challenge.algorithm == .sha256))
        }
        known.challenge = challenge
        known.status = response.status
        known.count = 0
        key = known
        send(&random, &effects)
    }

    private mutating func granted(_ response: SIPMessage, _ now: Instant, _ random: inout RandomSource, _ effects: inout [Effect]) {
        let own = response.contacts.first { $0.uri.isEquivalent(to: contact) } ?? response.contacts.first { $0.uri.host == contact.host && $0.uri.port == contact.port }
        let granted = min(own?.expires ?? response.expires ?? seconds, rules.secondsMax)
        guard granted > 0 else { return failed(response.status, "it took the registration for no time", after: nil, now, &random, &effects) }
        failures = 0
        lastStatus = response.status
        lastReason = response.reason
        state = .registered
        until = now + .seconds(Int64(granted))
        phase = .waiting(until: now + Self.refresh(granted))
        effects.append(.report)
    }

    /// Early enough for a whole transaction to fail, and another to be tried.
    static func refresh(_ seconds: UInt32) -> Duration {
        let seconds = Int64(seconds)
        return .seconds(max(1, seconds - min(300, max(seconds / 10, min(seconds / 2, 40)))))
    }

    private mutating func failed(
        _ status: Int, _ reason: String, after pause: UInt32?, _ now: Instant, _ random: inout RandomSource, _ effects: inout [Effect]
    ) {
        lastStatus = status
        lastReason = reason
        guard !isLeaving else { return end(&effects) }
        failures += 1
        // Between half and all of it, so that a registrar that comes back is not asked by all at once (RFC 5626 §4.5).
        let longest = min(rules.retryMax, rules.retry * (1 << min(failures - 1, 20)))
        let share = Int64(500 + random.next() % 501)
        let own = longest * Int(share) / 1_000
        phase = .waiting(until: now + max(own, .seconds(Int64(min(pause ?? 0, 3_600)))))
        if state != .registered { state = .failing }
        effects.append(.report)
    }

    private mutating func lapse(_ effects: inout [Effect]) {
        state = .failing
        until = nil
        if lastStatus / 100 == 2 {
            lastStatus = 0
            lastReason = "it was not refreshed in time"
        }
        effects.append(.report)
    }
}
