import Model
import SIP

/// Why we gave a final response: stands in its `X-Ledgerline-Reason` header, so that an operator can look it up in
/// docs/reasons.md, which is made of this list (`ledgerline reasons`). Names never change their meaning.
package enum FinalReason: String, CaseIterable, Sendable {
    case done
    case fromPeer = "from-peer"
    // Before there is a call.
    case malformed
    case hops
    case loop
    case merged
    case unknownExtension = "unknown-extension"
    case method
    case challenge
    case password
    case otherUser = "other-user"
    case tooFast = "too-fast"
    case draining
    case full
    case controlSilent = "control-silent"
    case noDialog = "no-dialog"
    case contact
    case wildcard
    case brief
    case outOfOrder = "out-of-order"
    case tooManyContacts = "too-many-contacts"
    case unknownLine = "unknown-line"
    // Decided by the control plane.
    case unknownNumber = "unknown-number"
    case notPermitted = "not-permitted"
    case noCredit = "no-credit"
    case limitReached = "limit-reached"
    case notRated = "not-rated"
    case notRegistered = "not-registered"
    case locked
    case noRoute = "no-route"
    case invalidNumber = "invalid-number"
    case unknownSource = "unknown-source"
    case numberBlocked = "number-blocked"
    case outsideHours = "outside-hours"
    case spendLimit = "spend-limit"
    case premiumNumber = "premium-number"
    case gatewaysBusy = "gateways-busy"
    case inboundRule = "inbound-rule"
    case atALoss = "at-a-loss"
    case doNotDisturb = "do-not-disturb"
    case callerBlocked = "caller-blocked"
    case anonymous
    case closed
    case nothingToPickUp = "nothing-to-pick-up"
    case refused
    // While a call is made.
    case noMediaWorker = "no-media-worker"
    case mediaLost = "media-lost"
    case noMedia = "no-media"
    case needsSRTP = "needs-srtp"
    case cancelled
    case expired
    case nobodyAnswered = "nobody-answered"
    case nobodyReached = "nobody-reached"
    case gatewaysFailed = "gateways-failed"
    case tooManyDiversions = "too-many-diversions"
    case noPRACK = "no-prack"
    case ended
    // Within a call.
    case pending
    case sessionTooShort = "session-too-short"
    case busyWorker = "busy-worker"
    case transferForbidden = "transfer-forbidden"
    case transferTarget = "transfer-target"
    case replacesForbidden = "replaces-forbidden"
    case replacesEarly = "replaces-early"

    /// By the status alone, where nobody has said more.
    init(status: Int) {
        self =
            switch status {
            case ..<300: .done
            case 400: .malformed
            case 401, 407: .challenge
            case 402: .noCredit
            case 404: .unknownNumber
            case 405: .method
            case 408: .nobodyAnswered
            case 415, 488, 606: .noMedia
            case 420: .unknownExtension
            case 422: .sessionTooShort
            case 423: .brief
            case 480: .nobodyReached
            case 481: .noDialog
            case 482: .loop
            case 483: .hops
            case 487: .cancelled
            case 491: .pending
            case 502: .gatewaysFailed
            case 503: .full
            default: .refused
            }
    }

    init(_ rejection: Dialog.Rejection) {
        self =
            switch rejection {
            case .notThisDialog: .noDialog
            case .outOfOrder: .outOfOrder
            }
    }

    init(_ refusal: Refusal) {
        self =
            switch refusal {
            case .none, .UNRECOGNIZED: .refused
            case .unknownNumber: .unknownNumber
            case .notPermitted: .notPermitted
            case .noCredit: .noCredit
            case .limitReached: .limitReached
            case .notRated: .notRated
            case .notRegistered: .notRegistered
            case .locked: .locked
            case .noRoute: .noRoute
            case .invalidNumber: .invalidNumber
            case .unknownSource: .unknownSource
            case .numberBlocked: .numberBlocked
            case .outsideHours: .outsideHours
            case .spendLimit: .spendLimit
            case .premiumNumber: .premiumNumber
            case .gatewaysBusy: .gatewaysBusy
            case .inboundRule: .inboundRule
            case .atALoss: .atALoss
            case .doNotDisturb: .doNotDisturb
            case .callerBlocked: .callerBlocked
            case .anonymous: .anonymous
            case .forwardLoop: .tooManyDiversions
            case .closed: .closed
            case .nothingToPickUp: .nothingToPickUp
            }
    }
}
