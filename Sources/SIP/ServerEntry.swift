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
        let request: SIPMessage
        /// Where responses go (§18.2.2, RFC 3581 §4).
        let hop: Hop

        init(key: ServerKey, mergeKey: MergeKey?, request: SIPMessage, hop: Hop) {
            self.key = key
            self.mergeKey = mergeKey
            self.request = request
            self.hop = hop
        }
    }
    let origin: Origin
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
