import Foundation
import Model
import Primitives
import SIP

/// Offers that we make because the caller made none (RFC 3261 §13.2.1): the called side gets an early offer of what we relay, its
/// answer is our offer to the caller, and the caller's ACK brings the answer.
extension CallMachine {
    /// An offer of ours waits for its ACK, and no other may cross it.
    var awaitsAnswer: Bool { unanswered.a != nil || unanswered.b != nil }

    /// The caller's ACK of our 2xx, or that of a re-INVITE without an offer.
    mutating func acknowledged(_ ack: SIPMessage, from side: Side, _ kit: inout CallKit) {
        guard let sending = unanswered[side], stage == .talking else { return }
        unanswered[side] = nil
        if isDirect {
            answerDirectly(ack, from: side, &kit)
            return goOnTransferring(&kit)
        }
        guard var leg = self[side] else { return }
        let isFirst = leg.media.remote == nil
        guard ack.hasSDP, let sdp = try? SDP(parsing: ack.body),
            (try? OfferAnswer.take(answer: sdp, to: sending.terms, into: &leg.media)) != nil
        else {
            // The session stands as it was, if there was one.
            if isFirst { hangUp(.failed, &kit) }
            return
        }
        self[side] = leg
        change(side, leg.media, &kit)
        if sending.isNewParty || sending.saidBefore.map({ $0 != sdp.direction(of: leg.media.index) }) ?? false { offerAnew(side.other, &kit) }
        sound(to: side.other, &kit)
        update(&kit)
    }

    /// An offer of ours that is answered in an ACK, and what it promised.
    struct Unanswered: Sendable {
        let terms: MediaTerms
        /// Of a party that has taken another one's place, of which the other side is to be told.
        var isNewParty = false
        /// Which way its media went: if the answer changes that, the other side is told.
        var saidBefore: SDP.Direction?
    }
}

extension OfferAnswer {
    /// What is offered when nobody has offered anything: what phones and carriers have in common, most wanted first.
    static func usual(session: UInt64) -> SDP {
        let address = SDP.Address(isIPv6: false, host: "0.0.0.0")
        let lines = [
            "rtpmap:8 PCMA/8000", "rtpmap:0 PCMU/8000", "rtpmap:9 G722/8000", "rtpmap:101 telephone-event/8000", "fmtp:101 0-16",
        ]
        let stream = SDP.Media(port: 9, formats: ["8", "0", "9", "101"], lines: lines.map { SDP.Line("a", $0) } + [SDP.Line("a", "sendrecv")])
        var sdp = SDP(origin: SDP.Origin(sessionID: session, version: 1, address: address), connection: nil, media: [stream])
        sdp.media[0].connection = SDP.Address(isIPv6: false, host: "127.0.0.1")
        return sdp
    }
}
