import Foundation
import Model
import Primitives
import SIP

/// Session timers of an answered call (RFC 4028): each side shows from time to time that it is there. A call one side of which has
/// vanished is ended, and charged until that side was last known to be there.
extension CallMachine {
    /// A request of ours that only shows that both are there.
    struct Refresh: Sendable {
        let side: Side
        let transaction: ClientTransactionID
        let request: SIPMessage
        /// Whose dialog it is in, whoever has taken that one's place since.
        let leg: Former
    }

    /// A dialog that a request of ours went out in, and the way to its peer.
    struct Former: Sendable {
        let dialog: Dialog
        let path: Hop

        init(_ leg: Leg) {
            dialog = leg.dialog
            path = leg.path
        }
    }

    /// The leg of that side if the response is of its dialog. If it is not, an answer of a party that has left is confirmed, and that is all.
    func present(_ side: Side, _ response: SIPMessage, to request: SIPMessage, of transaction: ClientTransactionID, in former: Former, _ kit: inout CallKit) -> Leg? {
        if let leg = self[side], leg.dialog.callID == former.dialog.callID, leg.dialog.localTag == former.dialog.localTag { return leg }
        if response.isSuccess, request.method == .invite {
            kit.acknowledge(former.dialog.acknowledgement(of: request, via: kit.via(id)), of: transaction, to: former.path)
        }
        return nil
    }

    var sessionWake: Instant? {
        guard stage == .talking else { return nil }
        return earliest(a.timer?.nextWake, b?.timer?.nextWake)
    }

    mutating func watchSessions(_ kit: inout CallKit) {
        for side in [Side.a, .b] {
            guard stage == .talking, let timer = self[side]?.timer else { continue }
            if kit.now >= timer.expiresAt {
                vanished(side, &kit)
            } else if let at = timer.refreshAt, kit.now >= at {
                refresh(side, &kit)
            }
        }
    }

    private mutating func refresh(_ side: Side, _ kit: inout CallKit) {
        guard var leg = self[side] else { return }
        // An offer that is under way refreshes the session when it is answered.
        let isBusy = reoffer != nil || transfer != nil || owesAnswer || moving.contains { $0.side == side } || refreshing.contains { $0.side == side }
        guard !isBusy else {
            leg.timer?.postpone(until: kit.now + .seconds(5))
            self[side] = leg
            return
        }
        // What the log was not to know cannot be said again: both agree on new keys.
        if isDirect, !leg.takesUpdate, leg.media.local?.lacksSecrets == true {
            leg.timer?.postpone(until: kit.now + .seconds(60))
            self[side] = leg
            return agreeAnew(side, &kit)
        }
        var request = leg.dialog.request(leg.takesUpdate ? .update : .invite, via: kit.via(id))
        request.headers.append(.contact, kit.contactText)
        if request.method == .invite {
            request.headers.append(.allow, CallMachine.allowed)
            // The same description with the same version: nothing is to change (RFC 4028 §7.4).
            if let local = leg.media.local { request.setBody(local.bytes, type: "application/sdp") }
        }
        leg.timer?.write(toRequest: &request)
        leg.timer?.postpone(until: kit.now + .seconds(60))
        self[side] = leg
        guard let transaction = kit.send(request, to: leg.path, of: id) else { return }
        clients.append(transaction)
        refreshing.append(Refresh(side: side, transaction: transaction, request: request, leg: Former(leg)))
    }

    /// - Parameter isSilent: nothing came: the response is ours.
    mutating func refreshAnswered(_ response: SIPMessage, _ transaction: ClientTransactionID, isSilent: Bool = false, _ kit: inout CallKit) {
        guard response.isFinal, let index = refreshing.firstIndex(where: { $0.transaction == transaction }) else { return }
        let refresh = refreshing.remove(at: index)
        guard var leg = present(refresh.side, response, to: refresh.request, of: transaction, in: refresh.leg, &kit), stage == .talking else { return }
        // RFC 3261 §12.2.1.2: no answer, or no such dialog, ends it. Any other refusal shows that the peer is there.
        let isOver = isSilent || response.status == 408 || response.status == 481
        if !isOver { leg.heardAt = kit.wall }
        var hasChanged = false
        switch response.status {
        case 200..<300:
            leg.refreshed(by: response, kit)
            if refresh.request.method == .invite {
                kit.acknowledge(leg.dialog.acknowledgement(of: refresh.request, via: kit.via(id)), of: transaction, to: leg.path)
            }
            if isDirect {
                hasChanged = response.hasSDP && (try? SDP(parsing: response.body))?.isSame(as: leg.media.remote) == false
            } else if response.hasSDP, let sdp = try? SDP(parsing: response.body), sdp != leg.media.remote,
                (try? OfferAnswer.take(answer: sdp, to: leg.media.own, into: &leg.media)) != nil
            {
                change(refresh.side, leg.media, &kit)
            }
        case _ where isOver: break
        case 422 where leg.timer?.lengthen(to: response.minSE ?? 0) == true:
            // A second between them, for who asks for more each time.
            leg.timer?.postpone(until: kit.now + .seconds(1))
        case 405 where refresh.request.method == .update, 501 where refresh.request.method == .update:
            leg.takesUpdate = false
            leg.timer?.postpone(until: kit.now)
        case 491: leg.timer?.postpone(until: kit.now + glareDelay(refresh.side, &kit))
        case 500..<600:
            // For now, it says: asked again before its own timer ends the session.
            leg.timer?.refreshed(kit.now)
            leg.timer?.postpone(until: kit.now + CallMachine.patience(after: response))
        default: leg.timer?.refreshed(kit.now)
        }
        self[refresh.side] = leg
        // It takes its media elsewhere now, which the other side has to know.
        if hasChanged { agreeAnew(refresh.side, &kit) }
        if isOver { vanished(refresh.side, &kit) }
        watchSessions(&kit)
    }

    /// Until what failed at the peer is tried again: what it asks for (RFC 3261 §20.33), within reason.
    static func patience(after response: SIPMessage) -> Duration {
        .seconds(min(max(response.headers[.retryAfter].flatMap { Int64($0.prefix(while: \.isNumber)) } ?? 10, 5), 30))
    }

    /// Before another offer after a 491 (RFC 3261 §14.1): who made the Call-ID waits longer.
    func glareDelay(_ side: Side, _ kit: inout CallKit) -> Duration {
        let steps = Int64(kit.random.next() % (side == .b ? 190 : 200))
        return .milliseconds((side == .b ? 2_100 : 10) + 10 * steps)
    }

    /// That side has not been there since it was last heard, whatever the other side goes on sending.
    mutating func vanished(_ side: Side, _ kit: inout CallKit) {
        guard stage == .talking else { return }
        gone = side
        hangUp(.sessionExpired, &kit)
    }

    /// When a call ended whose one side had vanished: with what was last heard of that side, signalling or media.
    func proofOfLife(_ media: MediaReport?) -> WallTime? {
        guard let gone, let leg = self[gone] else { return nil }
        let packets = gone == .a ? media?.a.lastPacketAt : media?.b.lastPacketAt
        return max(leg.heardAt, WallTime(microseconds: packets ?? 0))
    }
}
