import Model
import Primitives
import SIP

/// One target that is being rung, or was.
struct Attempt: Sendable {
    enum State: Equatable, Sendable {
        case calling
        case ringing
        case answered
        case failed(Int)
        /// Given up by us; its transaction may still bring a late answer.
        case abandoned
    }
    let target: Target
    var transaction: ClientTransactionID
    var request: SIPMessage
    let hop: Hop
    var state = State.calling
    var record: CallAttempt
    /// When we give up.
    var deadline: Instant
    /// What we offered.
    var terms: MediaTerms
    /// nil: it is to make one.
    let offer: SDP?
    /// Dialogs of its provisional responses that we have confirmed.
    var early: [EarlyDialog] = []
    /// What a gateway wants to know who we are, while the control plane is asked, and after it.
    var challenge: (status: Int, reason: String, asked: DigestChallenge)?

    /// Other servers of the same gateway.
    var alternatives: [SocketAddress] = []
    /// It answered with nothing that the caller could be connected to.
    var lacksMedia = false
    /// Another server of the gateway was tried in its place.
    var isSuperseded = false

    var isGateway: Bool {
        switch target.kind {
        case .gateway: true
        case .contact, .forward, .pickup, .conference, nil: false
        }
    }

    var isOpen: Bool { state == .calling || state == .ringing }
}

extension Target {
    var hasNoNumber: Bool {
        if case .gateway(let gateway) = kind { gateway.number.isEmpty } else { false }
    }

    /// That it may be offered; empty: anything.
    var codecs: [String] {
        switch kind {
        case .contact(let contact): contact.codecs
        case .gateway(let gateway): gateway.codecs
        case .forward, .pickup, .conference, nil: []
        }
    }
}
