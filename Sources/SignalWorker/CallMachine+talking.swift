import Foundation
import Model
import Primitives
import SIP

/// An answered call: requests within its dialogs, and credit.
extension CallMachine {
    /// A request of a peer within the dialog of that side.
    mutating func request(_ request: SIPMessage, _ transaction: ServerTransactionID, on hop: Hop, from side: Side, _ kit: inout CallKit) {
        guard let method = request.method, var leg = self[side] else { return }
        func answer(_ status: Int, _ kit: inout CallKit) {
            kit.respond(request.response(status, toTag: leg.dialog.localTag), to: transaction)
        }
        do throws(Dialog.Rejection) {
            try leg.dialog.receive(request)
        } catch {
            return kit.respond(request.response(error.status, toTag: leg.dialog.localTag), to: transaction, FinalReason(error))
        }
        // A peer behind a NAT may have moved.
        leg.hop = hop
        leg.heard(request, at: kit.wall)
        self[side] = leg
        switch method {
        case .bye:
            answer(200, &kit)
            if stage == .talking {
                guard !leftDuringTransfer(side) else { return }
                hungUp(by: side, reason: request.headers.all(.reason), &kit)
            } else if side == .a {
                callerGone(&kit)
            }
        case .options: answer(200, &kit)
        case .invite, .update:
            guard stage == .talking, self.answer == nil else {
                if method == .update, request.hasSDP, stage == .ringing { return offerWhileRinging(request, transaction, &kit) }
                // A target may be refreshed at any time (RFC 3311 §5.2).
                return answer(method == .update && !request.hasSDP && stage != .closing ? 200 : 491, &kit)
            }
            let isBusy = reoffer != nil || parked != nil || earlyOffer != nil || !moving.isEmpty || owesAnswer || awaitsAnswer || transfer != nil && transfer?.by != side || refreshing.contains { $0.side == side && $0.request.method == .invite }
            let asks = request.hasSDP || method == .invite
            if asks, reoffer?.from == side || parked?.side == side {
                // Before its first is answered (RFC 3261 §14.2).
                var later = request.response(500, toTag: leg.dialog.localTag)
                later.headers.append(.retryAfter, String(kit.random.next() % 11))
                return kit.respond(later, to: transaction, .pending)
            }
            guard !asks || !isBusy else { return answer(491, &kit) }
            do throws(SessionTimer.Rejection) {
                _ = try SessionTimer(answering: request, wanted: kit.configuration.sessionSeconds, now: kit.now)
            } catch {
                return tooShort(request, transaction, leg.dialog.localTag, &kit)
            }
            guard request.hasSDP || isDirect && method == .invite else { return refresh(request, transaction, side, &kit) }
            offer(request, transaction, side, &kit)
        // Candidates one by one (RFC 8840): they are for us, and we need none of them.
        case .info where request.headers[.contentType]?.lowercased().hasPrefix("application/trickle-ice-sdpfrag") == true: answer(200, &kit)
        case .info, .message:
            guard stage == .talking else { return answer(481, &kit) }
            if method == .info, let status = demand(request, from: side, &kit) { return answer(status, &kit) }
            if method == .info, press(request, from: side, &kit) { return answer(200, &kit) }
            pass(request, transaction, side, &kit)
        case .refer: refer(request, transaction, side, &kit)
        case .prack where side == .a: confirmed(by: request, transaction, &kit)
        case .ack, .cancel: break  // never come here
        case .register, .prack, .subscribe, .notify, .publish, .other:
            var response = request.response(405, toTag: leg.dialog.localTag)
            response.headers.append(.allow, CallMachine.allowed)
            kit.respond(response, to: transaction)
        }
    }

    /// A re-INVITE or UPDATE that offers nothing: the session stands as it is.
    private mutating func refresh(_ request: SIPMessage, _ transaction: ServerTransactionID, _ side: Side, _ kit: inout CallKit) {
        guard var leg = self[side] else { return }
        var ok = request.response(200, toTag: leg.dialog.localTag)
        ok.headers.append(.contact, kit.contactText)
        ok.headers.append(.allow, CallMachine.allowed)
        leg.refreshed(by: request, answered: &ok, kit)
        self[side] = leg
        if request.method == .invite {
            own(transaction, &kit)
            if let local = offerAsAtFirst(side) {
                ok.setBody(local.bytes, type: "application/sdp")
                unanswered[side] = Unanswered(terms: leg.media.own, saidBefore: leg.media.remote?.direction(of: leg.media.index))
            }
        }
        kit.respond(ok, to: transaction)
    }

    /// What is offered to a side that asks for an offer: what holds; but who has put the other side on hold, and may come back in this way, is
    /// offered all as when the call began (RFC 3261 §14.2, RFC 6337 §5.3).
    private mutating func offerAsAtFirst(_ side: Side) -> SDP? {
        guard var leg = self[side], var local = leg.media.local else { return nil }
        let index = leg.media.index
        guard !leg.media.isFax, let said = leg.media.remote?.direction(of: index), said == .sendonly || said == .inactive, local.media.indices.contains(index),
            local.direction(of: index) != .sendrecv
        else { return local }
        descriptionVersion += 1
        local.origin.version = descriptionVersion
        local.media[index].direction = .sendrecv
        leg.media.local = local
        self[side] = leg
        return local
    }

    /// A new offer of one side (hold, another codec or address): the other is asked (RFC 3264 §8).
    ///
    /// - Parameters:
    ///   - replacement: the dialog that makes the offer, when it is to take the place of that side's.
    ///   - hasWaited: for the ports of new streams.
    mutating func offer(
        _ request: SIPMessage, _ transaction: ServerTransactionID, _ side: Side, replacing replacement: Leg? = nil, hasWaited: Bool = false, _ kit: inout CallKit
    ) {
        if isDirect { return offerDirectly(request, transaction, side, replacing: replacement, &kit) }
        guard var leg = replacement ?? self[side], var other = self[side.other], let host = mediaAddress ?? hostOfLocal else {
            return kit.respond(request.response(500, toTag: self[side]?.dialog.localTag), to: transaction)
        }
        let previous = Sides(a: a.media, b: b?.media ?? LegMediaState())
        do throws(OfferAnswer.Rejection) {
            guard let sdp = try? SDP(parsing: request.body) else { throw .noAudio }
            try OfferAnswer.take(sdp, into: &leg.media)
            // A fax has no keys, and is not let through where the call has to have them.
            guard !leg.media.isFax || previous[side].own.protection == .none && other.media.own.protection == .none else { throw .security }
        } catch {
            return kit.respond(request.response(488, toTag: leg.dialog.localTag), to: transaction, .noMedia)
        }
        guard let sdp = leg.media.remote, hasWaited || !park(request, transaction, side, replacing: replacement, sdp, but: leg.media.index, &kit) else { return }
        leg.media.answerOffer(after: replacement == nil ? previous[side] : LegMediaState(), &kit.random)
        descriptionVersion += 1
        other.media.makeKey(&kit.random)
        var forward = OfferAnswer.description(
            from: sdp, relaying: leg.media.index, at: SocketAddress(host, port: other.media.port), session: sessionNumber,
            version: descriptionVersion, to: other.media, streams: addresses(of: sdp, but: leg.media.index, for: side.other, other.media.own),
            fingerprint: mediaFingerprint)
        CodecChoice.extend(&forward, leg.media.index)
        kit.ownNames.hold(&forward, leg.media.index, on: other.path)
        other.media.local = forward
        let via = kit.via(id)
        // An UPDATE is answered at once, where a person may be asked about an INVITE: it stays what it was, if the peer allows it.
        var sent = other.dialog.request(request.method == .update && other.takesUpdate ? .update : .invite, via: via)
        sent.headers.append(.contact, kit.contactText)
        sent.headers.append(.allow, CallMachine.allowed)
        other.timer?.write(toRequest: &sent)
        sent.setBody(forward.bytes, type: "application/sdp")
        let hop = other.path
        if replacement == nil { self[side] = leg }
        self[side.other] = other
        guard let outgoing = kit.send(sent, to: hop, of: id) else {
            restore(previous)
            return kit.respond(request.response(503, toTag: leg.dialog.localTag), to: transaction, .busyWorker)
        }
        clients.append(outgoing)
        own(transaction, &kit)
        reoffer = Reoffer(from: side, transaction: transaction, request: request, outgoing: outgoing, sent: sent, previous: previous, replacement: replacement.map { _ in leg })
    }

    mutating func reofferAnswered(_ response: SIPMessage, _ kit: inout CallKit) {
        guard let reoffer, response.isFinal, var other = self[reoffer.from.other], var leg = reoffer.replacement ?? self[reoffer.from]
        else { return }
        if reoffer.sent.method == .update, response.status == 405 || response.status == 501, offerByInvite(reoffer, &kit) { return }
        self.reoffer = nil
        guard response.isSuccess else {
            restore(reoffer.previous)
            let status = response.status == 401 || response.status == 407 ? 488 : response.status
            var refusal = reoffer.request.response(status, toTag: leg.dialog.localTag)
            for header in [HeaderName.retryAfter, .warning, .reason, .minSE] { if let value = response.headers[header] { refusal.headers.append(header, value) } }
            // Its challenge is not the other side's to meet.
            if status != response.status, refusal.headers[.reason] == nil { refusal.headers[.reason] = CallKit.reason(response.status, response.reason) }
            kit.respond(refusal, to: reoffer.transaction, status == response.status ? .fromPeer : .refused)
            // The dialog of the one that refused is gone, and with it the call (RFC 3261 §12.2.1.2).
            if response.status == 481 || response.status == 408 { vanished(reoffer.from.other, &kit) }
            return
        }
        if isDirect { return reofferTaken(response, reoffer, &kit) }
        other.refreshed(by: response, kit)
        if reoffer.sent.method == .invite {
            kit.acknowledge(other.dialog.acknowledgement(of: reoffer.sent, via: kit.via(id)), of: reoffer.outgoing, to: other.path)
        }
        guard let sdp = try? SDP(parsing: response.body),
            (try? OfferAnswer.take(answer: sdp, to: other.media.own, into: &other.media)) != nil,
            let told = CodecChoice.answer(sdp, other.media.index, to: leg.media.remote, leg.media.index), let host = mediaAddress ?? hostOfLocal
        else {
            self[reoffer.from.other]?.dialog = other.dialog
            restore(reoffer.previous)
            return kit.respond(reoffer.request.response(488, toTag: leg.dialog.localTag), to: reoffer.transaction, .noMedia)
        }
        let answer = OfferAnswer.description(
            from: told, relaying: other.media.index, at: SocketAddress(host, port: leg.media.port), session: sessionNumber,
            version: descriptionVersion, to: leg.media, streams: addresses(of: told, but: other.media.index, for: reoffer.from, leg.media.own),
            fingerprint: mediaFingerprint, isAnswer: true)
        leg.media.local = answer
        var ok = reoffer.request.response(200, toTag: leg.dialog.localTag)
        ok.headers.append(.contact, kit.contactText)
        ok.headers.append(.allow, CallMachine.allowed)
        leg.refreshed(by: reoffer.request, answered: &ok, kit)
        ok.setBody(answer.bytes, type: "application/sdp")
        let replaced = reoffer.replacement == nil ? nil : self[reoffer.from]
        if reoffer.replacement != nil { leg.dialog.confirm() }
        self[reoffer.from] = leg
        self[reoffer.from.other] = other
        changeAgreed(reoffer.from, both: true, &kit)
        sound(to: reoffer.from.other, &kit)
        update(&kit)
        kit.respond(ok, to: reoffer.transaction)
        if var replaced { hangUpStray(&replaced, &kit) }
    }

    /// A request of a peer that waits for its answer, or whose answer waits for its ACK.
    mutating func own(_ transaction: ServerTransactionID, _ kit: inout CallKit) {
        kit.serverOwners[transaction] = id
        // Beside the first, those of the last minute are enough, however often a side offers.
        if servers.count > 32 { servers.remove(at: 1) }
        servers.append(transaction)
    }

    /// The way of a request to its answer is gone. A call that has been answered stands, as its timer shows (RFC 4028).
    mutating func unreachable(_ transaction: ServerTransactionID, _ kit: inout CallKit) {
        if transaction == invite?.transaction { return hangUp(.failed, &kit) }
        if parked?.transaction == transaction { return unpark(&kit) }
        guard let reoffer, reoffer.transaction == transaction else { return }
        self.reoffer?.isWithdrawn = true
        kit.cancel(reoffer.outgoing)
    }

    /// The other side does not know UPDATE after all: the same offer by INVITE, and it is not asked so again.
    private mutating func offerByInvite(_ reoffer: Reoffer, _ kit: inout CallKit) -> Bool {
        guard var other = self[reoffer.from.other] else { return false }
        other.takesUpdate = false
        var sent = other.dialog.request(.invite, via: kit.via(id))
        sent.headers.append(.contact, kit.contactText)
        sent.headers.append(.allow, CallMachine.allowed)
        other.timer?.write(toRequest: &sent)
        sent.setBody(reoffer.sent.body, type: "application/sdp")
        self[reoffer.from.other] = other
        guard let outgoing = kit.send(sent, to: other.path, of: id) else { return false }
        clients.append(outgoing)
        self.reoffer = Reoffer(
            from: reoffer.from, transaction: reoffer.transaction, request: reoffer.request, outgoing: outgoing, sent: sent, previous: reoffer.previous,
            replacement: reoffer.replacement)
        return true
    }

    mutating func restore(_ media: Sides<LegMediaState>) {
        a.media = media.a
        b?.media = media.b
    }

    /// What the log knows of the dialogs has changed.
    mutating func update(_ kit: inout CallKit) {
        var request = DeskRequest()
        request.callUpdated.callID = id.data
        request.callUpdated.snapshot = snapshot(kit)
        kit.report(request, of: id)
    }

    /// INFO and MESSAGE go through as they are; the answer comes back as it is.
    private mutating func pass(_ request: SIPMessage, _ transaction: ServerTransactionID, _ side: Side, _ kit: inout CallKit) {
        guard let method = request.method, var other = self[side.other] else { return }
        var sent = other.dialog.request(method, via: kit.via(id))
        self[side.other] = other
        if let type = request.headers[.contentType] { sent.setBody(request.body, type: type) }
        for name in ["Info-Package", "Content-Disposition"] as [HeaderName] {
            if let value = request.headers[name] { sent.headers.append(name, value) }
        }
        guard let outgoing = kit.send(sent, to: other.path, of: id) else {
            return kit.respond(request.response(503, toTag: self[side]?.dialog.localTag), to: transaction)
        }
        clients.append(outgoing)
        passing.append(Passing(outgoing: outgoing, transaction: transaction, request: request, from: side))
    }

    func passBack(_ response: SIPMessage, _ entry: Passing, _ kit: inout CallKit) {
        kit.respond(entry.request.response(response.status, toTag: self[entry.from]?.dialog.localTag), to: entry.transaction, .fromPeer)
    }
}
