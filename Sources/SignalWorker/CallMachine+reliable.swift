import Foundation
import Model
import Primitives
import SIP

/// Reliable provisional responses (RFC 3262), between us and each side by itself: what the caller is told until it confirms it, and
/// the confirmations that the called side wants of us.
extension CallMachine {
    /// A provisional response that the caller has not confirmed.
    struct Reliable: Sendable {
        let number: UInt32
        let response: SIPMessage
        var repetition: AnswerMachine
    }

    /// The caller has confirmed a description, or has to: it takes no other one in this dialog (RFC 3261 §13.2.1).
    var isToldForGood: Bool { isDescribed || reliable?.response.body.isEmpty == false }

    /// Tells the caller how far the call is: reliably if it insists, or if it can and is told about media.
    mutating func tellCaller(_ response: SIPMessage, _ kit: inout CallKit) {
        guard let invite else { return }
        let needs = invite.request.required.contains("100rel")
        let knows = needs || invite.request.supported.contains("100rel")
        guard needs || knows && !response.body.isEmpty else { return kit.respond(response, to: invite.transaction) }
        guard reliable == nil else {
            // One at a time (§3), and the newest of what waits says it all.
            if !response.body.isEmpty || untold?.body.isEmpty != false { untold = response }
            return
        }
        var response = response
        reliableNumber = reliableNumber == 0 ? UInt32(kit.random.next() % 1_000_000) + 1 : reliableNumber + 1
        response.headers.append(.require, "100rel")
        response.headers.append(.rseq, String(reliableNumber))
        reliable = Reliable(
            number: reliableNumber, response: response, repetition: AnswerMachine(now: kit.now, timers: kit.configuration.timers))
        kit.respond(response, to: invite.transaction)
    }

    /// The caller's PRACK.
    mutating func confirmed(by request: SIPMessage, _ transaction: ServerTransactionID, _ kit: inout CallKit) {
        let words = (request.headers[.rack] ?? "").split(separator: " ")
        if let released, words.count == 3, UInt32(words[0]) == released.number, UInt32(words[1]) == released.response.cseq.number, words[2] == "INVITE", !request.hasSDP {
            // It crossed our final response (§3).
            self.released = nil
            return kit.respond(request.response(200, toTag: a.dialog.localTag), to: transaction)
        }
        guard let waiting = reliable, words.count == 3, UInt32(words[0]) == waiting.number,
            UInt32(words[1]) == waiting.response.cseq.number, words[2] == "INVITE"
        else { return kit.respond(request.response(481, toTag: a.dialog.localTag), to: transaction) }
        reliable = nil
        if !waiting.response.body.isEmpty { isDescribed = true }
        if request.hasSDP {
            offerWhileRinging(request, transaction, &kit)
        } else {
            kit.respond(request.response(200, toTag: a.dialog.localTag), to: transaction)
        }
        if let next = untold {
            untold = nil
            if stage == .ringing { tellCaller(next, &kit) }
        }
        releaseAnswer(&kit)
    }

    /// The 200 for the caller, which has to wait while a description is unconfirmed (§3).
    mutating func answerCaller(_ ok: SIPMessage, _ kit: inout CallKit) {
        untold = nil
        answer = ok
        releaseAnswer(&kit)
    }

    /// Not while an offer of the ringing is unanswered either (RFC 6337 §3.1.2).
    mutating func releaseAnswer(_ kit: inout CallKit) {
        guard var ok = answer, reliable?.response.body.isEmpty != false, earlyOffer == nil, let invite else { return }
        (answer, released, reliable) = (nil, reliable, nil)
        if let fork {
            // Another dialog than the one that rang, as if a proxy had forked the INVITE (RFC 3261 §13.2.2.4).
            var state = a.dialog.state
            state.localTag = fork
            // Its confirmations were requests of the dialog that rang.
            state.remoteCSeq = invite.request.cseq.number
            a.dialog = Dialog(restoring: state) ?? a.dialog
            ok.to.tag = fork
            self.fork = nil
        }
        kit.respond(ok, to: invite.transaction)
    }

    mutating func watchReliable(_ kit: inout CallKit) {
        guard var waiting = reliable, let invite else { return }
        var actions: [AnswerMachine.Action] = []
        waiting.repetition.tick(now: kit.now, timers: kit.configuration.timers, into: &actions)
        reliable = waiting
        for action in actions {
            switch action {
            case .retransmit: kit.respond(waiting.response, to: invite.transaction)
            case .reportUnacknowledged:
                reliable = nil
                // §3: the INVITE is refused; an answer that waits never reaches the caller.
                guard answer != nil else {
                    abandonAll(&kit)
                    return fail(504, .failed, "no PRACK came for what was to be confirmed", &kit, .noPRACK)
                }
                return hangUp(.failed, refusing: (504, .noPRACK), &kit)
            }
        }
    }

    // MARK: The called side

    /// Confirms a reliable provisional response.
    ///
    /// - Returns: false if it is a repetition, or came before one that was lost: then it is not to be looked at (§4).
    mutating func confirm(_ response: SIPMessage, of index: Int, _ kit: inout CallKit) -> Bool {
        guard response.status > 100, response.required.contains("100rel") else { return true }
        guard let number = response.headers[.rseq].flatMap({ UInt32($0) }), let tag = response.to.tag else { return false }
        var dialogs = attempts[index].early
        let place = dialogs.firstIndex { $0.dialog.remoteTag == tag }
        var early: EarlyDialog
        if let place {
            early = dialogs[place]
            // A number behind the largest there is does not come.
            guard early.number < .max, number == early.number + 1 else { return false }
        } else {
            // A fork of this width is an attack.
            guard dialogs.count < 8, let dialog = Dialog(calling: attempts[index].request, response: response) else { return false }
            early = EarlyDialog(dialog: dialog, number: number)
        }
        early.number = number
        if response.hasSDP, early.description == nil { early.description = response.body }
        if let allowed = response.allows(.update) { early.takesUpdate = allowed }
        var prack = early.dialog.request(.prack, via: kit.via(id))
        prack.headers.append(.rack, "\(number) \(response.cseq.number) INVITE")
        if let place { dialogs[place] = early } else { dialogs.append(early) }
        attempts[index].early = dialogs
        let leg = Leg(dialog: early.dialog, hop: attempts[index].hop, isGateway: attempts[index].isGateway)
        if let transaction = kit.send(prack, to: leg.path, of: id) { clients.append(transaction) }
        return true
    }
}

/// A dialog of a target that rings, and the last provisional response of it that we have confirmed.
struct EarlyDialog: Sendable {
    var dialog: Dialog
    var number: UInt32
    /// Its answer to our offer, which need not be said again (RFC 3261 §13.2.1).
    var description: [UInt8]?
    var takesUpdate = false
}
