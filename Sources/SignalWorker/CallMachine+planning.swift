import Foundation
import Model
import Primitives
import SIP

/// From the INVITE to the first ring: the plan, then a media session.
extension CallMachine {
    mutating func planned(_ plan: CallPlan, _ kit: inout CallKit) {
        guard stage == .planning else { return }
        self.plan = plan
        treatment = CallTreatment(plan)
        kit.heard(position: plan.logPosition)
        if plan.mediaPath == .direct {
            isDirect = true
            stage = .ringing
            return ringNextGroup(&kit)
        }
        let isDelayed = a.media.remote == nil
        guard isDelayed || isProtected(asWantedBy: plan.callerMediaSecurity) else {
            let wanted = plan.callerMediaSecurity == .dtls ? "UDP/TLS/RTP/SAVP with a=fingerprint" : "RTP/SAVP with a=crypto"
            return fail(488, .failed, "this line requires SRTP (\(wanted))", &kit, .needsSRTP)
        }
        if isDelayed { a.media.own = MediaTerms(offering: CallMachine.offered(plan.callerMediaSecurity, by: a.hop), &kit.random) }
        guard let worker = nextMediaWorker(kit) else {
            return fail(503, .unreachable, "no media worker", &kit, .noMediaWorker, retryAfter: 5)
        }
        stage = .opening
        open(on: worker, &kit)
    }

    /// What the caller has offered is enough: a handshake where keys in descriptions are asked for, too.
    private func isProtected(asWantedBy security: MediaSecurity) -> Bool {
        switch security {
        case .plain, .UNRECOGNIZED: true
        case .sdes: a.media.receiving != nil || a.media.fingerprint != nil
        case .dtls: a.media.fingerprint != nil
        }
    }

    /// What a phone of a line is offered: a browser, which comes by WebSocket, understands one thing alone.
    static func offered(_ security: MediaSecurity, by hop: Hop) -> MediaTerms.Offered {
        switch security {
        case .sdes: .sdes
        case .dtls: hop.transport.isWebSocket ? .browser : .dtls
        case .plain, .UNRECOGNIZED: hop.transport.isWebSocket ? .browser : .plain
        }
    }

    mutating func refused(_ refusal: CallRefused, _ kit: inout CallKit) {
        guard stage == .planning else { return }
        // The control plane has recorded the attempt already.
        stage = .over
        guard let invite else { return }
        var response = invite.request.response(Int(refusal.sipStatus == 0 ? 403 : refusal.sipStatus), toTag: a.dialog.localTag)
        response.headers[.reason] = CallKit.reason(response.status, refusal.reason)
        response.headers[CallKit.position] = "\(refusal.logPosition)"
        kit.respond(response, to: invite.transaction, FinalReason(refusal.refusal))
        self.invite = nil
    }

    /// No answer of the control plane: nothing is known of the call there, or it will be closed there by rule.
    mutating func unplanned(_ kit: inout CallKit) {
        guard stage == .planning else { return }
        fail(503, .failed, "the control plane does not answer", &kit, .controlSilent, retryAfter: 5)
    }

    /// A session of its own: a worker that was given up may still have the old one.
    mutating func openAnew(on worker: String, _ kit: inout CallKit) {
        mediaSession = UUIDv7(at: kit.wall, random: &kit.random)
        renewStreams()
        if stage == .talking {
            a.media.renew(&kit.random)
            b?.media.renew(&kit.random)
        }
        open(on: worker, &kit)
    }

    mutating func open(on worker: String, _ kit: inout CallKit) {
        mediaWorker = worker
        kit.colleagues.count(on: worker)
        if stage != .talking, a.media.remote != nil { a.media.answerOffer(after: LegMediaState(), &kit.random) }
        var request = StudioRequest()
        request.open.sessionID = Data(mediaSession.bytes)
        request.open.a = a.media.spec
        if let b {
            request.open.b = b.media.spec
            // Nothing leaves before the sides know the new keys.
            request.open.a.sendKey = Data()
            request.open.b.sendKey = Data()
        }
        if b == nil, let seat = wantedSeat {
            request.open.b.seat = seat
        } else if b?.media.seat != nil {
            // Who was in is not asked again.
            request.open.b.seat.pin = ""
        }
        request.open.owner = kit.configuration.worker
        kit.ask(request, of: worker, .open(id))
    }

    mutating func opened(_ session: SessionOpened, _ kit: inout CallKit) {
        guard let host = SocketAddress.Host(session.address), let portA = UInt16(exactly: session.portA),
            let portB = UInt16(exactly: session.portB)
        else { return mediaFailed("the media worker's answer makes no sense", &kit) }
        mediaAddress = host
        mediaFingerprint = Array(session.fingerprint)
        guard !mediaFingerprint.isEmpty || !a.media.own.isDTLS && b?.media.own.isDTLS != true else {
            return mediaFailed("the media worker does not speak DTLS", &kit)
        }
        a.media.port = portA
        switch stage {
        case .opening:
            bPort = portB
            if !openStreams(&kit) { mediaReady(&kit) }
        case .talking:
            bPort = portB
            b?.media.port = portB
            if !openStreams(&kit) { mediaReady(&kit) }
        case .planning, .ringing: break
        case .closing, .over:
            closeMedia(&kit)  // it came too late to be of use
        }
    }

    /// Ports are there for all that is relayed.
    mutating func mediaReady(_ kit: inout CallKit) {
        switch stage {
        case .opening:
            stage = .ringing
            ringNextGroup(&kit)
        case .talking: moved(&kit)
        case .planning, .ringing, .closing, .over: break
        }
    }

    mutating func mediaFailed(_ reason: String, _ kit: inout CallKit) {
        refusedMedia.insert(mediaWorker)
        switch stage {
        case .opening:
            guard let next = nextMediaWorker(except: refusedMedia, kit) else {
                return fail(503, .failed, reason, &kit, .noMediaWorker, retryAfter: 5)
            }
            openAnew(on: next, &kit)
        case .talking:
            guard let next = nextMediaWorker(except: refusedMedia, kit) else { return hangUp(.mediaTimeout, &kit) }
            openAnew(on: next, &kit)
        case .closing: finish(nil, &kit)
        case .planning, .ringing, .over: break
        }
    }
}
