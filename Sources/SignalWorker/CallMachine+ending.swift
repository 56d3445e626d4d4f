import Bus
import Foundation
import Model
import Primitives
import SIP

/// The end of a call: both sides are told, the media session is closed, and the control plane gets the facts.
extension CallMachine {
    /// The call ends before an answer; the caller gets that status.
    mutating func fail(
        _ status: Int, _ cause: EndCause, _ reason: String?, _ kit: inout CallKit, _ why: FinalReason? = nil, retryAfter: Int? = nil
    ) {
        guard stage != .over, stage != .closing else { return }
        if let invite {
            var response = invite.request.response(status, toTag: a.dialog.localTag)
            if let retryAfter { response.headers[.retryAfter] = String(retryAfter) }
            response.headers[.reason] = CallKit.reason(status, reason ?? response.reason)
            if plan.logPosition > 0 { response.headers[CallKit.position] = "\(plan.logPosition)" }
            for told in peerReasons { response.headers.append(.reason, told) }
            kit.respond(response, to: invite.transaction, why)
            self.invite = nil
        }
        end(cause, status: status, &kit)
    }

    /// What a caller is told to whom the called side's answer never went.
    typealias Refusal = (status: Int, why: FinalReason)

    /// - Parameter reason: what the side that hung up said of it (RFC 3326).
    mutating func hungUp(by side: Side, reason: [String] = [], refusing refusal: Refusal = (487, .ended), _ kit: inout CallKit) {
        guard stage == .talking else { return }
        bye(side.other, reason, &kit)
        end(side == .a ? .callerHungUp : .calledHungUp, status: 200, refusing: refusal, &kit)
    }

    /// We end it, for that reason.
    mutating func hangUp(_ cause: EndCause, refusing refusal: Refusal = (487, .ended), _ kit: inout CallKit) {
        switch stage {
        case .talking:
            bye(.a, [], &kit)
            bye(.b, [], &kit)
            end(cause, status: 200, refusing: refusal, &kit)
        case .planning, .opening, .ringing:
            abandonAll(&kit)
            fail(480, cause, nil, &kit)
        case .closing, .over: break
        }
    }

    /// Nothing is heard of either side: the call ended with the last packet, unless somebody has put it on hold.
    mutating func silent(_ report: MediaReport, _ kit: inout CallKit) {
        guard stage == .talking, !a.media.isHeld, b?.media.isHeld != true else { return }
        let last = max(report.a.lastPacketAt, report.b.lastPacketAt)
        if last > 0 { lastHeard = WallTime(microseconds: min(last, kit.wall.microseconds)) }
        hangUp(.mediaTimeout, &kit)
    }

    private mutating func bye(_ side: Side, _ reason: [String], _ kit: inout CallKit) {
        // A caller that was never told of the answer has no dialog to end.
        guard side == .b || answer == nil else { return }
        forgive(side, &kit)
        guard var leg = self[side] else { return }
        let transaction = kit.bye(&leg, of: id, reason: reason, isOwned: true)
        self[side] = leg
        if let transaction { clients.append(transaction) }
    }

    private mutating func end(_ cause: EndCause, status: Int, refusing refusal: Refusal = (487, .ended), _ kit: inout CallKit) {
        endTransfer(&kit)
        var status = status
        if answer != nil, let invite {
            status = refusal.status
            kit.respond(invite.request.response(status, toTag: a.dialog.localTag), to: invite.transaction, refusal.why)
            answer = nil
        }
        if let reoffer {
            let leg = reoffer.replacement ?? self[reoffer.from]
            kit.respond(reoffer.request.response(487, toTag: leg?.dialog.localTag), to: reoffer.transaction, .ended)
            self.reoffer = nil
        }
        if let earlyOffer {
            kit.respond(earlyOffer.request.response(487, toTag: earlyOffer.request.to.tag), to: earlyOffer.transaction, .ended)
            self.earlyOffer = nil
        }
        unpark(&kit)
        for entry in passing {
            kit.respond(entry.request.response(487, toTag: self[entry.from]?.dialog.localTag), to: entry.transaction, .ended)
        }
        passing = []
        (renewAt, creditEnds, announcement) = (nil, nil, nil)
        (reliable, untold) = (nil, nil)
        var ended = CallEnded()
        ended.callID = id.data
        ended.endedAt = (lastHeard ?? kit.wall).microseconds
        ended.cause = cause
        ended.sipStatus = UInt32(status)
        ended.attempts = records
        ended.worker = kit.configuration.worker
        ending = ended
        let wasPlanning = stage == .planning
        stage = .closing
        // A start that came after the end would be a call without one.
        if wasPlanning, let starting { _ = kit.requests.cancel(starting) }
        if wasPlanning || mediaWorker.isEmpty { return finish(nil, &kit) }
        closeMedia(&kit)
    }

    /// All is known: the fact goes out, and nothing of the call is left here.
    mutating func finish(_ media: MediaReport?, _ kit: inout CallKit) {
        guard stage == .closing, var ended = ending else { return }
        stage = .over
        if let media { ended.media = media }
        if let proof = proofOfLife(media) { ended.endedAt = min(ended.endedAt, max(proof.microseconds, answeredAt?.microseconds ?? 0)) }
        var request = DeskRequest()
        request.callFinished.ended = ended
        kit.report(request, of: id)
    }
}

extension RequestPolicy {
    /// For the figures of a session that is over.
    static let closing = RequestPolicy(deadline: .milliseconds(1_500), resend: .milliseconds(300), resendMax: .milliseconds(600))
}
