import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// Rings the groups of the plan one after the other, the targets of a group together.
extension CallMachine {
    mutating func ringNextGroup(_ kit: inout CallKit) {
        while nextGroup < plan.groups.count {
            let group = plan.groups[nextGroup]
            nextGroup += 1
            for target in group.targets { ring(target, &kit) }
            if attempts.contains(where: \.isOpen) || lookingUp != nil { return }
        }
        giveUp(worstStatus == 0 ? 480 : worstStatus, &kit)
    }

    /// Nobody is left to be rung: the caller is told what the last word on it was.
    private mutating func giveUp(_ status: Int, _ kit: inout CallKit) {
        if let target = forward(after: status) {
            ring(target, &kit)
            if attempts.contains(where: \.isOpen) { return }
        }
        let last = attempts.last { $0.record.sipStatus == UInt32(status) }?.record
        let told = plan.direction == .outbound ? CallMachine.toldOutbound(status) : CallMachine.told(status)
        // Without the target: the caller need not know by which address somebody is reached.
        let reason = last.map { "\(status) \($0.reason)" }
        let why: FinalReason =
            if told == status, attempts.contains(where: { $0.state == .failed(status) && !$0.lacksMedia }) {
                .fromPeer
            } else if told == status, attempts.contains(where: { $0.state == .failed(status) }) {
                .noMedia
            } else {
                plan.direction == .outbound && told == 502 ? .gatewaysFailed : hasRung ? .nobodyAnswered : .nobodyReached
            }
        fail(told, CallMachine.cause(of: status, hasRung: hasRung), reason, &kit, why)
    }

    /// - Parameter servers: of a gateway, where it is; nil: that is still to be found out.
    mutating func ring(_ target: Target, at servers: [SocketAddress]? = nil, _ kit: inout CallKit) {
        guard let invite, isDirect || mediaAddress != nil else { return }
        let made: Address?
        var alternatives: [SocketAddress] = []
        switch target.kind {
        case .contact(let contact): made = address(contact, invite.request, kit)
        case .gateway(let gateway):
            guard let servers = servers ?? self.servers(of: gateway, target, &kit), let first = servers.first else { return }
            alternatives = Array(servers.dropFirst())
            if gateway.profile == .teams { kit.ownNames.learn(gateway.fromDomain, towards: first.host) }
            made = address(gateway, first, kit)
        case .forward(let forward): made = address(forward, kit)
        case .pickup(let pickup): made = address(pickup, kit)
        case .conference(let seat): made = address(seat, kit)
        case nil: made = nil
        }
        var record = CallAttempt()
        record.startedAt = kit.wall.microseconds
        guard let made else {
            record.endedAt = record.startedAt
            record.sipStatus = 404
            record.reason = target.hasNoNumber ? "the gateway's fields leave nothing of the number" : "the address cannot be used"
            settled.append(record)
            worstStatus = CallMachine.better(404, than: worstStatus)
            if let other = target.byOtherFlow { ring(other, &kit) }
            return
        }
        record.target = made.uri.description
        if case .forward = target.kind, CallMachine.diversionCount(invite.request) >= CallMachine.diversionsMax {
            record.endedAt = record.startedAt
            record.sipStatus = 482
            record.reason = "diverted too often"
            settled.append(record)
            worstStatus = CallMachine.better(482, than: worstStatus)
            return
        }
        if a.media.isFax, made.offered != .plain {
            record.endedAt = record.startedAt
            record.sipStatus = 488
            record.reason = "fax cannot be encrypted, and the line requires it"
            settled.append(record)
            worstStatus = CallMachine.better(488, than: worstStatus)
            return
        }
        var from = made.from
        if isAnonymous, !made.hop.isInternal { from = CallMachine.anonymous }
        from.tag = OwnerMark(worker: kit.configuration.worker, call: id, part: "b\(attempts.count)").text
        var request = SIPMessage(
            .invite, made.uri, via: kit.via(id), from: from, to: made.to, callID: "\(id.value.digits)-\(attempts.count)", cseq: 1)
        if let hops = invite.request.maxForwards { request.headers[.maxForwards] = String(hops - 1) }
        request.headers.append(.contact, kit.contactText)
        request.headers.append(.allow, CallMachine.allowed)
        request.headers.append(.userAgent, "Ledgerline")
        SessionTimer(seconds: kit.configuration.sessionSeconds, refresher: .peer, now: kit.now).write(toRequest: &request)
        // Who refreshes is the other side's choice (RFC 4028 §7.1).
        request.headers[.sessionExpires] = String(kit.configuration.sessionSeconds)
        // A carrier is trusted with the identity of whoever wants not to be shown; phones are not (RFC 3325 §7).
        if case .gateway(let gateway) = target.kind, let identity = URI(gateway.assertedIdentity) {
            request.headers.append(.assertedIdentity, NameAddress(uri: identity).description)
        }
        let privacy = (isAnonymous ? ["id"] : []) + (invite.request.hidesHistory ? ["history"] : [])
        if !privacy.isEmpty { request.headers.append(.privacy, privacy.joined(separator: ";")) }
        for (name, value) in diversions(for: target, of: invite.request, kit) { request.headers.append(name, value) }
        var side = LegMediaState()
        side.own = MediaTerms(offering: made.offered, &kit.random)
        let sdp = offer(to: side, allowed: target.codecs)
        if let sdp {
            request.setBody(sdp.bytes, type: "application/sdp")
        } else {
            // An offer in a reliable response would want its answer at once, which the caller has not given (RFC 3262 §5).
            request.headers[.supported] = CallMachine.supportedWithoutOffer
        }
        switch target.kind {
        case .contact(let contact): record.subscriberID = contact.subscriberID
        case .gateway(let gateway): record.gatewayID = gateway.gatewayID
        case .forward(let forward): record.subscriberID = forward.subscriberID
        case .pickup, .conference, nil: break
        }
        announce(target, &request, &kit)
        guard let transaction = kit.send(request, to: made.hop, of: id) else {
            record.endedAt = record.startedAt
            record.sipStatus = 503
            settled.append(record)
            worstStatus = CallMachine.better(503, than: worstStatus)
            return
        }
        clients.append(transaction)
        attempts.append(
            Attempt(
                target: target, transaction: transaction, request: request, hop: made.hop, record: record,
                deadline: kit.now + silence(of: target, kit), terms: side.own, offer: sdp, alternatives: alternatives))
    }

    /// What is offered to one that is rung; nil: it is to offer, as the caller does not.
    ///
    /// - Parameter codecs: that it may be offered; empty: any.
    private func offer(to side: LegMediaState, allowed codecs: [String]) -> SDP? {
        if isDirect { return directOffer }
        guard let host = mediaAddress else { return nil }
        // A caller that offers nothing takes what we relay.
        let offer = a.media.remote ?? OfferAnswer.usual(session: sessionNumber)
        var sdp = OfferAnswer.description(
            from: offer, relaying: a.media.remote == nil ? 0 : a.media.index, at: SocketAddress(host, port: bPort), session: sessionNumber,
            version: descriptionVersion, to: side, streams: addresses(of: offer, but: a.media.index, for: .b, side.own), fingerprint: mediaFingerprint)
        if a.media.remote != nil { CodecChoice.extend(&sdp, a.media.index, allowed: codecs) }
        return sdp
    }

    private func silence(of target: Target, _ kit: CallKit) -> Duration {
        switch target.kind {
        case .gateway: kit.configuration.gatewaySilence
        // There is another way to the same device.
        case .contact(let contact) where !contact.otherFlows.isEmpty: min(kit.configuration.gatewaySilence, ringTime(of: target))
        case .contact, .forward, .pickup, .conference, nil: ringTime(of: target)
        }
    }

    private func ringTime(of target: Target) -> Duration { .seconds(Int64(target.timeoutSeconds == 0 ? 60 : target.timeoutSeconds)) }

    private func address(
        _ contact: ContactTarget, _ invite: SIPMessage, _ kit: CallKit
    ) -> Address? {
        guard let uri = URI(contact.uri), let hop = kit.hop(contact.flow), !uri.isSecure || hop.transport.isSecure else { return nil }
        // Where a line is called back; from outside, where the call is from, if that says so (a `tel` address does not).
        var host = plan.direction == .inbound && !a.hop.isInternal ? invite.from.uri.host : contact.domain
        if host.isEmpty { host = contact.domain.isEmpty ? invite.requestURI?.host ?? "" : contact.domain }
        let from = callerAddress(host)
        return Address(uri: uri, hop: hop, from: from, to: NameAddress(uri: uri), offered: CallMachine.offered(contact.mediaSecurity, by: hop))
    }

    private func address(_ gateway: GatewayTarget, _ server: SocketAddress, _ kit: CallKit) -> Address? {
        guard !gateway.number.isEmpty else { return nil }
        // Without a port a name stands for whatever DNS says (RFC 3263 §4).
        let port = gateway.port == 0 ? nil : UInt16(exactly: gateway.port)
        let uri = URI(plainUser: gateway.number, host: gateway.host, port: port)
        let from = NameAddress(
            displayName: gateway.fromDisplay.isEmpty ? nil : gateway.fromDisplay,
            uri: URI(plainUser: gateway.fromUser, host: gateway.fromDomain.isEmpty ? gateway.host : gateway.fromDomain))
        let transport = gateway.transport.transport
        let name = SocketAddress.Host(gateway.host) == nil ? gateway.host : nil
        guard let hop = kit.configuration.hop(to: server, by: transport, name: name) else { return nil }
        let to = NameAddress(uri: URI(plainUser: gateway.number, host: gateway.host))
        return Address(uri: uri, hop: hop, from: from, to: to, offered: gateway.profile == .teams ? .sdes : .plain)
    }

    // MARK: Answers

    mutating func response(_ response: SIPMessage, of transaction: ClientTransactionID, _ hop: Hop, _ kit: inout CallKit) {
        if reoffer?.outgoing == transaction || moving.contains(where: { $0.transaction == transaction }) {
            if reoffer?.outgoing == transaction { reofferAnswered(response, &kit) } else { moveAnswered(response, transaction, &kit) }
            return goOnTransferring(&kit)
        }
        if earlyOffer?.outgoing == transaction { return earlyOfferAnswered(response, &kit) }
        if refreshing.contains(where: { $0.transaction == transaction }) { return refreshAnswered(response, transaction, &kit) }
        if transfer?.transaction == transaction { return transferAnswered(response, hop, &kit) }
        if response.cseq.method == .notify, response.isFinal { return noticed(transaction, response.status, &kit) }
        if let pass = passing.firstIndex(where: { $0.outgoing == transaction }) {
            if response.isFinal { passBack(response, passing.remove(at: pass), &kit) }
            return
        }
        guard let index = attempts.firstIndex(where: { $0.transaction == transaction }) else { return }
        if response.isProvisional {
            if confirm(response, of: index, &kit) { progress(response, index, &kit) }
        } else if response.isSuccess {
            answered(response, index, &kit)
        } else if response.status == 401 || response.status == 407, challenged(index, by: response, &kit) {
            return
        } else if response.status == 503 || response.status == 430, ringsElsewhere(index, response.status, &kit) {
            return
        } else if response.status == 422, again(index, after: response, &kit) {
            return
        } else if (300..<400).contains(response.status), follow(response, of: index, &kit) {
            return
        } else {
            peerReasons = response.headers.all(.reason)
            failed(index, response.status, response.reason, &kit)
        }
    }

    mutating func transactionFailed(_ transaction: ClientTransactionID, _ failure: TransactionLayer.Failure, _ kit: inout CallKit) {
        let status = failure == .timeout ? 408 : 503
        if let reoffer, reoffer.outgoing == transaction {
            // That nothing is said of what was taken back before it was heard does not say that nobody is there.
            reofferAnswered(reoffer.sent.response(reoffer.isWithdrawn ? 487 : status), &kit)
            return goOnTransferring(&kit)
        }
        if let move = moving.first(where: { $0.transaction == transaction }) {
            moveAnswered(move.request.response(status), transaction, &kit)
            return goOnTransferring(&kit)
        }
        if let earlyOffer, earlyOffer.outgoing == transaction { return earlyOfferAnswered(earlyOffer.sent.response(status), &kit) }
        if let refresh = refreshing.first(where: { $0.transaction == transaction }) {
            return refreshAnswered(refresh.request.response(status), transaction, isSilent: true, &kit)
        }
        if let transfer, transfer.transaction == transaction {
            return transferAnswered(transfer.invite.response(status), kit.internalHop, &kit)
        }
        noticed(transaction, status, &kit)
        if let pass = passing.firstIndex(where: { $0.outgoing == transaction }) {
            let entry = passing.remove(at: pass)
            return passBack(entry.request.response(status), entry, &kit)
        }
        guard let index = attempts.firstIndex(where: { $0.transaction == transaction }) else { return }
        guard !ringsElsewhere(index, status, &kit) else { return }
        failed(index, status, failure == .timeout ? "no answer" : "unreachable", &kit)
    }

    private mutating func progress(_ response: SIPMessage, _ index: Int, _ kit: inout CallKit) {
        guard stage == .ringing, attempts[index].isOpen else { return }
        if attempts[index].state == .calling {
            attempts[index].state = .ringing
            // A gateway that speaks has until the end of the ringing time.
            attempts[index].deadline = kit.now + ringTime(of: attempts[index].target)
        }
        guard response.status > 100, let invite else { return }
        if attempts[index].record.ringingAt == 0 { attempts[index].record.ringingAt = kit.wall.microseconds }
        hasRung = true
        guard [180, 181, 182, 183].contains(response.status) else { return }
        let told: (status: Int, sdp: SDP?)
        if response.hasSDP, describes(index, response), agree(response, index, &kit), let sdp = a.media.local {
            // A caller that offered nothing is not made an offer before the answer.
            told = (response.status, a.media.remote == nil ? nil : sdp)
        } else if let sdp = ringBackDescription(&kit) {
            // To 183 (RFC 3261 §21.1.5) phones play what they are sent, to 180 many play what they make.
            told = (183, sdp)
        } else {
            told = (response.status, nil)
        }
        var forward = invite.request.response(told.status, toTag: a.dialog.localTag)
        forward.headers.append(.contact, kit.contactText)
        forward.headers.append(.allow, CallMachine.allowed)
        if let sdp = told.sdp { forward.setBody(sdp.bytes, type: "application/sdp") }
        tellCaller(forward, &kit)
    }

    /// The called side takes no session that is so short (RFC 4028 §7.3): once more, with what it takes.
    private mutating func again(_ index: Int, after response: SIPMessage, _ kit: inout CallKit) -> Bool {
        guard attempts[index].isOpen, let least = response.minSE, least > kit.configuration.sessionSeconds, least <= 86_400,
            attempts[index].request.minSE != least
        else { return false }
        var request = attempts[index].request
        request.cseq.number += 1
        request.vias = [kit.via(id)]
        request.headers[.sessionExpires] = String(least)
        request.headers[.minSE] = String(least)
        guard let again = kit.send(request, to: attempts[index].hop, of: id) else { return false }
        clients.append(again)
        attempts[index].transaction = again
        attempts[index].request = request
        return true
    }

    /// Takes the called side's answer: tells the media worker, and writes our answer to the caller.
    private mutating func agree(_ response: SIPMessage, _ index: Int, _ kit: inout CallKit) -> Bool {
        if isDirect { return agreeDirectly(response, index, kit) }
        guard let sdp = try? SDP(parsing: response.body), let host = mediaAddress else { return false }
        var media = LegMediaState()
        media.port = bPort
        if case .conference(let seat)? = attempts[index].target.kind {
            media.seat = seat
            a.media.hasConference = true
        }
        do throws(OfferAnswer.Rejection) {
            try OfferAnswer.take(answer: sdp, to: attempts[index].terms, into: &media)
        } catch {
            return false
        }
        let known = isToldForGood ? a.media.local : nil
        let promised = ringsBack ? a.media.local : known
        guard let told = promised.flatMap({ CodecChoice.answer(sdp, media.index, to: $0, a.media.index) }) ?? CodecChoice.answer(sdp, media.index, to: a.media.remote, a.media.index)
        else { return false }
        media.local = attempts[index].offer
        let isNew = descriptionOf != index || a.media.local == nil
        let description = OfferAnswer.description(
            from: told, relaying: media.index, at: SocketAddress(host, port: a.media.port), session: sessionNumber,
            version: descriptionVersion + (isNew ? 1 : 0), to: a.media, streams: addresses(of: told, but: media.index, for: .a, a.media.own),
            fingerprint: mediaFingerprint, isAnswer: a.media.remote != nil)
        if let known, !known.serves(for: description) {
            // Another answer is heard in another dialog alone, and there is one when somebody answers.
            guard response.isSuccess else { return false }
            forkAnswer("\(index)", kit)
        }
        if isNew { descriptionVersion += 1 }
        descriptionOf = index
        descriptionTag = response.to.tag ?? ""
        a.media.local = fork == nil ? known ?? description : description
        settleConversion(&media)
        bMedia = media
        change(with: media, &kit)
        ringsBack = false
        sound(to: .a, &kit)
        return true
    }

    private mutating func answered(_ response: SIPMessage, _ index: Int, _ kit: inout CallKit) {
        let attempt = attempts[index]
        var response = response
        // Who says nothing of where it is called is called where it was (it has to, by RFC 3261 §12.1.1).
        if response.contact == nil, let uri = attempt.request.requestURI { response.headers[.contact] = NameAddress(uri: uri).description }
        guard var dialog = Dialog(calling: attempt.request, response: response) else {
            return failed(index, 502, "the answer has no tag", &kit)
        }
        // Confirmations while it rang were requests of this dialog.
        if let early = attempt.early.first(where: { $0.dialog.remoteTag == dialog.remoteTag }) {
            dialog.carryOn(early.dialog)
            // Another one that rings may have been heard last.
            if !response.hasSDP, let description = early.description, descriptionOf != index || descriptionTag != dialog.remoteTag {
                response.setBody(description, type: "application/sdp")
            }
        }
        var leg = Leg(dialog: dialog, hop: attempt.hop, isGateway: attempt.isGateway)
        leg.heard(response, at: kit.wall)
        leg.timer = SessionTimer(answered: response, wanted: kit.configuration.sessionSeconds, now: kit.now)
        switch attempt.target.kind {
        case .contact(let contact): (leg.subscriber, leg.tenant) = (contact.subscriberID, contact.tenantID)
        case .gateway(let gateway): leg.gateway = GatewayID(gateway.gatewayID)
        case .forward, .pickup, .conference, nil: break
        }
        // At once, not when the caller's ACK comes: the caller's answers nothing, since offers come in INVITEs alone, and the
        // called side would repeat its 2xx meanwhile.
        func acknowledge(_ kit: inout CallKit) {
            kit.acknowledge(dialog.acknowledgement(of: attempt.request, via: kit.via(id)), of: attempt.transaction, to: leg.path)
        }
        // But an offer of the called side's own waits for the caller's answer.
        let isAsked = attempt.offer == nil && response.hasSDP && stage == .ringing && attempt.isOpen
        if !isAsked { acknowledge(&kit) }
        guard stage == .ringing, attempt.isOpen, let invite else {
            // Too late: somebody else answered, or the caller has gone.
            hangUpStray(&leg, &kit)
            return
        }
        guard response.hasSDP && describes(index, response) ? agree(response, index, &kit) : descriptionOf == index, let bMedia, let local = a.media.local else {
            if isAsked { acknowledge(&kit) }
            hangUpStray(&leg, &kit)
            attempts[index].lacksMedia = true
            return failed(index, 488, "no media in common", &kit)
        }
        // Dialogs of the same target that rang and did not answer end by themselves at whoever forked (RFC 3261 §13.2.2.4).
        attempts[index].early = []
        attempts[index].state = .answered
        attempts[index].record.sipStatus = UInt32(response.status)
        attempts[index].record.endedAt = kit.wall.microseconds
        for other in attempts.indices where other != index && attempts[other].isOpen { abandon(other, 487, &kit, CallMachine.elsewhere) }
        leg.media = bMedia
        b = leg
        stage = .talking
        answeredAt = kit.wall
        a.dialog.confirm()
        a.heardAt = kit.wall
        a.timer?.refreshed(kit.now)
        if plan.grantedSeconds > 0 { grant(plan.grantedSeconds, kit) }
        // The fact is kept before anybody is told.
        var fact = CallAnswered()
        fact.callID = id.data
        fact.answeredAt = kit.wall.microseconds
        fact.gatewayID = attempt.record.gatewayID
        fact.subscriberID = attempt.record.subscriberID
        // Whoever may have to carry the call on reports its end, and has not seen what failed before.
        let tried = records
        if attempt.isGateway, tried.count > 1 {
            fact.attempts = tried.map { record in
                var record = record
                record.target = ""
                return record
            }
        }
        fact.snapshot = snapshot(kit)
        kit.report(.with { $0.callAnswered = fact }, of: id)
        var ok = invite.request.response(200, toTag: a.dialog.localTag)
        ok.headers.append(.contact, kit.contactText)
        ok.headers.append(.allow, CallMachine.allowed)
        ok.headers[CallKit.position] = "\(plan.logPosition)"
        a.timer?.write(to: &ok, of: invite.request)
        ok.setBody(local.bytes, type: "application/sdp")
        if a.media.remote == nil { unanswered.a = Unanswered(terms: a.media.own) }
        if isAsked { debts.b = Debt(invite: attempt.request, transaction: attempt.transaction) }
        answerCaller(ok, &kit)
        recordAsOrdered(&kit)
    }

    /// Ends a dialog that we do not want.
    func hangUpStray(_ leg: inout Leg, _ kit: inout CallKit) {
        _ = kit.bye(&leg, of: id)
    }

    mutating func failed(_ index: Int, _ status: Int, _ reason: String, _ kit: inout CallKit) {
        guard attempts[index].isOpen else { return }
        attempts[index].state = .failed(status)
        attempts[index].record.sipStatus = UInt32(status)
        attempts[index].record.reason = reason
        attempts[index].record.endedAt = kit.wall.microseconds
        goOn(status, &kit)
    }

    /// What a failed attempt means for the others and for the groups that have not been tried.
    mutating func goOn(_ status: Int, _ kit: inout CallKit) {
        guard stage == .ringing else { return }
        worstStatus = CallMachine.better(status, than: worstStatus)
        if status >= 600 {
            // RFC 3261 §16.7: nobody else is to be rung.
            for other in attempts.indices where attempts[other].isOpen { abandon(other, 487, &kit) }
            return giveUp(status, &kit)
        }
        guard !attempts.contains(where: \.isOpen) else { return }
        // A person who is busy or declines is not rung again by another way.
        if plan.direction == .outbound, !CallMachine.isReroutable(status) { return giveUp(status, &kit) }
        ringNextGroup(&kit)
    }

    private mutating func abandon(_ index: Int, _ status: Int, _ kit: inout CallKit, _ reason: String? = nil) {
        attempts[index].state = .abandoned
        attempts[index].record.sipStatus = UInt32(status)
        attempts[index].record.endedAt = kit.wall.microseconds
        kit.cancel(attempts[index].transaction, reason: reason)
    }

    /// - Parameter reason: why, for those that ring (RFC 3326).
    mutating func abandonAll(_ kit: inout CallKit, reason: String? = nil) {
        for index in attempts.indices where attempts[index].isOpen { abandon(index, 487, &kit, reason) }
    }

    mutating func expireAttempts(_ kit: inout CallKit) {
        guard stage == .ringing else { return }
        var expired = false
        for index in attempts.indices where attempts[index].isOpen && kit.now >= attempts[index].deadline {
            let wasSilent = attempts[index].state == .calling
            abandon(index, 408, &kit)
            attempts[index].record.reason = "no answer"
            if !wasSilent || !ringsElsewhere(index, 408, &kit) { expired = true }
        }
        if expired { goOn(hasRung ? 480 : 408, &kit) }
    }

    /// Somebody took back a request of theirs (§9).
    mutating func cancelled(_ transaction: ServerTransactionID, by request: SIPMessage, _ kit: inout CallKit) {
        if parked?.transaction == transaction { return unpark(&kit) }
        if let reoffer, reoffer.transaction == transaction {
            // Its answer, 487 most likely, goes back as that of any offer.
            self.reoffer?.isWithdrawn = true
            return kit.cancel(reoffer.outgoing)
        }
        callerGone(reason: request.headers[.reason], &kit)
    }

    /// The caller has said for how long it would wait.
    mutating func expire(_ kit: inout CallKit) {
        guard let at = expiresAt, kit.now >= at else { return }
        expiresAt = nil
        guard stage == .planning || stage == .opening || stage == .ringing else { return }
        abandonAll(&kit)
        fail(487, .noAnswer, "the invitation has expired", &kit, .expired)
    }

    /// The caller gave up.
    mutating func callerGone(reason: String? = nil, _ kit: inout CallKit) {
        if stage == .talking, answer != nil { return hungUp(by: .a, refusing: (487, .cancelled), &kit) }
        guard stage == .planning || stage == .opening || stage == .ringing else { return }
        abandonAll(&kit, reason: reason)
        fail(487, .cancelled, nil, &kit, .cancelled)
    }

    // MARK: Tables

    static let allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, MESSAGE"
    /// Carriers may not transfer (`refer`), and those who are told so do without.
    static let allowedOfCarriers = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, MESSAGE"
    static let supported = "100rel, replaces, timer"
    static let supportedWithoutOffer = "replaces, timer"
    /// For those that rang when somebody else answered (RFC 3326 §3.1), which phones take for no missed call.
    static let elsewhere = "SIP;cause=200;text=\"Call completed elsewhere\""
    static let anonymous = NameAddress(displayName: "Anonymous", uri: URI(user: "anonymous", host: "anonymous.invalid"))

    /// Whether another gateway may do better: it failed, the called side did not.
    static func isReroutable(_ status: Int) -> Bool {
        switch status {
        // A redirection is not followed, and a gateway that wants a password from us is not set up for us.
        case 300..<400, 401, 407, 408, 500..<600: true
        default: false
        }
    }

    /// What a caller is told when a gateway said that: its failures are not the caller's (RFC 3261 §16.7 on 503; a challenge that
    /// the caller cannot meet).
    static func toldOutbound(_ status: Int) -> Int { isReroutable(status) ? 502 : told(status) }

    /// The same for phones.
    static func told(_ status: Int) -> Int {
        switch status {
        case 300..<400, 401, 407, 408, 487, 500..<600: 480
        default: status
        }
    }

    /// The response that says most to the caller (RFC 3261 §16.7, step 6): 6xx, then what the called side said.
    static func better(_ status: Int, than other: Int) -> Int {
        func rank(_ status: Int) -> Int {
            switch status {
            case 600...: 5
            case 486: 4
            case 415, 420, 484, 488: 3
            case 300..<400, 401, 407: 1
            case 400..<500 where status != 408: 2
            case 500..<600, 408: 1
            default: 0
            }
        }
        return rank(status) > rank(other) ? status : other
    }

    static func cause(of status: Int, hasRung: Bool) -> EndCause {
        switch status {
        case 486, 600: .busy
        // Nobody gave up whom we know of: a 487 is the peer's own.
        case 480, 408, 487: hasRung ? .noAnswer : .unreachable
        case 403, 603, 606: .rejected
        case 300..<400, 401, 404, 407, 410, 484, 604, 500..<600: .unreachable
        default: .failed
        }
    }
}
