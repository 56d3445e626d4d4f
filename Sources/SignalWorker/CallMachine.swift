import Bus
import Foundation
import Model
import Primitives
import SIP

/// One call as a back-to-back user agent carries it (RFC 7092): a dialog with the caller, dialogs with those who are rung, one
/// media session between them.
///
/// The stages are in files of their own: planning (who is to be rung), ringing, talking, ending.
struct CallMachine: Sendable {
    enum Stage: Equatable, Sendable {
        /// StartCall is on its way.
        case planning
        /// A media session is being opened.
        case opening
        case ringing
        case talking
        /// Waits for the media worker's last figures.
        case closing
        case over
    }

    let id: CallID
    var stage = Stage.planning
    /// The caller's INVITE, until it has its final response.
    var invite: (transaction: ServerTransactionID, request: SIPMessage)?
    var a: Leg
    var b: Leg?
    var plan = CallPlan()
    var nextGroup = 0
    var attempts: [Attempt] = []
    /// A gateway that is named, while DNS is asked where it is.
    var lookingUp: LookingUp?
    /// Attempts that came to nothing before they were sent.
    var settled: [CallAttempt] = []
    /// What the last of those that failed said of why (RFC 3326).
    var peerReasons: [String] = []
    /// Best final status so far, for the caller.
    var worstStatus = 0
    var hasRung = false
    /// The line's phones did not take it, and it went on elsewhere.
    var hasForwarded = false

    /// The sides send their media to each other: there is no media worker.
    var isDirect = false
    /// Answers that a side's offer in a 2xx is waiting for.
    var debts = Sides<Debt?>(a: nil, b: nil)
    /// Of which of the attempt's dialogs the caller knows the description.
    var descriptionTag = ""
    /// Our tag of the caller's dialog with who answered, where the caller knows the description of another one.
    var fork: String?
    var mediaWorker = ""
    var mediaSession: UUIDv7
    /// Media workers that would not open a session for the call.
    var refusedMedia: Set<String> = []
    var mediaAddress: SocketAddress.Host?
    /// Of the media worker's certificate.
    var mediaFingerprint: [UInt8] = []
    var descriptionVersion: UInt64 = 1
    /// The media worker's port towards the called side; all that are rung are told it.
    var bPort: UInt16 = 0
    /// What the called side has answered so far, early media included.
    var bMedia: LegMediaState?
    /// Beside the first.
    var streams: [Stream] = []
    var parked: Parked?
    /// The media session is there, and nobody is told of it before the ports of other streams are.
    var waitsForStreams = false
    /// Which attempt our description for the caller was made from.
    var descriptionOf: Int?

    var answeredAt: WallTime?
    /// When media was heard last, once that is taken for the end.
    var lastHeard: WallTime?
    /// Talk time that is paid for; nil: no limit.
    var creditUntil: WallTime?
    var renewAt: Instant?
    var creditEnds: Instant?
    /// There is no more talk time to be had: what the payer hears before the end, and when.
    var announcement: (of: Announcement, at: Instant)?
    var treatment = CallTreatment()
    var recording: RecordingInCall?
    var hears = Sides(a: Hearing.other, b: Hearing.other)
    /// The caller has a description of ours, by which it hears ring-back until there is one of the called side's.
    var ringsBack = false
    /// An offer of one side that the other is being asked about.
    var reoffer: Reoffer?
    var passing: [Passing] = []
    var moving: [Move] = []
    /// Offers of ours that met one of the peer's (491), and when they are made again.
    var movesAgain = Sides<MoveAgain?>(a: nil, b: nil)
    var refreshing: [Refresh] = []
    /// The side that was not there any more, if that ended the call.
    var gone: Side?
    /// What the caller has been told and has to confirm, what it is told then, and the answer that waits for it.
    var reliable: Reliable?
    /// What the caller had not confirmed when it was told the answer, and may confirm yet.
    var released: Reliable?
    var reliableNumber: UInt32 = 0
    /// The caller has confirmed a description, so offers may be made while it rings.
    var isDescribed = false
    var earlyOffer: EarlyOffer?
    /// The attempt in whose dialog other offers were answered: its later descriptions of the first one mean nothing.
    var renegotiated: Int?
    var untold: SIPMessage?
    var answer: SIPMessage?
    /// Offers of ours that are answered in an ACK.
    var unanswered = Sides<Unanswered?>(a: nil, b: nil)
    var transfer: Transfer?
    var farewells: [Farewell] = []
    /// The caller does not want to be shown (RFC 3323).
    var isAnonymous = false
    /// When the caller's wish to be connected ends by itself (RFC 3261 §13.3.1).
    var expiresAt: Instant?
    /// StartCall, while it is not answered.
    var starting: RequestID?
    /// Why the call is ending, once it is.
    var ending: CallEnded?
    var clients: [ClientTransactionID] = []
    var servers: [ServerTransactionID] = []

    struct Reoffer: Sendable {
        let from: Side
        let transaction: ServerTransactionID
        let request: SIPMessage
        let outgoing: ClientTransactionID
        let sent: SIPMessage
        let previous: Sides<LegMediaState>
        /// The dialog that takes the place of the offering side's (RFC 3891).
        let replacement: Leg?
        /// Who made it has taken it back.
        var isWithdrawn = false
    }

    init(_ id: CallID, invite: SIPMessage, transaction: ServerTransactionID, leg: consuming Leg, starting: RequestID?, isAnonymous: Bool) {
        self.starting = starting
        self.isAnonymous = isAnonymous
        self.id = id
        self.invite = (transaction, invite)
        a = leg
        mediaSession = id.value
        servers = [transaction]
    }

    /// When `tick` is due.
    var nextWake: Instant? {
        var first = earliest(
            lookingUp?.until, renewAt, creditEnds, announcement?.at, sessionWake, reliable?.repetition.nextWake, transfer?.deadline, movesAgain.a?.at,
            movesAgain.b?.at, stage == .talking ? nil : expiresAt)
        // By their places: an attempt is large.
        for index in attempts.indices where attempts[index].isOpen { first = min(first ?? attempts[index].deadline, attempts[index].deadline) }
        return first
    }

    subscript(side: Side) -> Leg? {
        get { side == .a ? a : b }
        set {
            guard let newValue else { return }
            if side == .a { a = newValue } else { b = newValue }
        }
    }

    /// Which side a message of the peer belongs to.
    func side(of message: SIPMessage) -> Side? {
        if a.dialog.matches(message) { return .a }
        if b?.dialog.matches(message) == true { return .b }
        return nil
    }

    /// All that another worker needs to carry this call on. Without keys: those are the media worker's.
    func snapshot(_ kit: CallKit) -> CallSnapshot {
        var snapshot = CallSnapshot()
        // A message within another is made whole before it is put there: each change of it there copies it.
        var caller = a.state
        caller.flow = kit.flow(a.hop, isGateway: a.isGateway)
        if let fork {
            caller.localTag = fork
            caller.remoteCseq = invite?.request.cseq.number ?? caller.remoteCseq
        }
        snapshot.a = caller
        if let b {
            var called = b.state
            called.flow = kit.flow(b.hop, isGateway: b.isGateway)
            snapshot.b = called
        }
        if isDirect {
            snapshot.mediaPath = .direct
            snapshot.sdpA = a.media.local?.withoutSecrets ?? ""
            snapshot.sdpB = b?.media.local?.withoutSecrets ?? ""
        } else {
            snapshot.mediaWorker = mediaWorker
            snapshot.mediaSession = Data(mediaSession.bytes)
            snapshot.sdpA = a.media.local?.withoutKeys ?? ""
            snapshot.sdpB = b?.media.local?.withoutKeys ?? ""
            snapshot.remoteSdpA = a.media.remote?.withoutKeys ?? ""
            snapshot.remoteSdpB = b?.media.remote?.withoutKeys ?? ""
        }
        treatment.write(to: &snapshot)
        if let recording { snapshot.recordingID = Data(recording.id.bytes) }
        snapshot.creditUntil = creditUntil?.microseconds ?? 0
        return snapshot
    }

    mutating func tick(_ kit: inout CallKit) {
        expire(&kit)
        expireAttempts(&kit)
        expireLookingUp(&kit)
        watchReliable(&kit)
        watchCredit(&kit)
        watchSessions(&kit)
        watchTransfer(&kit)
        moveAgain(&kit)
    }

    /// Whether that INVITE is to begin a dialog, and not to change one.
    func hasBegun(by transaction: ClientTransactionID) -> Bool {
        attempts.contains { $0.transaction == transaction } || transfer?.transaction == transaction
    }

    /// Forgets which transactions were this call's.
    func release(_ kit: inout CallKit) {
        if lookingUp != nil { kit.nameWaiters.remove(id) }
        kit.stranded.remove(id)
        for attempt in attempts where attempt.state == .abandoned {
            guard case .gateway(let target) = attempt.target.kind, kit.clientOwners[attempt.transaction] != nil else { continue }
            kit.formerGateways[attempt.transaction] = GatewayID(target.gatewayID)
        }
        for client in clients {
            // An offer that a peer has said is under way would be waited for without end.
            kit.cancel(client)
            kit.clientOwners[client] = nil
        }
        for server in servers { kit.serverOwners[server] = nil }
    }
}
