import Foundation
import Model
import Primitives
import SIP

/// Offers while a call still rings: in UPDATE (RFC 3311), and in the caller's PRACK (RFC 3262 §5). They may be made once both sides have
/// confirmed the first description (RFC 6337 §3.1); the other side is asked by UPDATE, and its answer is the answer.
extension CallMachine {
    struct EarlyOffer: Sendable {
        let from: Side
        let attempt: Int
        let transaction: ServerTransactionID
        let request: SIPMessage
        let outgoing: ClientTransactionID
        let sent: SIPMessage
        let previous: Sides<LegMediaState>
    }

    /// Whether a description in a response to that INVITE is an answer to our first offer.
    func describes(_ index: Int, _ response: SIPMessage) -> Bool { renegotiated != index || isDirect && response.to.tag != descriptionTag }

    /// Of the called side, which has no leg before it answers.
    private var calledMedia: LegMediaState? {
        get { b?.media ?? bMedia }
        set {
            if b == nil { bMedia = newValue } else if let newValue { b?.media = newValue }
        }
    }

    // MARK: The caller offers

    /// UPDATE or PRACK of the caller with a description.
    mutating func offerWhileRinging(_ request: SIPMessage, _ transaction: ServerTransactionID, _ kit: inout CallKit) {
        func refuse(_ status: Int, _ why: FinalReason, _ kit: inout CallKit) {
            kit.respond(request.response(status, toTag: a.dialog.localTag), to: transaction, why)
        }
        guard stage == .ringing, isDescribed, earlyOffer == nil, a.media.remote != nil, let called = calledMedia, isDirect || mediaAddress != nil,
            let index = descriptionOf, attempts[index].isOpen
        else { return refuse(491, .pending, &kit) }
        guard let place = attempts[index].early.lastIndex(where: { $0.description != nil && $0.takesUpdate && isDescribing($0.dialog) }) else { return refuse(488, .noMedia, &kit) }
        var own = a.media
        var other = called
        guard let sdp = take(request, into: &own, &kit) else { return refuse(488, .noMedia, &kit) }
        let forward = offer(sdp, own.index, for: &other, .b, &kit)
        var early = attempts[index].early[place]
        var sent = early.dialog.request(.update, via: kit.via(id))
        attempts[index].early[place] = early
        complete(&sent, forward, kit)
        let leg = Leg(dialog: early.dialog, hop: attempts[index].hop, isGateway: attempts[index].isGateway)
        guard let outgoing = kit.send(sent, to: leg.path, of: id) else { return refuse(503, .busyWorker, &kit) }
        remember(.a, index, transaction, request, outgoing, sent, &kit)
        a.media = own
        calledMedia = other
    }

    // MARK: The called side offers

    /// A request of a target that rings, within the dialog of a provisional response that we have confirmed.
    ///
    /// - Returns: false if it is none that such a dialog knows.
    mutating func requestOfRinging(_ request: SIPMessage, _ transaction: ServerTransactionID, _ kit: inout CallKit) -> Bool {
        guard stage == .ringing, request.method == .update,
            let index = attempts.firstIndex(where: { $0.isOpen && $0.early.contains { $0.dialog.matches(request) } }),
            let place = attempts[index].early.firstIndex(where: { $0.dialog.matches(request) })
        else { return false }
        func answer(_ status: Int, _ why: FinalReason?, _ kit: inout CallKit) {
            var response = request.response(status, toTag: request.to.tag)
            if status < 300 { response.headers.append(.contact, kit.contactText) }
            kit.respond(response, to: transaction, why)
        }
        do throws(Dialog.Rejection) {
            try attempts[index].early[place].dialog.receive(request)
        } catch {
            answer(error.status, FinalReason(error), &kit)
            return true
        }
        guard request.hasSDP else {
            answer(200, nil, &kit)
            return true
        }
        // Whom the caller does not hear cannot change what it hears; nor can anybody, if it knows no such offers.
        guard descriptionOf == index, a.takesUpdate, invite?.request.knowsReliable == true, a.media.remote != nil, var own = calledMedia, isDirect || mediaAddress != nil,
            isDescribing(attempts[index].early[place].dialog)
        else {
            answer(488, .noMedia, &kit)
            return true
        }
        guard earlyOffer == nil, isDescribed, reliable?.response.body.isEmpty != false else {
            answer(491, .pending, &kit)
            return true
        }
        guard let sdp = take(request, into: &own, &kit) else {
            answer(488, .noMedia, &kit)
            return true
        }
        var leg = a
        let forward = offer(sdp, own.index, for: &leg.media, .a, &kit)
        var sent = leg.dialog.request(.update, via: kit.via(id))
        complete(&sent, forward, kit)
        a.dialog = leg.dialog
        guard let outgoing = kit.send(sent, to: leg.path, of: id) else {
            answer(503, .busyWorker, &kit)
            return true
        }
        remember(.b, index, transaction, request, outgoing, sent, &kit)
        a.media = leg.media
        calledMedia = own
        return true
    }

    // MARK: Both

    /// Reads an offer, and finds the key that we answer it with.
    private func take(_ request: SIPMessage, into media: inout LegMediaState, _ kit: inout CallKit) -> SDP? {
        let before = media
        guard let sdp = try? SDP(parsing: request.body) else { return nil }
        if isDirect {
            OfferAnswer.note(sdp, into: &media)
            return sdp
        }
        guard (try? OfferAnswer.take(sdp, into: &media)) != nil else { return nil }
        media.answerOffer(after: before, &kit.random)
        return sdp
    }

    private func take(answer sdp: SDP, into media: inout LegMediaState) -> Bool {
        guard isDirect else { return (try? OfferAnswer.take(answer: sdp, to: media.own, into: &media)) != nil }
        OfferAnswer.note(sdp, into: &media)
        return true
    }

    /// In a direct call the caller knows the description of one who rings, and of no other phone behind the same address.
    private func isDescribing(_ dialog: Dialog) -> Bool { !isDirect || dialog.remoteTag == descriptionTag }

    private mutating func offer(_ sdp: SDP, _ index: Int, for other: inout LegMediaState, _ side: Side, _ kit: inout CallKit) -> SDP {
        guard let host = mediaAddress else {
            let forward = passed(sdp, to: other)
            other.local = forward
            return forward
        }
        descriptionVersion += 1
        other.makeKey(&kit.random)
        let forward = OfferAnswer.description(
            from: sdp, relaying: index, at: SocketAddress(host, port: other.port), session: sessionNumber, version: descriptionVersion, to: other,
            streams: addresses(of: sdp, but: index, for: side, other.own), fingerprint: mediaFingerprint)
        other.local = forward
        return forward
    }

    private func complete(_ update: inout SIPMessage, _ description: SDP, _ kit: CallKit) {
        update.headers.append(.contact, kit.contactText)
        update.headers.append(.allow, CallMachine.allowed)
        update.setBody(description.bytes, type: "application/sdp")
    }

    private mutating func remember(
        _ from: Side, _ attempt: Int, _ transaction: ServerTransactionID, _ request: SIPMessage, _ outgoing: ClientTransactionID, _ sent: SIPMessage,
        _ kit: inout CallKit
    ) {
        clients.append(outgoing)
        own(transaction, &kit)
        earlyOffer = EarlyOffer(
            from: from, attempt: attempt, transaction: transaction, request: request, outgoing: outgoing, sent: sent,
            previous: Sides(a: a.media, b: calledMedia ?? LegMediaState()))
    }

    mutating func earlyOfferAnswered(_ response: SIPMessage, _ kit: inout CallKit) {
        guard let offer = earlyOffer, response.isFinal else { return }
        earlyOffer = nil
        defer { releaseAnswer(&kit) }
        let tag = offer.from == .a ? a.dialog.localTag : offer.request.to.tag
        // The target that it was made to, or by, may have been given up for another meanwhile.
        let isCurrent = descriptionOf == offer.attempt
        if offer.from == .b {
            a.dialog.receive(response: response)
        } else if b != nil {
            b?.dialog.receive(response: response)
        } else if let place = attempts[offer.attempt].early.firstIndex(where: { $0.dialog.matches(response) }) {
            attempts[offer.attempt].early[place].dialog.receive(response: response)
        }
        guard isCurrent, response.isSuccess, isDirect || (mediaAddress ?? hostOfLocal) != nil, var called = calledMedia, let sdp = try? SDP(parsing: response.body),
            offer.from == .a ? take(answer: sdp, into: &called) : take(answer: sdp, into: &a.media)
        else {
            restore(offer.previous, isCurrent)
            let status = response.isSuccess || response.status == 401 || response.status == 407 ? 488 : response.status
            var refusal = offer.request.response(status, toTag: tag)
            for header in [HeaderName.retryAfter, .warning, .reason] { if let value = response.headers[header] { refusal.headers.append(header, value) } }
            return kit.respond(refusal, to: offer.transaction, response.isSuccess ? .noMedia : .fromPeer)
        }
        let (answering, port) = offer.from == .a ? (called.index, a.media.port) : (a.media.index, called.port)
        let own = offer.from == .a ? a.media : called
        let answer =
            isDirect
            ? passed(sdp, to: own, isAnswer: true)
            : OfferAnswer.description(
                from: sdp, relaying: answering, at: SocketAddress(mediaAddress ?? hostOfLocal ?? .v4(0), port: port), session: sessionNumber, version: descriptionVersion, to: own,
                streams: addresses(of: sdp, but: answering, for: offer.from, own.own), fingerprint: mediaFingerprint, isAnswer: true)
        if offer.from == .a { a.media.local = answer } else { called.local = answer }
        calledMedia = called
        // The 200 that waits repeats what holds now.
        if let local = a.media.local { self.answer?.setBody(local.bytes, type: "application/sdp") }
        renegotiated = offer.attempt
        change(with: called, &kit)
        var ok = offer.request.response(200, toTag: tag)
        if offer.request.method == .update {
            ok.headers.append(.contact, kit.contactText)
            ok.headers.append(.allow, CallMachine.allowed)
        }
        ok.setBody(answer.bytes, type: "application/sdp")
        kit.respond(ok, to: offer.transaction)
    }

    /// - Parameter isCurrent: nobody else's description is in the place of the called side's.
    private mutating func restore(_ media: Sides<LegMediaState>, _ isCurrent: Bool) {
        guard isCurrent else {
            (a.media.remote, a.media.receiving, a.media.index, a.media.own) = (media.a.remote, media.a.receiving, media.a.index, media.a.own)
            return
        }
        a.media = media.a
        calledMedia = media.b
    }
}

extension SIPMessage {
    /// An INVITE whose sender confirms provisional responses.
    var knowsReliable: Bool { required.contains("100rel") || supported.contains("100rel") }
}
