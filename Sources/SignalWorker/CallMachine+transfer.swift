import Foundation
import Model
import Primitives
import SIP

/// Transfers (RFC 3515, RFC 5589): a line sends the other side of its call on, to whom it names (blind) or to whom it talks to in
/// another call (attended, RFC 3891).
///
/// The call goes on, with its own record and price, between the side that stays and a dialog inside of us; behind that is the call that the
/// line has made or makes now, and pays for.
extension CallMachine {
    struct Transfer: Sendable {
        /// The side that sends the other one on.
        let by: Side
        /// The way to say how far it is; nil: it does not want to know (RFC 4488).
        var wantsNotice: Bool
        /// Of its REFER, where there was one before.
        let number: UInt32?
        let invite: SIPMessage
        let transaction: ClientTransactionID
        var hasLeft = false
        /// It rings where the other side is sent.
        var rings = false
        let deadline: Instant
        /// The party that it is sent to has answered, while an offer in this call was under way: it joins when that is settled.
        var answer: SIPMessage?
    }

    /// Where the party that transferred is told the outcome, after its side was taken by another.
    struct Farewell: Sendable {
        var leg: Leg
        let notice: ClientTransactionID?
    }

    mutating func refer(_ request: SIPMessage, _ transaction: ServerTransactionID, _ side: Side, _ kit: inout CallKit) {
        guard let leg = self[side], let other = self[side.other] else { return }
        func refuse(_ status: Int, _ why: FinalReason, _ kit: inout CallKit) {
            kit.respond(request.response(status, toTag: leg.dialog.localTag), to: transaction, why)
        }
        guard stage == .talking else { return refuse(481, .noDialog, &kit) }
        guard !leg.subscriber.isEmpty, !leg.isGateway else { return refuse(403, .transferForbidden, &kit) }
        let named = request.addresses(.referTo)
        guard named.count == 1, let target = named.first?.uri, target.isSIP, let user = target.user, !user.isEmpty,
            target.parameters["method"].map({ $0 == "INVITE" }) ?? true
        else { return refuse(400, .transferTarget, &kit) }
        // An offer that is under way (most phones resume, or hold, before they transfer) is in the way of the end alone; where offers pass as
        // they are it is waited for.
        guard transfer == nil, !isDirect || reoffer == nil && moving.isEmpty && !owesAnswer else { return refuse(491, .pending, &kit) }
        let replaces = target.headers.flatMap { headers in
            headers.split(separator: "&").first { $0.lowercased().hasPrefix("replaces=") }
                .flatMap { String($0.dropFirst("replaces=".count)).percentDecodedHeader }
        }
        // Without tags it names no dialog (RFC 3891 §3).
        guard replaces.map({ Replaced($0) != nil }) ?? true else { return refuse(400, .transferTarget, &kit) }
        var uri = target
        uri.headers = nil
        uri.parameters.remove("method")
        // Who stays is shown to whom it is sent to.
        let isHidden = side == .b && isAnonymous || other.isHidden
        var from = replaces != nil && isHidden ? CallMachine.anonymous : identity(of: side.other)
        let part = newPart("t", &kit)
        from.tag = OwnerMark(worker: kit.configuration.worker, call: id, part: part).text
        var invite = SIPMessage(
            .invite, uri, via: kit.via(id), from: from, to: NameAddress(uri: uri), callID: "\(id.value.digits)-\(part)", cseq: 1)
        invite.headers.append(.contact, kit.contactText)
        invite.headers.append(.allow, CallMachine.allowed)
        invite.headers.append(.referredBy, NameAddress(uri: identity(of: side).uri).description)
        if let replaces {
            invite.headers.append(.replaces, replaces)
            invite.headers.append(CallKit.tenant, hex(Array(leg.tenant)))
        }
        SessionTimer(seconds: kit.configuration.sessionSeconds, refresher: .us, now: kit.now).write(toRequest: &invite)
        // In a direct call whoever it goes to makes the offer, and who stays answers it.
        if !isDirect {
            guard let host = mediaAddress ?? hostOfLocal, let described = other.media.remote else { return refuse(491, .pending, &kit) }
            descriptionVersion += 1
            var offer = OfferAnswer.description(
                from: described, relaying: other.media.index, at: SocketAddress(host, port: leg.media.port), session: sessionNumber,
                version: descriptionVersion, to: LegMediaState(), streams: addresses(of: described, but: other.media.index, for: side, MediaTerms()))
            CodecChoice.extend(&offer, other.media.index)
            // Whoever was put on hold for this is not to be so any more.
            offer.media[other.media.index].direction = .sendrecv
            invite.setBody(offer.bytes, type: "application/sdp")
        }
        if replaces == nil {
            var target = ForwardTarget()
            target.subscriberID = leg.subscriber
            target.number = user
            target.kind = .transferred
            kit.forwards[invite.callID] = Forwarded(call: id, target: target, isAnonymous: isHidden)
        }
        guard let outgoing = kit.send(invite, to: kit.internalHop, of: id) else { return refuse(503, .busyWorker, &kit) }
        clients.append(outgoing)
        let wantsNotice = request.headers["Refer-Sub"]?.hasPrefix("false") != true
        // From its second on, a dialog's are told apart (RFC 3515 §2.4.6).
        transfer = Transfer(
            by: side, wantsNotice: wantsNotice, number: leg.hasReferred ? request.cseq.number : nil, invite: invite, transaction: outgoing,
            deadline: kit.now + .seconds(180))
        self[side]?.hasReferred = true
        var accepted = request.response(202, toTag: leg.dialog.localTag)
        accepted.headers.append(.contact, kit.contactText)
        if !wantsNotice { accepted.headers.append("Refer-Sub", "false") }
        kit.respond(accepted, to: transaction)
        notify(100, "Trying", &kit)
    }

    /// The party that transfers is told how far it is (RFC 3515 §2.4.5).
    @discardableResult
    private mutating func notify(_ status: Int, _ phrase: String, _ kit: inout CallKit) -> ClientTransactionID? {
        guard let transfer, transfer.wantsNotice, !transfer.hasLeft, var leg = self[transfer.by] else { return nil }
        let isLast = status >= 200
        var notice = leg.dialog.request(.notify, via: kit.via(id))
        self[transfer.by] = leg
        notice.headers.append(.contact, kit.contactText)
        notice.headers.append(.event, transfer.number.map { "refer;id=\($0)" } ?? "refer")
        notice.headers.append(.subscriptionState, isLast ? "terminated;reason=noresource" : "active;expires=180")
        notice.setBody(Array("SIP/2.0 \(status) \(phrase)\r\n".utf8), type: "message/sipfrag;version=2.0")
        let transaction = kit.send(notice, to: leg.path, of: id)
        if let transaction { clients.append(transaction) }
        return transaction
    }

    mutating func transferAnswered(_ response: SIPMessage, _ hop: Hop, _ kit: inout CallKit) {
        guard let transfer, stage == .talking else { return }
        if response.isProvisional {
            guard response.status > 100 else { return }
            self.transfer?.rings = true
            notify(response.status, response.reason, &kit)
            return sound(to: transfer.by.other, &kit)
        }
        guard response.isSuccess, let dialog = Dialog(calling: transfer.invite, response: response) else {
            notify(response.status < 300 ? 502 : response.status, response.reason, &kit)
            return dropTransfer(transfer, &kit)
        }
        guard reoffer == nil, moving.isEmpty, !owesAnswer else {
            self.transfer?.answer = response
            return
        }
        self.transfer?.answer = nil
        var leg = Leg(dialog: dialog, hop: kit.internalHop, isGateway: false)
        leg.heard(response, at: kit.wall)
        leg.timer = SessionTimer(answered: response, wanted: kit.configuration.sessionSeconds, now: kit.now)
        leg.media.port = self[transfer.by]?.media.port ?? 0
        let sdp = try? SDP(parsing: response.body)
        var isAgreed = false
        if isDirect, let sdp {
            OfferAnswer.note(sdp, into: &leg.media)
            debts[transfer.by] = Debt(invite: transfer.invite, transaction: transfer.transaction)
            isAgreed = true
        } else {
            leg.media.local = try? SDP(parsing: transfer.invite.body)
            kit.acknowledge(dialog.acknowledgement(of: transfer.invite, via: kit.via(id)), of: transfer.transaction, to: leg.path)
            if let sdp { isAgreed = (try? OfferAnswer.take(answer: sdp, to: MediaTerms(), into: &leg.media)) != nil }
        }
        guard isAgreed else {
            hangUpStray(&leg, &kit)
            notify(488, reasonPhrase(for: 488), &kit)
            return dropTransfer(transfer, &kit)
        }
        let notice = notify(200, "OK", &kit)
        if !transfer.hasLeft, let old = self[transfer.by] {
            farewells.append(Farewell(leg: old, notice: notice))
            if notice == nil { takeLeave(farewells.count - 1, &kit) }
        }
        self.transfer = nil
        self[transfer.by] = leg
        movesAgain = Sides(a: nil, b: nil)
        changeAgreed(transfer.by, &kit)
        sound(to: transfer.by.other, &kit)
        offerAnew(transfer.by.other, &kit)
        update(&kit)
    }

    /// Nobody joins: the side that was to be sent on hears again who sent it, or is left alone if that one has hung up already.
    private mutating func dropTransfer(_ transfer: Transfer, _ kit: inout CallKit) {
        self.transfer = nil
        if transfer.hasLeft { hungUp(by: transfer.by, &kit) } else { sound(to: transfer.by.other, &kit) }
    }

    /// The party that transferred knows the outcome: its dialog ends, if it does not end it by itself.
    ///
    /// - Parameter status: 481: it wants to know no more (RFC 6665 §4.2.2).
    mutating func noticed(_ transaction: ClientTransactionID, _ status: Int, _ kit: inout CallKit) {
        if status == 481 { transfer?.wantsNotice = false }
        guard let index = farewells.firstIndex(where: { $0.notice == transaction }) else { return }
        takeLeave(index, &kit)
    }

    mutating func takeLeave(_ index: Int, _ kit: inout CallKit) {
        var leg = farewells.remove(at: index).leg
        _ = kit.bye(&leg, of: id)
    }

    /// The party that transfers has hung up: the other one is kept until the outcome is known.
    mutating func leftDuringTransfer(_ side: Side) -> Bool {
        guard transfer?.by == side else { return false }
        transfer?.hasLeft = true
        return true
    }

    /// An offer has been settled: whoever has answered meanwhile joins.
    mutating func goOnTransferring(_ kit: inout CallKit) {
        guard let transfer, let answer = transfer.answer else { return }
        transferAnswered(answer, kit.internalHop, &kit)
    }

    mutating func endTransfer(_ kit: inout CallKit) {
        giveUpTransfer(&kit)
        while !farewells.isEmpty { takeLeave(0, &kit) }
    }

    /// Nobody is to join any more, also if somebody has answered.
    private mutating func giveUpTransfer(_ kit: inout CallKit) {
        guard let transfer else { return }
        self.transfer = nil
        guard let answer = transfer.answer, let dialog = Dialog(calling: transfer.invite, response: answer) else { return kit.cancel(transfer.transaction) }
        var leg = Leg(dialog: dialog, hop: kit.internalHop, isGateway: false)
        kit.acknowledge(dialog.acknowledgement(of: transfer.invite, via: kit.via(id)), of: transfer.transaction, to: leg.path)
        hangUpStray(&leg, &kit)
    }

    mutating func watchTransfer(_ kit: inout CallKit) {
        guard let transfer, kit.now >= transfer.deadline else { return }
        notify(408, reasonPhrase(for: 408), &kit)
        giveUpTransfer(&kit)
        dropTransfer(transfer, &kit)
    }

    // MARK: INVITE with Replaces (RFC 3891)

    /// A new dialog takes the place of that side's: the other side is asked about its offer, then the old dialog ends.
    mutating func replace(
        _ side: Side, by request: SIPMessage, _ transaction: ServerTransactionID, on hop: Hop, subscriber: Data, tenant: Data, _ kit: inout CallKit
    ) {
        guard stage == .talking, let old = self[side] else { return kit.respond(request.response(481, toTag: "replaces"), to: transaction, .noDialog) }
        guard request.headers[.replaces]?.lowercased().contains("early-only") != true else {
            return kit.respond(request.response(486, toTag: "replaces"), to: transaction, .replacesEarly)
        }
        guard reoffer == nil, parked == nil, moving.isEmpty, transfer == nil, !owesAnswer, !awaitsAnswer else {
            return kit.respond(request.response(491, toTag: "replaces"), to: transaction, .pending)
        }
        let tag = OwnerMark(worker: kit.configuration.worker, call: id, part: newPart("r", &kit)).text
        guard let dialog = Dialog(answering: request, localTag: tag) else {
            return kit.respond(request.response(400, reason: "No usable Contact", toTag: "contact"), to: transaction, .contact)
        }
        var leg = Leg(dialog: dialog, hop: hop, isGateway: false)
        leg.heard(request, at: kit.wall)
        leg.subscriber = subscriber
        leg.tenant = tenant
        leg.media.port = old.media.port
        do throws(SessionTimer.Rejection) {
            leg.timer = try SessionTimer(answering: request, wanted: kit.configuration.sessionSeconds, now: kit.now)
        } catch {
            return tooShort(request, transaction, tag, &kit)
        }
        guard request.hasSDP || isDirect else { return takePlace(request, transaction, side, leg, &kit) }
        offer(request, transaction, side, replacing: leg, &kit)
    }

    /// The new dialog wants an offer of us: what the other side has said is offered to it, and the other side is told of its answer.
    private mutating func takePlace(_ request: SIPMessage, _ transaction: ServerTransactionID, _ side: Side, _ leg: Leg, _ kit: inout CallKit) {
        guard request.body.isEmpty, let host = mediaAddress ?? hostOfLocal, var old = self[side], let other = self[side.other], let described = other.media.remote
        else { return kit.respond(request.response(488, toTag: leg.dialog.localTag), to: transaction, .noMedia) }
        var leg = leg
        descriptionVersion += 1
        var offer = OfferAnswer.description(
            from: described, relaying: other.media.index, at: SocketAddress(host, port: leg.media.port), session: sessionNumber,
            version: descriptionVersion, to: LegMediaState(), streams: addresses(of: described, but: other.media.index, for: side, MediaTerms()))
        offer.media[other.media.index].direction = .sendrecv
        leg.media.local = offer
        leg.dialog.confirm()
        self[side] = leg
        own(transaction, &kit)
        unanswered[side] = Unanswered(terms: MediaTerms(), isNewParty: true)
        var ok = request.response(200, toTag: leg.dialog.localTag)
        ok.headers.append(.contact, kit.contactText)
        ok.headers.append(.allow, CallMachine.allowed)
        leg.timer?.write(to: &ok, of: request)
        ok.setBody(offer.bytes, type: "application/sdp")
        kit.respond(ok, to: transaction)
        hangUpStray(&old, &kit)
    }

    /// For the tag of a dialog that takes another's place: never used before, also by a worker that had this call earlier.
    private func newPart(_ kind: String, _ kit: inout CallKit) -> String { kind + hex(kit.random.bytes(4)) }

    /// 422 (RFC 4028 §6).
    func tooShort(_ request: SIPMessage, _ transaction: ServerTransactionID, _ tag: String, _ kit: inout CallKit) {
        var response = request.response(422, toTag: tag)
        response.headers[.minSE] = String(SessionTimer.shortest)
        kit.respond(response, to: transaction, .sessionTooShort)
    }
}

extension CallMachine {
    /// A side as others may be shown it: what the control plane has decided, or what we have said of it ourselves. Never what a phone
    /// says of itself.
    func identity(of side: Side) -> NameAddress {
        if side == .a, !plan.callerNumber.isEmpty, invite?.request.callID == a.dialog.callID { return callerAddress(a.dialog.localAddress.uri.host) }
        // Another call of ours says whom it has, and a carrier was told whom it is to call; else as the other side has been shown it.
        guard let leg = self[side], let other = self[side.other] else { return CallMachine.anonymous }
        return leg.hop.isInternal || leg.isGateway && side == .b ? leg.dialog.remoteAddress : other.dialog.localAddress
    }
}

extension Leg {
    /// Another call of ours, of a party that is not to be shown.
    var isHidden: Bool { hop.isInternal && dialog.remote.uri.host == CallMachine.anonymous.uri.host }
}

extension Dialog {
    /// The peer, without its tag.
    var remoteAddress: NameAddress {
        var address = remote
        address.tag = nil
        return address
    }

    /// We, without our tag.
    var localAddress: NameAddress {
        var address = local
        address.tag = nil
        return address
    }
}

extension String {
    /// nil for escapes that are none.
    var percentDecodedHeader: String? {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
