import Primitives

/// One server transaction with what it repeats.
struct ServerEntry: Sendable {
    enum Machine: Sendable {
        case invite(InviteServerMachine)
        case plain(ServerMachine)
    }
    /// What happens to a transaction of either kind.
    enum Input: Sendable {
        case repeated
        case respond(SIPMessage)
        case acknowledged
        case unreachable
        case tick
    }
    /// What does not change; shared, because entries are copied at every step.
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
    let origin: Origin
    /// Until its final response: for half a minute after that a transaction only repeats itself, and what it needs for that is kept, not the
    /// hundred small things that a message is made of.
    var request: SIPMessage?
    var answerKey: AnswerKey?
    var machine: Machine
    /// The last response, to be sent again.
    var response: [UInt8] = []
    /// Repeats our 2xx.
    var answer: AnswerMachine?
    var scheduled: Instant?

    var nextWake: Instant? {
        let machineWake =
            switch machine {
            case .invite(let machine): machine.nextWake
            case .plain(let machine): machine.nextWake
            }
        guard let answerWake = answer?.nextWake else { return machineWake }
        return min(answerWake, machineWake ?? answerWake)
    }
}
