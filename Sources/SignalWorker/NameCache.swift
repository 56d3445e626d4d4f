import DNS
import Primitives
import SIP

/// What DNS has said, for as long as it may be kept; who has failed to answer lately; what is still to be asked.
struct NameCache: Sendable {
    private struct Entry: Sendable {
        var answer: DNSAnswer
        var until: Instant
        /// What was said before is better than nothing while it is asked again, and when DNS is silent (RFC 8767); also that there is nothing,
        /// or that nobody knows: of several servers of a name one may be known.
        var staleUntil: Instant
    }

    private static let entriesMax = 20_000
    private static let failureTime = Duration.seconds(5)
    private static let staleTime = Duration.seconds(24 * 3_600)
    /// An answer that may not be kept at all serves those who have waited for it.
    private static let timeMin = Duration.seconds(1)
    /// A server that did not answer is tried after the others for so long.
    private static let penaltyTime = Duration.seconds(30)

    private var entries: [DNSQuestion: Entry] = [:]
    private var asked: Set<DNSQuestion> = []
    private var penalties: [SocketAddress: Instant] = [:]
    let addressType: DNSType

    init(addressType: DNSType) { self.addressType = addressType }

    /// - Parameter ask: what has to be asked now, each once.
    mutating func locate(_ host: String, port: UInt16?, by transport: Transport = .udp, now: Instant, ask: inout [DNSQuestion]) -> ServerLocation {
        var used: [DNSQuestion] = []
        let entries = entries
        let locator = ServerLocator(
            known: { question in
                guard let entry = entries[question], now < entry.staleUntil else { return nil }
                used.append(question)
                return entry.answer
            }, addressType: addressType, transport: transport)
        let location = locator.locate(host, port: port)
        var wanted = used.filter { question in entries[question].map { now >= $0.until } ?? true }
        if case .needs(let missing) = location { wanted += missing }
        for question in wanted where asked.insert(question).inserted { ask.append(question) }
        return location
    }

    mutating func take(_ answer: DNSAnswer, to question: DNSQuestion, now: Instant) {
        asked.remove(question)
        if entries.count >= Self.entriesMax { entries.removeAll() }
        switch answer {
        case .records(_, let seconds), .absent(let seconds):
            let until = now + max(Self.timeMin, .seconds(Int64(seconds)))
            entries[question] = Entry(answer: answer, until: until, staleUntil: until + Self.staleTime)
        case .failed:
            let until = now + Self.failureTime
            if let known = entries[question], now < known.staleUntil {
                entries[question]?.until = until
            } else {
                entries[question] = Entry(answer: answer, until: until, staleUntil: until + Self.staleTime)
            }
        }
    }

    // MARK: - servers that do not answer

    mutating func penalise(_ address: SocketAddress, now: Instant) {
        if penalties.count >= Self.entriesMax { penalties.removeAll() }
        penalties[address] = now + Self.penaltyTime
    }

    mutating func forgive(_ address: SocketAddress) { penalties[address] = nil }

    /// Those that have not answered lately come last.
    func sorted(_ targets: [ServerTarget], now: Instant, _ random: inout RandomSource) -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        for target in ServerLocator.ordered(targets, &random) where !addresses.contains(target.address) { addresses.append(target.address) }
        func isPenalised(_ address: SocketAddress) -> Bool { penalties[address].map { now < $0 } ?? false }
        return addresses.filter { !isPenalised($0) } + addresses.filter(isPenalised)
    }
}
