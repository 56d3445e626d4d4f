import Foundation
import Model
import Primitives
import SIP

/// What the call asks of its media worker, and what it does when that one is lost.
extension CallMachine {
    /// A request within a dialog that is passed through.
    struct Passing: Sendable {
        let outgoing: ClientTransactionID
        let transaction: ServerTransactionID
        let request: SIPMessage
        let from: Side
    }

    /// A re-INVITE of ours that tells a side about another media worker.
    struct Move: Sendable {
        let side: Side
        let transaction: ClientTransactionID
        let request: SIPMessage
        let leg: Former
        /// What it tells does not hold any more: its answer is confirmed, and the side is told anew.
        var isSuperseded = false
        /// What holds if the side refuses; nil: nothing does, as the media worker that it knows is gone.
        var previous: LegMediaState?
        var tries = 1
    }

    /// An offer of ours that could not be taken at the moment.
    struct MoveAgain: Sendable {
        var at: Instant
        let mayStay: Bool
        let tries: Int
    }

    /// How often such an offer is made before it counts as refused, but for those that meet one of the peer's.
    private static let moveTries = 4
    /// Until it is looked at again whether an offer that is under way has been answered.
    private static let moveWait = Duration.milliseconds(500)

    /// Number of the session in descriptions: any that stays (RFC 8866 §5.2).
    var sessionNumber: UInt64 { id.value.low >> 2 }

    /// The media worker's address as it was told to the caller, for a call that was taken over.
    var hostOfLocal: SocketAddress.Host? {
        a.media.local?.remoteAddress(of: a.media.index)?.host ?? b?.media.local?.remoteAddress(of: b?.media.index ?? 0)?.host
    }

    mutating func change(_ side: Side, _ media: LegMediaState, _ kit: inout CallKit) {
        guard !isDirect else { return }
        var request = StudioRequest()
        request.change.sessionID = Data(mediaSession.bytes)
        switch side {
        case .a: request.change.a = media.spec
        case .b: request.change.b = media.spec
        }
        kit.ask(request, of: mediaWorker, .change(id))
        changeStreams(a: side == .a ? media : nil, b: side == .b ? media : nil, &kit)
    }

    /// Both at once: the called side has answered, and with that the caller has been told what holds.
    mutating func change(with called: LegMediaState, _ kit: inout CallKit) {
        guard !isDirect else { return }
        var request = StudioRequest()
        request.change.sessionID = Data(mediaSession.bytes)
        request.change.a = a.media.spec
        request.change.b = called.spec
        kit.ask(request, of: mediaWorker, .change(id))
        changeStreams(a: a.media, b: called, &kit)
    }

    /// A side has been told what holds: whether one is to be converted for the other follows from it, and the media worker is told of
    /// that side, and of the other if it has to be.
    mutating func changeAgreed(_ side: Side, both: Bool = false, _ kit: inout CallKit) {
        guard var called = b?.media ?? bMedia else { return change(.a, a.media, &kit) }
        let both = settleConversion(&called) || both
        if both { change(with: called, &kit) } else { change(side, side == .a ? a.media : called, &kit) }
    }

    /// - Parameter called: of the called side.
    /// - Returns: the media worker has to hear of the caller's side too.
    @discardableResult
    mutating func settleConversion(_ called: inout LegMediaState) -> Bool {
        let converted = a.media.converts
        let converts = CodecChoice.converts(a.media, called)
        a.media.converts = converts
        called.converts = converts
        b?.media.converts = converts
        return converts || converted
    }

    /// The media worker is gone: another one gets the session, and both sides are told by re-INVITE.
    mutating func mediaWorkerLost(_ kit: inout CallKit) {
        switch stage {
        case .talking:
            // The same name may be another process by now. With nobody to go to, the call waits for the next roster:
            // its parties can still hang up, and the lost worker may only be out of the control plane's sight.
            guard let next = nextMediaWorker(kit) else {
                kit.stranded.insert(id)
                return
            }
            guard a.media.remote != nil, b?.media.remote != nil else { return hangUp(.mediaTimeout, &kit) }
            for index in moving.indices { moving[index].isSuperseded = true }
            refusedMedia = []
            unpark(&kit)
            openAnew(on: next, &kit)
        case .opening, .ringing:
            abandonAll(&kit)
            fail(503, .failed, "the media worker was lost", &kit, .mediaLost)
        case .closing: finish(nil, &kit)
        case .planning, .over: break
        }
    }

    /// The new session is open: tells both sides where to send now.
    mutating func moved(_ kit: inout CallKit) {
        guard let host = mediaAddress else { return }
        for side in [Side.a, .b] { offerAnew(side, host: host, mayStay: false, &kit) }
        update(&kit)
        recordAsOrdered(&kit)
        soundAgain(&kit)
    }

    /// Tells a side by a re-INVITE of ours what holds now: another media worker, or another party.
    ///
    /// - Parameter mayStay: what the side knows serves as well, should it refuse.
    mutating func offerAnew(_ side: Side, host: SocketAddress.Host? = nil, mayStay: Bool = true, tries: Int = 1, _ kit: inout CallKit) {
        if isDirect { return agreeAnew(side, &kit) }
        guard let host = host ?? mediaAddress ?? hostOfLocal, var leg = self[side], let other = self[side.other], let remote = other.media.remote
        else { return }
        // One after the other (RFC 3261 §14.1).
        guard !moving.contains(where: { $0.side == side && $0.isSuperseded }) else {
            movesAgain[side] = MoveAgain(at: kit.now + CallMachine.moveWait, mayStay: mayStay, tries: tries)
            return
        }
        let previous = mayStay ? leg.media : nil
        descriptionVersion += 1
        leg.media.makeKey(&kit.random)
        var sdp = OfferAnswer.description(
            from: remote, relaying: other.media.index, at: SocketAddress(host, port: leg.media.port), session: sessionNumber,
            version: descriptionVersion, to: leg.media, streams: addresses(of: remote, but: other.media.index, for: side, leg.media.own), fingerprint: mediaFingerprint)
        CodecChoice.extend(&sdp, other.media.index)
        kit.ownNames.hold(&sdp, other.media.index, on: leg.path)
        leg.media.local = sdp
        var request = leg.dialog.request(.invite, via: kit.via(id))
        request.headers.append(.contact, kit.contactText)
        request.headers.append(.allow, CallMachine.allowed)
        leg.timer?.write(toRequest: &request)
        request.setBody(sdp.bytes, type: "application/sdp")
        self[side] = leg
        guard let transaction = kit.send(request, to: leg.path, of: id) else { return }
        clients.append(transaction)
        moving.append(Move(side: side, transaction: transaction, request: request, leg: Former(leg), previous: previous, tries: tries))
    }

    mutating func moveAgain(_ kit: inout CallKit) {
        for side in [Side.a, .b] {
            guard stage == .talking, let again = movesAgain[side], kit.now >= again.at else { continue }
            // An offer that is under way is waited for.
            guard reoffer == nil, parked == nil else {
                movesAgain[side]?.at = kit.now + CallMachine.moveWait
                continue
            }
            movesAgain[side] = nil
            offerAnew(side, mayStay: again.mayStay, tries: again.tries, &kit)
        }
    }

    mutating func moveAnswered(_ response: SIPMessage, _ transaction: ClientTransactionID, _ kit: inout CallKit) {
        guard response.isFinal, let index = moving.firstIndex(where: { $0.transaction == transaction }) else { return }
        let move = moving.remove(at: index)
        guard var leg = present(move.side, response, to: move.request, of: transaction, in: move.leg, &kit) else { return }
        let isOver = response.status == 408 || response.status == 481
        if move.isSuperseded, !isOver {
            guard response.isSuccess else { return }
            leg.refreshed(by: response, kit)
            self[move.side] = leg
            return kit.acknowledge(leg.dialog.acknowledgement(of: move.request, via: kit.via(id)), of: transaction, to: leg.path)
        }
        let meets = response.status == 491
        if meets || !isDirect && (500..<600).contains(response.status) && move.tries < CallMachine.moveTries {
            if let previous = move.previous { self[move.side]?.media = previous }
            let delay = meets ? glareDelay(move.side, &kit) : CallMachine.patience(after: response)
            movesAgain[move.side] = MoveAgain(at: kit.now + delay, mayStay: move.previous != nil, tries: meets ? move.tries : move.tries + 1)
            return
        }
        guard response.isSuccess else {
            if isOver { return vanished(move.side, &kit) }
            guard let previous = move.previous, !isDirect else { return hangUp(isDirect ? .failed : .mediaTimeout, &kit) }
            // What it knows holds, and is converted where the party that is new speaks otherwise.
            leg.media = previous
            self[move.side] = leg
            return changeAgreed(move.side, &kit)
        }
        leg.refreshed(by: response, kit)
        self[move.side] = leg
        if isDirect { return agreedAnew(response, move, &kit) }
        let ack = leg.dialog.acknowledgement(of: move.request, via: kit.via(id))
        kit.acknowledge(ack, of: transaction, to: leg.path)
        let offered = leg.media.own
        if let sdp = try? SDP(parsing: response.body),
            (try? OfferAnswer.take(answer: sdp, to: offered, into: &leg.media)) != nil
        {
            self[move.side] = leg
            changeAgreed(move.side, &kit)
        }
    }

    mutating func closeMedia(_ kit: inout CallKit) {
        var request = StudioRequest()
        request.close.sessionID = Data(mediaSession.bytes)
        // The figures are wanted, but not waited for long: the record does not depend on them.
        kit.ask(request, of: mediaWorker, .close(id), policy: .closing)
        closeStreams(&kit)
    }

    mutating func mediaClosed(_ report: MediaReport?, _ kit: inout CallKit) {
        guard stage == .closing else { return }
        finish(report, &kit)
    }
}
