import Primitives
import SIP

/// The session timer of one dialog (RFC 4028): who refreshes it, and until when it stands without being refreshed.
struct SessionTimer: Hashable, Sendable {
    enum Refresher: Hashable, Sendable {
        case us
        case peer
    }

    enum Rejection: Error, Hashable {
        /// 422: the peer wants to refresh more often than we let it.
        case tooShort
    }

    /// Nobody has to refresh more often (RFC 4028 §5).
    static let shortest: UInt32 = 90
    /// What is in the log and in headers of peers is not believed beyond a day.
    private static let longest: UInt32 = 86_400

    private(set) var seconds: UInt32
    /// What the peer has said that it takes at least (§7.4).
    private var least = SessionTimer.shortest
    let refresher: Refresher
    /// When we are to refresh; nil: the peer does.
    private(set) var refreshAt: Instant?
    /// When the session is over without a refresh.
    private(set) var expiresAt: Instant

    init(seconds: UInt32, refresher: Refresher, now: Instant) {
        self.seconds = min(max(seconds, SessionTimer.shortest), SessionTimer.longest)
        self.refresher = refresher
        expiresAt = now
        refreshed(now)
    }

    /// Our answer to an INVITE, or to a refresh of the peer (§9). A peer that does not know timers is refreshed by us.
    init(answering request: SIPMessage, wanted: UInt32, now: Instant) throws(Rejection) {
        let isKnown = request.supported.contains("timer") || request.required.contains("timer")
        let asked = request.sessionExpires
        if isKnown, let asked, asked.seconds < SessionTimer.shortest { throw .tooShort }
        let refresher: Refresher =
            switch asked?.refresher {
            case "uac": .peer
            case "uas": .us
            default: isKnown ? .peer : .us
            }
        self.init(seconds: max(min(asked?.seconds ?? wanted, wanted), request.minSE ?? 0), refresher: refresher, now: now)
    }

    /// What a 2xx to our INVITE or refresh says (§7.2). Without a word of it, the peer does not expire the session and we refresh.
    init(answered response: SIPMessage, wanted: UInt32, now: Instant) {
        guard let told = response.sessionExpires else {
            self.init(seconds: wanted, refresher: .us, now: now)
            return
        }
        self.init(seconds: told.seconds, refresher: told.refresher == "uas" ? .peer : .us, now: now)
    }

    var nextWake: Instant { refreshAt.map { min($0, expiresAt) } ?? expiresAt }

    /// A refresh was answered, or answered by us.
    mutating func refreshed(_ now: Instant) {
        let whole = Duration.seconds(Int64(seconds))
        refreshAt = refresher == .us ? now + whole / 2 : nil
        // §10: a little early, so that the end is told before the peer takes it for granted.
        let early = min(Duration.seconds(32), whole / 3)
        expiresAt = refresher == .us ? now + whole : now + (whole - early)
    }

    /// We ask the peer at that time whether it is there, whoever refreshes otherwise.
    mutating func ask(at instant: Instant) { postpone(until: instant) }

    /// Our refresh is due at that time instead.
    mutating func postpone(until instant: Instant) { refreshAt = min(instant, expiresAt) }

    /// The peer does not take less (422).
    ///
    /// - Returns: whether it is longer now: else asking again would be of no use.
    mutating func lengthen(to least: UInt32) -> Bool {
        guard least > seconds, seconds < SessionTimer.longest else { return false }
        seconds = min(least, SessionTimer.longest)
        self.least = seconds
        return true
    }

    /// For our requests within the dialog, and the first one (§7.1, §7.4).
    func write(toRequest request: inout SIPMessage) {
        request.headers[.supported] = CallMachine.supported
        request.headers[.sessionExpires] = "\(seconds);refresher=\(refresher == .us ? "uac" : "uas")"
        request.headers[.minSE] = String(least)
    }

    /// For our 2xx (§9). A peer that does not know timers is not told of them.
    func write(to response: inout SIPMessage, of request: SIPMessage) {
        guard request.supported.contains("timer") || request.required.contains("timer") else { return }
        response.headers[.sessionExpires] = "\(seconds);refresher=\(refresher == .us ? "uas" : "uac")"
        if refresher == .peer { response.headers[.require] = "timer" }
    }
}

extension SIPMessage {
    /// `1800;refresher=uac` (RFC 4028 §4).
    var sessionExpires: (seconds: UInt32, refresher: String?)? {
        guard let value = headers[.sessionExpires] else { return nil }
        let parts = value.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
        guard let seconds = parts.first.flatMap({ UInt32($0) }) else { return nil }
        let refresher = parts.dropFirst().first { $0.lowercased().hasPrefix("refresher=") }
        return (seconds, refresher.map { String($0.dropFirst("refresher=".count)).lowercased() })
    }

    var minSE: UInt32? { headers[.minSE].flatMap { UInt32($0.prefix { $0 != ";" && $0 != " " }) } }

    /// Whether the sender says that it takes such requests; nil: it says nothing.
    func allows(_ method: Method) -> Bool? {
        let list = headers.list(.allow)
        return list.isEmpty ? nil : list.contains(method.description)
    }
}
