import Foundation
import Model
import Primitives
import SIP

/// A call that rings is taken by another line: its INVITE takes the place of the called side's answer.
extension CallMachine {
    mutating func pickedUp(by request: SIPMessage, _ transaction: ServerTransactionID, _ hop: Hop, _ kit: inout CallKit) {
        let tag = OwnerMark(worker: kit.configuration.worker, call: id, part: "p").text
        guard stage == .ringing, let invite, let offer = a.media.remote, isDirect || mediaAddress != nil,
            let dialog = Dialog(answering: request, localTag: tag), let sdp = try? SDP(parsing: request.body)
        else { return kit.respond(request.response(481, toTag: tag), to: transaction) }
        var media = LegMediaState()
        media.port = bPort
        if isDirect, descriptionOf != nil { forkAnswer("p", kit) }
        guard isDirect ? joinDirectly(sdp, &media, offer) : join(sdp, &media, offer, &kit) else {
            return kit.respond(request.response(488, toTag: tag), to: transaction)
        }
        abandonAll(&kit, reason: CallMachine.elsewhere)
        var leg = Leg(dialog: dialog, hop: hop, isGateway: false, media: media)
        leg.dialog.confirm()
        leg.heard(request, at: kit.wall)
        leg.timer = try? SessionTimer(answering: request, wanted: kit.configuration.sessionSeconds, now: kit.now)
        servers.append(transaction)
        b = leg
        bMedia = media
        change(with: media, &kit)
        stage = .talking
        answeredAt = kit.wall
        a.dialog.confirm()
        a.heardAt = kit.wall
        a.timer?.refreshed(kit.now)
        if plan.grantedSeconds > 0 { grant(plan.grantedSeconds, kit) }
        var fact = DeskRequest()
        fact.callAnswered.callID = id.data
        fact.callAnswered.answeredAt = kit.wall.microseconds
        fact.callAnswered.snapshot = snapshot(kit)
        kit.report(fact, of: id)
        for (message, to, description) in [(request, transaction, media.local), (invite.request, invite.transaction, a.media.local)] {
            var ok = message.response(200, toTag: to == transaction ? tag : a.dialog.localTag)
            ok.headers.append(.contact, kit.contactText)
            ok.headers.append(.allow, CallMachine.allowed)
            ok.headers[CallKit.position] = "\(plan.logPosition)"
            if let description { ok.setBody(description.bytes, type: "application/sdp") }
            let timer = to == transaction ? leg.timer : a.timer
            timer?.write(to: &ok, of: message)
            if to == transaction { kit.respond(ok, to: to) } else { answerCaller(ok, &kit) }
        }
        recordAsOrdered(&kit)
    }

    /// Both sides have offered: each gets as its answer what they have in common.
    private mutating func join(_ sdp: SDP, _ media: inout LegMediaState, _ offer: SDP, _ kit: inout CallKit) -> Bool {
        guard let host = mediaAddress, (try? OfferAnswer.take(sdp, into: &media)) != nil else { return false }
        media.answerOffer(after: LegMediaState(), &kit.random)
        // Each answer is made of the offer that it is for, so it has as many streams.
        guard let forCaller = offer.keepingFormats(of: sdp, a.media.index, media.index),
            let forTaker = sdp.keepingFormats(of: offer, media.index, a.media.index)
        else { return false }
        descriptionVersion += 1
        a.media.local = OfferAnswer.description(
            from: forCaller, relaying: a.media.index, at: SocketAddress(host, port: a.media.port), session: sessionNumber,
            version: descriptionVersion, to: a.media, fingerprint: mediaFingerprint, isAnswer: true)
        media.local = OfferAnswer.description(
            from: forTaker, relaying: media.index, at: SocketAddress(host, port: bPort), session: sessionNumber, version: descriptionVersion,
            to: media, fingerprint: mediaFingerprint, isAnswer: true)
        return true
    }

    /// The same where each is told of the other one's streams.
    private mutating func joinDirectly(_ sdp: SDP, _ media: inout LegMediaState, _ offer: SDP) -> Bool {
        guard let forCaller = OfferAnswer.common(of: sdp, with: offer), let forTaker = OfferAnswer.common(of: offer, with: sdp) else { return false }
        OfferAnswer.note(sdp, into: &media)
        a.media.local = OfferAnswer.passed(forCaller, session: sessionNumber, after: a.media.local)
        media.local = OfferAnswer.passed(forTaker, session: sessionNumber, after: nil)
        return true
    }
}

extension SDP {
    /// The description with those formats alone that the other has too, by number and by what the number stands for; nil: none.
    func keepingFormats(of other: SDP, _ index: Int, _ otherIndex: Int) -> SDP? {
        guard media.indices.contains(index), other.media.indices.contains(otherIndex) else { return nil }
        var copy = self
        let theirs = other.media[otherIndex]
        let formats = media[index].formats.filter { format in
            // Numbers below 96 mean the same to everybody (RFC 3551 §6).
            let isStatic = (UInt8(format) ?? 255) < 96
            return theirs.formats.contains(format) && (isStatic || theirs.mappings.first { $0.format == format } == media[index].mappings.first { $0.format == format })
        }
        copy.media[index].formats = formats
        copy.media[index].lines.removeAll { line in
            guard line.type == "a", line.value.hasPrefix("rtpmap:") || line.value.hasPrefix("fmtp:") else { return false }
            let format = line.value.drop { $0 != ":" }.dropFirst().prefix { $0 != " " }
            return !formats.contains(String(format))
        }
        return formats.isEmpty ? nil : copy
    }
}
