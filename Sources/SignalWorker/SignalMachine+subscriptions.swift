import Foundation
import Model
import Primitives
import SIP

/// Busy lamps, presence and waiting messages (RFC 6665). Subscriptions are the control plane's: any worker takes a SUBSCRIBE, and
/// the one that is told to sends a NOTIFY.
extension SignalMachine {
    static let eventPackages = "dialog, message-summary, presence"

    mutating func subscribe(_ request: SIPMessage, _ id: ServerTransactionID, on hop: Hop) {
        guard let event = request.headers[.event], !event.isEmpty else {
            var response = request.response(489, toTag: "event")
            response.headers.append(.allowEvents, SignalMachine.eventPackages)
            return kit.respond(response, to: id, isForgotten: true)
        }
        guard let line = authenticated(request, id, hop) else { return }
        let tag = request.to.tag ?? SignalMachine.subscriptionTag + hex(kit.random.bytes(8))
        guard let uri = request.requestURI, uri.isSIP, let dialog = Dialog(answering: request, localTag: tag) else {
            return kit.respond(request.response(400, reason: "No usable Contact", toTag: "contact"), to: id)
        }
        var desk = DeskRequest()
        desk.subscribe.subscriberID = line.subscriberID
        desk.subscribe.event = event
        desk.subscribe.resource = request.to.tag == nil ? uri.userDecoded ?? "" : request.to.uri.userDecoded ?? ""
        desk.subscribe.domain = request.to.uri.host
        desk.subscribe.dialog = Leg(dialog: dialog, hop: hop, isGateway: false).state
        var reached = hop
        if hop.transport == .udp, request.recordRoutes.isEmpty { reached.remote = reachable(dialog.remoteTarget, from: hop.remote) }
        desk.subscribe.flow = kit.flow(reached)
        desk.subscribe.expiresSeconds = min(request.expires ?? 3_600, configuration.registrationSeconds.upperBound)
        desk.subscribe.isRefresh = request.to.tag != nil
        kit.ask(desk, .subscribe(id, request, tag: tag))
    }

    /// Tags of ours that are no call's: any worker may be asked.
    static let subscriptionTag = "e-"

    mutating func subscribed(_ reply: Subscribed, _ id: ServerTransactionID, _ request: SIPMessage, tag: String) {
        kit.heard(position: reply.logPosition)
        let status =
            switch reply.outcome {
            case .ok: 200
            case .unknownResource: 404
            case .forbidden: 403
            case .badEvent: 489
            case .tooMany: 403
            case .unknownSubscription: 481
            case .stale: 500
            case .UNRECOGNIZED: 500
            }
        var response = request.response(status, toTag: tag)
        if status == 200 {
            response.headers[.expires] = String(reply.expiresSeconds)
            response.headers.append(.contact, kit.contactText)
        }
        if status == 489 { response.headers.append(.allowEvents, SignalMachine.eventPackages) }
        kit.respond(response, to: id)
        if reply.hasNotify { notify(reply.notify) }
    }

    mutating func notify(_ order: Notify) {
        guard var dialog = Dialog(watching: order.dialog), let hop = kit.hop(order.flow) else { return lost(order) }
        // The mark names this worker, so that the answer finds its way back; there is no call of that number.
        var request = dialog.request(.notify, via: kit.via(CallID(UUIDv7(at: kit.wall, random: &kit.random))))
        request.headers.append(.contact, kit.contactText)
        request.headers.append(.event, order.event)
        request.headers.append(.subscriptionState, order.subscriptionState)
        request.headers.append(.userAgent, "Ledgerline")
        if !order.body.isEmpty { request.setBody(Array(order.body), type: order.contentType) }
        guard let transaction = kit.send(request, to: hop, of: nil) else { return lost(order) }
        kit.notices[transaction] = order
    }

    /// - Returns: whether the transaction was a NOTIFY's.
    mutating func noticed(_ transaction: ClientTransactionID, status: Int) -> Bool {
        guard let order = kit.notices[transaction] else { return false }
        guard status >= 200 else { return true }
        kit.notices[transaction] = nil
        switch status {
        case 200..<300, 500, 503, 401, 407: break
        default: lost(order)
        }
        return true
    }

    /// RFC 6665 §4.2.2: who does not know of it, or is not there, is told no more.
    private mutating func lost(_ order: Notify) {
        var desk = DeskRequest()
        desk.subscriptionLost.callID = order.dialog.callID
        desk.subscriptionLost.localTag = order.dialog.localTag
        kit.ask(desk, .forgotten)
    }
}

extension Dialog {
    /// Of a subscription, with the number that its next request takes.
    init?(watching state: DialogState) {
        self.init(
            restoring: State(
                callID: state.callID, localTag: state.localTag, remoteTag: state.remoteTag, localURI: state.localUri,
                remoteURI: state.remoteUri, remoteTarget: state.remoteTarget, routeSet: state.routeSet,
                localCSeq: state.localCseq, remoteCSeq: state.remoteCseq == 0 ? nil : state.remoteCseq, isEarly: false))
    }
}
