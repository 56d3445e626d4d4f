import Primitives

/// A request that the application has been given, before anything of it is in the tables: whoever is asked for a password, or answered once and
/// for all otherwise, leaves nothing there (RFC 3261 §8.2.7).
struct Arrival: Sendable {
    let number: UInt64
    let key: ServerKey
    let mergeKey: MergeKey?
    /// Where responses go (§18.2.2, RFC 3581 §4).
    let hop: Hop
    let request: SIPMessage
    let machine: ServerEntry.Machine
}

/// One server transaction with what it repeats.
struct ServerEntry: Sendable {
    enum Machine: Sendable {
        case invite(InviteServerMachine)
        case plain(ServerMachine)

        var nextWake: Instant? {
            switch self {
            case .invite(let machine): machine.nextWake
            case .plain(let machine): machine.nextWake
            }
        }

        /// Whether there is no final response yet.
        var isOpen: Bool {
            switch self {
            case .invite(let machine):
                switch machine.state {
                case .trying, .proceeding: true
                case .completed, .confirmed, .accepted, .ended: false
                }
            case .plain(let machine):
                switch machine.state {
                case .trying, .proceeding: true
                case .completed, .ended: false
                }
            }
        }
    }
    /// What happens to a transaction of either kind.
    enum Input: Sendable {
        case repeated
        case respond(SIPMessage)
        case acknowledged
        case unreachable
        case tick
    }
    /// What does not change; beside the entry, because tables move their entries when they grow.
    final class Origin: Sendable {
        let key: ServerKey
        let mergeKey: MergeKey?
        /// Where responses go (§18.2.2, RFC 3581 §4).
        let hop: Hop

        init(key: ServerKey, mergeKey: MergeKey?, hop: Hop) {
            self.key = key
            self.mergeKey = mergeKey
            self.hop = hop
        }
    }
    /// Repeats our 2xx.
    struct Answer: Sendable {
        let key: AnswerKey
        var machine: AnswerMachine
    }
    let origin: Origin
    /// Until its final response: for half a minute after that a transaction only repeats itself, and what it needs for that is kept, not the
    /// hundred small things that a message is made of.
    var request: SIPMessage?
    var machine: Machine
    /// The last response, to be sent again.
    var response: [UInt8] = []
    /// One, or none: of all transactions only INVITEs that were taken have one.
    var answer: [Answer] = []
    var scheduled: Instant?

    var nextWake: Instant? {
        let machineWake = machine.nextWake
        guard let answerWake = answer.first?.machine.nextWake else { return machineWake }
        return min(answerWake, machineWake ?? answerWake)
    }
}
