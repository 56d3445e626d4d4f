extension FinalReason {
    /// What it says, and what an operator may do about it.
    package var meaning: (text: String, remedy: String) {
        switch self {
        case .done: ("The request was carried out.", "")
        case .fromPeer: ("The other side of the call, or a carrier, answered so; the status is theirs.", "The attempts of the call's record say who.")
        case .malformed: ("The request breaks the grammar of RFC 3261, or lacks what it needs.", "The phrase of the response says what; look at the sender's software.")
        case .hops: ("Max-Forwards was used up: the request has been round.", "Look for a carrier or PBX that sends calls back to where they came from.")
        case .loop: ("A call of ours came back as a new call.", "A gateway or a forward leads back to this platform.")
        case .merged: ("The same request came by two ways.", "A proxy in front forks to several workers: send each request to one.")
        case .unknownExtension: ("The request requires an extension that is not known here; `Unsupported` names it.", "Switch it off at the sender, or make it optional there.")
        case .method: ("The method is not taken here; `Allow` names those that are.", "")
        case .challenge: ("A password is asked for; phones answer by themselves.", "")
        case .password: ("The user does not exist, or the password is wrong.", "Set the password anew at the line and at the phone. After too many wrong ones the address is not heard for a while.")
        case .otherUser: ("A phone registered with another line's password.", "User and authentication name of the account have to be the line's.")
        case .tooFast: ("The line, or an address that nobody vouches for, sends more requests a second than are taken from one.", "`Retry-After` says when to come again; a flood is in the worker's log.")
        case .draining: ("The worker is being stopped and takes no new calls.", "`ledgerline worker list` says which; others take the calls.")
        case .full: ("The worker has as many calls or transactions as it takes.", "Add workers.")
        case .controlSilent: ("The control plane did not answer in time.", "Is `ledgerline control` running and its disk well? The worker asks again by itself.")
        case .noDialog: ("The request belongs to no call that runs: it has ended, or never was.", "After a restart of a phone this is usual.")
        case .contact: ("The request has no Contact that could be reached.", "Look at the sender's software, or an ALG in a router on the way.")
        case .wildcard: ("`Contact: *` goes with `Expires: 0` alone.", "")
        case .brief: ("The registration is shorter than is taken; `Min-Expires` says the least.", "")
        case .outOfOrder: ("An older request came after a newer one of the same phone.", "")
        case .tooManyContacts: ("The line, or its tenant, has as many contacts as it may have; the phrase of the response says which.", "Remove registrations, or raise the limit.")
        case .unknownLine: ("What is registered is no line: its address has no domain, or the line has gone since the password was checked.", "")
        case .unknownNumber: ("No line, alias, number or rule of the dial plan matches what was dialled.", "`ledgerline explain` shows the steps; try the dial plan.")
        case .notPermitted: ("The line may not call this destination.", "`GET /v1/subscribers/{id}/permission` names the rule.")
        case .noCredit: ("The account does not pay for the first increment.", "Top up.")
        case .limitReached: ("The line or the customer has as many calls at a time as it may have.", "Raise `concurrent_calls_max`.")
        case .notRated: ("There is no price for the destination, and so no call.", "Add the prefix to the deck.")
        case .notRegistered: ("No phone of the called line is registered.", "")
        case .locked: ("The line, or something above it, is not active; a locked line calls emergency numbers alone.", "See docs/status.md.")
        case .noRoute: ("No carrier or gateway is set up for the call.", "Give the tenant or the plan a carrier with a gateway.")
        case .invalidNumber: ("The number is incomplete, too long or none.", "")
        case .unknownSource: ("The address is no gateway of ours, and the caller no line.", "Add the gateway by its address.")
        case .numberBlocked: ("A list of the security group blocks the number.", "")
        case .outsideHours: ("The security group does not allow this call at this time.", "")
        case .spendLimit: ("The day's limit of spend is used up.", "")
        case .premiumNumber: ("Numbers of raised price are not allowed.", "")
        case .gatewaysBusy: ("Every gateway has as many calls as it takes.", "Raise `calls_max`, or add gateways.")
        case .inboundRule: ("A rule of the carrier for calls from outside refused it.", "The record's `refusal_detail` says which.")
        case .atALoss: ("Every way would cost somebody more than it earns, and losses are refused.", "")
        case .doNotDisturb: ("The called line is not to be disturbed.", "")
        case .callerBlocked: ("The caller is on the called line's list.", "")
        case .anonymous: ("The called line takes no calls of callers who do not show their number.", "")
        case .closed: ("The called line is not rung at this time.", "See docs/lines.md.")
        case .nothingToPickUp: ("No call that rings may be picked up so.", "")
        case .refused: ("Refused; the `Reason` header and the record say why.", "")
        case .noMediaWorker: ("No media worker is there, or none has ports left.", "`ledgerline worker list`.")
        case .mediaLost: ("The media worker was lost while the call rang.", "")
        case .noMedia: ("Both sides have no media in common that could be relayed.", "Compare the codecs; video alone is no call, and fax no encrypted one.")
        case .needsSRTP: ("The line is set to SRTP and the phone offered plain RTP.", "Switch SRTP on at the phone, or `media_security` to `plain`.")
        case .cancelled: ("The caller gave up.", "")
        case .expired: ("Nobody answered within the time that the INVITE's `Expires` gives.", "The sender sets it: raise it there.")
        case .nobodyAnswered: ("It rang, and nobody answered in time.", "")
        case .nobodyReached: ("No phone could be reached, or none said anything useful.", "The attempts of the call's record say what each answered.")
        case .gatewaysFailed: ("No gateway could carry the call; their failures are not the caller's.", "The attempts of the call's record say what each answered.")
        case .tooManyDiversions: ("The call was forwarded or redirected too often.", "Look for two lines that forward to each other.")
        case .noPRACK: ("The caller required reliable ringing (RFC 3262) and did not confirm it.", "A firewall that drops PRACK, or a broken caller.")
        case .ended: ("The call ended while the request was under way.", "")
        case .pending: ("Another offer or transfer is under way in this call; phones try again by themselves.", "")
        case .sessionTooShort: ("The session timer is shorter than is taken; `Min-SE` says the least.", "")
        case .busyWorker: ("The worker has no transaction left for the other side.", "Add workers.")
        case .transferForbidden: ("Only lines of the platform transfer calls; a carrier's REFER is not taken.", "")
        case .transferTarget: ("Refer-To is not one SIP address.", "")
        case .replacesForbidden: ("The dialog in `Replaces` belongs to another tenant.", "")
        case .replacesEarly: ("Only ringing calls were to be replaced, and this one is answered.", "")
        }
    }

    /// docs/reasons.md.
    package static var page: String {
        """
        # Reasons of final responses

        Every final response that a signalling worker gives by itself says where and why it was decided:

        ```
        SIP/2.0 402 Payment Required
        X-Ledgerline-Position: 18204
        X-Ledgerline-Reason: no-credit
        Reason: SIP;cause=402;text="…"
        ```

        `X-Ledgerline-Position` is the sequence number of the log up to which the decision had seen everything: "configured, but refused" is
        answered by comparing it with the event of the setting (`ledgerline log tail`, `ledgerline as-of`). `X-Ledgerline-Reason` is one of these words. What a peer answered is
        passed on with `from-peer`.

        `ledgerline reasons > docs/reasons.md` makes this page.

        | reason | what it says | what to do |
        | --- | --- | --- |

        """ + allCases.map { "| `\($0.rawValue)` | \($0.meaning.text) | \($0.meaning.remedy) |\n" }.joined()
    }
}
