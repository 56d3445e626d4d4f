import Foundation
import Model
import Primitives
import SIP

/// A direct call: offers and answers pass between the sides as they are, and no media worker takes part.
///
/// Who is to make an offer for somebody else's answer is asked by an INVITE without one, and hears the answer in our ACK (RFC 3264 §4,
/// RFC 3725 §4.1): the caller's own late offer goes that way, and so does a change of party.
extension CallMachine {
    /// A 2xx that brought an offer: its ACK waits for the answer.
    struct Debt: Sendable {
        let invite: SIPMessage
        let transaction: ClientTransactionID
    }

    /// An exchange that no other may cross.
    var owesAnswer: Bool { debts.a != nil || debts.b != nil }

    /// What a side is told of what the other one has said.
    ///
    /// - Parameter isAnswer: to the last offer of that side.
    func passed(_ said: SDP, to media: LegMediaState, isAnswer: Bool = false) -> SDP {
        OfferAnswer.passed(said, session: sessionNumber, after: media.local, answering: isAnswer ? media.remote : nil)
    }

    // MARK: Ringing

    /// What is offered to one that is to ring; nil: it is to offer.
    var directOffer: SDP? { a.media.remote.map { OfferAnswer.passed($0, session: sessionNumber, after: nil) } }

    /// The description of one that rings or answers, for the caller.
    ///
    /// - Returns: false if there is nothing to be told.
    mutating func agreeDirectly(_ response: SIPMessage, _ index: Int, _ kit: CallKit) -> Bool {
        guard let sdp = try? SDP(parsing: response.body) else { return false }
        let tag = response.to.tag ?? ""
        // A caller takes the first description of a dialog for the answer (RFC 3261 §13.2.1): those of others who ring are not for it.
        let isOther = descriptionOf.map { $0 != index || descriptionTag != tag } ?? false
        guard response.isSuccess || !isOther && a.media.remote != nil else { return false }
        if isOther { forkAnswer("\(index)", kit) }
        var media = LegMediaState()
        media.local = attempts[index].offer
        OfferAnswer.note(sdp, into: &media)
        bMedia = media
        a.media.local = passed(sdp, to: a.media, isAnswer: a.media.remote != nil)
        descriptionOf = index
        descriptionTag = tag
        return true
    }

    /// The caller knows the description of one who rang, and gets that of another one who answers: in a dialog of its own.
    mutating func forkAnswer(_ part: String, _ kit: CallKit) {
        fork = OwnerMark(worker: kit.configuration.worker, call: id, part: "a\(part)").text
        a.media.local = nil
    }

    // MARK: Talking

    /// A new offer of one side, or its wish for one, goes to the other as it is.
    ///
    /// - Parameter replacement: the dialog that takes the place of that side's.
    mutating func offerDirectly(
        _ request: SIPMessage, _ transaction: ServerTransactionID, _ side: Side, replacing replacement: Leg?, _ kit: inout CallKit
    ) {
        guard var leg = replacement ?? self[side], var other = self[side.other] else {
            return kit.respond(request.response(500, toTag: self[side]?.dialog.localTag), to: transaction)
        }
        let previous = Sides(a: a.media, b: b?.media ?? LegMediaState())
        var offer: SDP?
        if !request.body.isEmpty {
            guard request.hasSDP, let sdp = try? SDP(parsing: request.body) else {
                return kit.respond(request.response(488, toTag: leg.dialog.localTag), to: transaction, .noMedia)
            }
            OfferAnswer.note(sdp, into: &leg.media)
            offer = passed(sdp, to: other.media)
        }
        // Whoever comes new has been told nothing.
        if replacement != nil { leg.media.local = nil }
        // An UPDATE is answered at once, where a person may be asked about an INVITE; it cannot ask for an offer.
        let method: SIP.Method = request.method == .update && other.takesUpdate && offer != nil ? .update : .invite
        let sent = tell(offer, by: method, &other, &kit)
        if replacement == nil { self[side] = leg }
        self[side.other] = other
        guard let outgoing = kit.send(sent, to: other.path, of: id) else {
            restore(previous)
            return kit.respond(request.response(503, toTag: leg.dialog.localTag), to: transaction, .busyWorker)
        }
        clients.append(outgoing)
        own(transaction, &kit)
        reoffer = Reoffer(
            from: side, transaction: transaction, request: request, outgoing: outgoing, sent: sent, previous: previous,
            replacement: replacement.map { _ in leg })
    }

    /// The other side has taken the offer, or made one.
    mutating func reofferTaken(_ response: SIPMessage, _ reoffer: Reoffer, _ kit: inout CallKit) {
        guard var other = self[reoffer.from.other], var leg = reoffer.replacement ?? self[reoffer.from] else { return }
        other.refreshed(by: response, kit)
        let isLate = !reoffer.sent.hasSDP
        let sdp = try? SDP(parsing: response.body)
        let debt = Debt(invite: reoffer.sent, transaction: reoffer.outgoing)
        if reoffer.sent.method == .invite, !isLate || sdp == nil { pay(debt, of: other, nil, &kit) }
        guard let sdp else {
            restore(reoffer.previous)
            self[reoffer.from.other]?.dialog = other.dialog
            return kit.respond(reoffer.request.response(488, toTag: leg.dialog.localTag), to: reoffer.transaction, .noMedia)
        }
        OfferAnswer.note(sdp, into: &other.media)
        let told = passed(sdp, to: leg.media, isAnswer: !isLate)
        leg.media.local = told
        if isLate {
            debts[reoffer.from.other] = debt
            unanswered[reoffer.from] = Unanswered(terms: MediaTerms())
        }
        var ok = reoffer.request.response(200, toTag: leg.dialog.localTag)
        ok.headers.append(.contact, kit.contactText)
        ok.headers.append(.allow, CallMachine.allowed)
        leg.refreshed(by: reoffer.request, answered: &ok, kit)
        ok.setBody(told.bytes, type: "application/sdp")
        let replaced = reoffer.replacement == nil ? nil : self[reoffer.from]
        if reoffer.replacement != nil { leg.dialog.confirm() }
        self[reoffer.from] = leg
        self[reoffer.from.other] = other
        if !isLate { update(&kit) }
        kit.respond(ok, to: reoffer.transaction)
        if var replaced { hangUpStray(&replaced, &kit) }
    }

    /// A side's answer to the other one's offer, in its ACK.
    mutating func answerDirectly(_ ack: SIPMessage, from side: Side, _ kit: inout CallKit) {
        guard var leg = self[side], let debt = debts[side.other] else { return }
        let isFirst = leg.media.remote == nil
        guard ack.hasSDP, let sdp = try? SDP(parsing: ack.body) else {
            forgive(side.other, &kit)
            // The session stands as it was, if there was one.
            if isFirst { hangUp(.failed, &kit) }
            return
        }
        OfferAnswer.note(sdp, into: &leg.media)
        self[side] = leg
        settle(debt, of: side.other, with: sdp, &kit)
    }

    // MARK: Our own offers

    /// Both sides are to agree anew: that one is asked for an offer, which goes to the other.
    mutating func agreeAnew(_ side: Side, _ kit: inout CallKit) {
        let isRetry = debts[side.other] != nil
        guard var leg = self[side] else { return }
        var offer: SDP?
        if isRetry, let said = self[side.other]?.media.remote { offer = passed(said, to: leg.media) }
        let request = tell(offer, by: .invite, &leg, &kit)
        self[side] = leg
        guard let transaction = kit.send(request, to: leg.path, of: id) else { return }
        clients.append(transaction)
        moving.append(Move(side: side, transaction: transaction, request: request, leg: Former(leg)))
    }

    /// A 2xx to an INVITE of ours: an offer that goes on to the other side, or the answer that one is waiting for.
    mutating func agreedAnew(_ response: SIPMessage, _ move: Move, _ kit: inout CallKit) {
        guard var leg = self[move.side] else { return }
        let own = Debt(invite: move.request, transaction: move.transaction)
        guard let sdp = try? SDP(parsing: response.body) else {
            pay(own, of: leg, nil, &kit)
            return hangUp(.failed, &kit)
        }
        OfferAnswer.note(sdp, into: &leg.media)
        self[move.side] = leg
        guard move.request.hasSDP else {
            debts[move.side] = own
            return agreeAnew(move.side.other, &kit)
        }
        pay(own, of: leg, nil, &kit)
        if let debt = debts[move.side.other] { settle(debt, of: move.side.other, with: sdp, &kit) }
    }

    // MARK: Answers that are owed

    private mutating func settle(_ debt: Debt, of side: Side, with answer: SDP, _ kit: inout CallKit) {
        guard var leg = self[side] else { return }
        debts[side] = nil
        let told = passed(answer, to: leg.media, isAnswer: true)
        leg.media.local = told
        self[side] = leg
        pay(debt, of: leg, told, &kit)
        if side == .b { bMedia = leg.media }
        update(&kit)
    }

    /// No answer is to be had: the ACK says nothing.
    mutating func forgive(_ side: Side, _ kit: inout CallKit) {
        guard let debt = debts[side], let leg = self[side] else { return }
        debts[side] = nil
        pay(debt, of: leg, nil, &kit)
    }

    private func pay(_ debt: Debt, of leg: Leg, _ answer: SDP?, _ kit: inout CallKit) {
        var ack = leg.dialog.acknowledgement(of: debt.invite, via: kit.via(id))
        if let answer { ack.setBody(answer.bytes, type: "application/sdp") }
        kit.acknowledge(ack, of: debt.transaction, to: leg.path)
    }

    /// - Parameter offer: nil: an offer is asked for.
    private func tell(_ offer: SDP?, by method: SIP.Method, _ leg: inout Leg, _ kit: inout CallKit) -> SIPMessage {
        if let offer { leg.media.local = offer }
        var request = leg.dialog.request(method, via: kit.via(id))
        request.headers.append(.contact, kit.contactText)
        request.headers.append(.allow, CallMachine.allowed)
        leg.timer?.write(toRequest: &request)
        if let offer { request.setBody(offer.bytes, type: "application/sdp") }
        return request
    }
}
