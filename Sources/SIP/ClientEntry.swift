import Primitives

/// One client transaction with what it repeats.
struct ClientEntry: Sendable {
    enum Machine: Sendable {
        case invite(InviteClientMachine)
        case plain(ClientMachine)
    }
    /// What happens to a transaction of either kind.
    enum Input: Sendable {
        case response(SIPMessage, Hop)
        case cancelled
        case unreachable
        case tick
    }
    /// The ACK that the application sent for the 2xx of one branch of a fork.
    struct Acknowledgement: Sendable {
        let toTag: String?
        let bytes: [UInt8]
        let hop: Hop
    }
    /// What does not change; beside the entry, because tables move their entries when they grow.
    final class Origin: Sendable {
        let key: ClientKey
        let hop: Hop
        /// The CANCEL that the layer sent itself: nobody waits for its response.
        let isSilent: Bool

        init(key: ClientKey, hop: Hop, isSilent: Bool) {
            self.key = key
            self.hop = hop
            self.isSilent = isSilent
        }
    }
    /// The request as it was sent, and as it can be sent.
    final class Sent: Sendable {
        let request: SIPMessage
        let bytes: [UInt8]
        /// The same request as it goes by another way if this one leads nowhere (RFC 3261 §18.1.1).
        let otherwise: (request: SIPMessage, hop: Hop)?

        init(_ request: SIPMessage, _ bytes: [UInt8], otherwise: (request: SIPMessage, hop: Hop)? = nil) {
            self.request = request
            self.bytes = bytes
            self.otherwise = otherwise
        }
    }
    let origin: Origin
    /// Until it is not sent any more; an INVITE that was refused keeps it for the ACKs of repeated refusals.
    var sent: Sent?
    var machine: Machine
    var scheduled: Instant?
    var acknowledgements: [Acknowledgement] = []
    /// Tags of the 2xx that the application has been given.
    var successTags: [String?] = []
    /// A CANCEL was asked for before any response came; it may not leave earlier (RFC 3261 §9.1).
    var wantsCancel = false
    /// Reason of that CANCEL (RFC 3326).
    var cancelReason: String?
    var hasProvisional = false

    var nextWake: Instant? {
        switch machine {
        case .invite(let machine): machine.nextWake
        case .plain(let machine): machine.nextWake
        }
    }
}
