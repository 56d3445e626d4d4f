import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// The way of a packet: checked, then to the call it belongs to, here or at another worker.
extension SignalMachine {
    mutating func receive(_ bytes: [UInt8], on hop: Hop, isRelayed: Bool) {
        let source = hop.remote
        let message: SIPMessage
        do throws(ParseError) {
            message = try SIPMessage(parsing: bytes, framing: hop.framing)
        } catch {
            guard error != .keepAlive else { return }
            kit.note(.malformed(source: source, reason: "\(error)"))
            if !rates.isBanned(source, now: kit.now), rates.admits(source, now: kit.now), let answer = SIPMessage.rejection(of: bytes, for: error, saying: kit.closingFields) {
                kit.transmit(answer, hop)
            }
            return
        }
        guard let mark = mark(of: message) else {
            // The first request of a dialog, or the ACK of our refusal of one; a response to nobody's request is nothing.
            // Who is banned is not listened to, but the calls of others behind the same address go on.
            guard message.isRequest, !rates.isBanned(source, now: kit.now) else { return }
            if hop.isInternal, !isRelayed, let owner = ownerOfReplaced(message) { return relay(bytes, on: hop, to: owner) }
            if message.method == .cancel, !kit.transactions.expects(message) {
                return cancelElsewhere(message, bytes, on: hop, isRelayed: isRelayed)
            }
            return take(message, on: hop)
        }
        // A call that has just ended here is nobody's: what still comes is for its transactions.
        if calls.contains(mark.call) || ended.contains(mark.call) { return take(message, on: hop) }
        route(message, bytes, mark, on: hop, isRelayed: isRelayed)
    }

    /// A CANCEL bears nothing of ours, and the network may have brought its INVITE to another worker: all are asked, and the one
    /// that rings answers.
    private mutating func cancelElsewhere(_ message: SIPMessage, _ bytes: [UInt8], on hop: Hop, isRelayed: Bool) {
        guard !isRelayed else { return }
        let others = kit.colleagues.signalWorkers.filter { $0 != configuration.worker }
        guard hop.isInternal || rates.admits(hop.remote, now: kit.now) else { return kit.note(.tooFast(source: hop.remote)) }
        guard !others.isEmpty else { return take(message, on: hop) }
        for worker in others { relay(bytes, on: hop, to: worker) }
    }

    /// Our own making in a message of a peer: the tag that we gave its dialog, or the branch of our request.
    private func mark(of message: SIPMessage) -> OwnerMark? {
        message.isRequest ? OwnerMark(tag: message.to.tag) : OwnerMark(branch: message.branch)
    }

    /// To the worker that owns the call.
    private mutating func route(_ message: SIPMessage, _ bytes: [UInt8], _ mark: OwnerMark, on hop: Hop, isRelayed: Bool) {
        if !isRelayed {
            if let owner = located[mark.call], owner != configuration.worker, kit.colleagues.isAlive(owner) {
                return relay(bytes, on: hop, to: owner)
            }
            if located[mark.call] == nil, mark.worker != configuration.worker, kit.colleagues.isAlive(mark.worker) {
                return relay(bytes, on: hop, to: mark.worker)
            }
        }
        // Nobody answers an ACK, and of responses to a worker that is gone one alone leaves something to end: the answer to an INVITE. Our own
        // transactions may wait for either: the ACK of an INVITE that was refused before there was a call.
        let isAnswer = message.isSuccess && message.cseq.method == .invite
        guard isAnswer || message.isRequest && message.method != .ack else {
            if mark.worker == configuration.worker { take(message, on: hop) }
            return
        }
        if isAnswer, kit.transactions.expects(response: message) { return take(message, on: hop) }
        guard located.hold(message, bytes, hop, for: mark.call, now: kit.now) else { return }
        var request = DeskRequest()
        request.locateCall.callID = mark.call.data
        kit.ask(request, .locate(mark.call))
    }

    /// - Parameter hop: of the worker that received it, which may be another one: answers go back by that one.
    private mutating func relay(_ bytes: [UInt8], on hop: Hop, to worker: String) {
        var message = RelayMessage()
        message.received.listener = hop.listener.description
        message.received.source = hop.remote.description
        message.received.message = Data(bytes)
        message.received.worker = hop.relay ?? configuration.worker
        if hop.transport != .udp {
            message.received.transport = hop.transport.name
            message.received.connection = hop.connection
            if hop.relay == nil { borrowers[hop.connection, default: []].insert(worker) }
        }
        kit.effects.append(.relay(serialized(message), to: worker))
    }

    /// From a fellow: a packet for a call of ours, or one to send by a listener of ours.
    mutating func relayed(_ body: [UInt8], from worker: String) {
        guard let message = try? RelayMessage(serializedBytes: body) else { return }
        switch message.kind {
        case .received(let received):
            guard let listener = SocketAddress(received.listener), let source = SocketAddress(received.source) else { return }
            // Answers go back by the listener that the peer knows; if all share it, by ours.
            let isOurs = configuration.isOurs(listener)
            let holder = received.worker.isEmpty ? worker : received.worker
            guard received.transport.isEmpty else {
                // A connection is its holder's, also where all listen at one address.
                let hop = Hop(
                    Transport(received.transport), listener: listener, remote: source, connection: received.connection, relay: holder)
                return receive(Array(received.message), on: hop, isRelayed: true)
            }
            let hop = Hop(listener: listener, remote: source, relay: isOurs ? nil : holder)
            receive(Array(received.message), on: hop, isRelayed: true)
        case .send(let send):
            guard let listener = SocketAddress(send.listener), let remote = SocketAddress(send.remote) else { return }
            guard send.transport.isEmpty else {
                borrowers[send.connection, default: []].insert(worker)
                let hop = Hop(Transport(send.transport), listener: listener, remote: remote, connection: send.connection)
                return kit.effects.append(.stream(Array(send.message), hop))
            }
            guard configuration.isOurs(listener) else { return }
            kit.effects.append(.send(Array(send.message), listener: listener, to: remote))
        case .unreachable(let report):
            guard let listener = SocketAddress(report.listener), let remote = SocketAddress(report.remote) else { return }
            guard report.transport.isEmpty else {
                let hop = Hop(
                    Transport(report.transport), listener: listener, remote: remote, connection: report.connection, relay: worker)
                return kit.transactions.unreachable(hop, now: kit.now, into: &kit.layer)
            }
            unreachable(remote, listener)
        case nil: break
        }
    }

    mutating func unreachable(_ remote: SocketAddress, _ listener: SocketAddress) {
        kit.transactions.unreachable(Hop(listener: listener, remote: remote), now: kit.now, into: &kit.layer)
    }

    /// The report went to one of the sockets that share the address; the request may have been a fellow's.
    mutating func tellUnreachable(_ remote: SocketAddress, _ listener: SocketAddress) {
        var message = RelayMessage()
        message.unreachable.listener = listener.description
        message.unreachable.remote = remote.description
        for worker in kit.colleagues.signalWorkers where worker != configuration.worker {
            kit.effects.append(.relay(serialized(message), to: worker))
        }
    }

    /// The control plane has said whose call it is.
    mutating func found(_ located: CallLocated, _ call: CallID) {
        let held = self.located.release(call)
        if located.found, located.ownerAlive { self.located[call] = located.owner }
        for packet in held {
            if calls.contains(call) {
                take(packet.message, on: packet.hop)
            } else if located.found, located.ownerAlive, located.owner != configuration.worker {
                // Also when it was relayed to us: the ledger names one owner, so this does not go round.
                relay(packet.bytes, on: packet.hop, to: located.owner)
            } else if located.found, located.owner == configuration.worker, located.answeredAt > 0, adopt(located, call) {
                take(packet.message, on: packet.hop)
            } else if !packet.message.isRequest {
                if !located.found { takeDown(packet.message, nil, packet.hop) }
            } else if !located.found || located.ownerAlive {
                take(packet.message, on: packet.hop)  // ends as 481
            } else {
                // Its owner is gone and nobody has it yet; the peer will ask again.
                kit.note(.orphan(source: packet.hop.remote))
            }
        }
    }

    private mutating func adopt(_ located: CallLocated, _ id: CallID) -> Bool {
        var call = AdoptCall()
        call.callID = id.data
        call.worker = configuration.worker
        call.started = located.started
        call.answeredAt = located.answeredAt
        call.snapshot = located.snapshot
        adopt(call)
        return calls.contains(id)
    }

    /// Into the transactions, which give back what is new.
    private mutating func take(_ message: consuming SIPMessage, on hop: Hop) {
        kit.transactions.receive(message, on: hop, now: kit.now, into: &kit.layer)
    }

    // MARK: New requests

    mutating func request(_ received: SIPMessage, _ id: ServerTransactionID, on hop: Hop) {
        guard let method = received.method, let request = readable(received, id) else { return }
        if conference(request, id, on: hop) { return }
        if method == .subscribe, request.to.tag?.hasPrefix(SignalMachine.subscriptionTag) == true {
            return rates.admits(hop.remote, now: kit.now) ? subscribe(request, id, on: hop) : tooFast(request, id, hop)
        }
        if request.to.tag != nil {
            guard method == .bye || isUnderstood(request, id) else { return }
            guard let mark = OwnerMark(tag: request.to.tag), let found = calls.update(mark.call, { $0.side(of: request) }) else {
                return kit.respond(request.response(481), to: id, isForgotten: true)
            }
            guard let side = found else {
                return withCall(mark.call) { call, kit in call.request(ofFormer: request, id, &kit) }
            }
            withCall(mark.call) { call, kit in
                call.request(request, id, on: hop, from: side, &kit)
            }
            return
        }
        guard hop.isInternal || rates.admits(hop.remote, now: kit.now) else {
            return tooFast(request, id, hop)
        }
        // An INVITE of a call that runs here, come back to us: it would call itself for ever (RFC 3261 §8.2.2.2).
        if method == .invite, !hop.isInternal, let mark = OwnerMark(tag: request.from.tag), calls.contains(mark.call) {
            return kit.respond(request.response(482, toTag: "loop"), to: id)
        }
        guard request.requestURI?.isSIP == true else { return kit.respond(request.response(416, toTag: "scheme"), to: id, isForgotten: true) }
        // Only an INVITE goes on: whatever else comes to us is for us.
        guard method != .invite || request.maxForwards ?? 70 > 0 else { return kit.respond(request.response(483, toTag: "hops"), to: id, isForgotten: true) }
        guard isUnderstood(request, id) else { return }
        switch method {
        case .register: register(request, id, on: hop)
        case .invite: invite(request, id, on: hop)
        case .options:
            var ok = request.response(200, toTag: "options")
            ok.headers.append(.allow, CallMachine.allowed + ", REGISTER, SUBSCRIBE")
            ok.headers.append(.allowEvents, SignalMachine.eventPackages)
            ok.headers.append(.accept, "application/sdp")
            kit.respond(ok, to: id, isForgotten: true)
        case .bye, .info, .update, .prack, .notify, .refer: kit.respond(request.response(481, toTag: "none"), to: id, isForgotten: true)
        case .ack, .cancel: break  // the transactions' own
        case .subscribe: subscribe(request, id, on: hop)
        case .message, .publish, .other:
            var response = request.response(405, toTag: "method")
            response.headers.append(.allow, CallMachine.allowed + ", REGISTER")
            kit.respond(response, to: id, isForgotten: true)
        }
    }

    /// Whether nothing is required that we do not know (RFC 3261 §8.2.2.3); if something is, it has been refused.
    private mutating func isUnderstood(_ request: SIPMessage, _ id: ServerTransactionID) -> Bool {
        let unknown = request.required.filter { !SignalMachine.extensions.contains($0) }
        if unknown.isEmpty { return true }
        var response = request.response(420, toTag: "extension")
        response.headers.append(.unsupported, unknown.joined(separator: ", "))
        kit.respond(response, to: id, isForgotten: true)
        return false
    }

    /// The request without a body of another kind than a description, if that may be left out (RFC 3261 §20.11); nil: it has been refused
    /// because of its body (§8.2.3).
    private mutating func readable(_ request: SIPMessage, _ id: ServerTransactionID) -> SIPMessage? {
        guard !request.body.isEmpty, [.invite, .update, .prack].contains(request.method) else { return request }
        let isEncoded = request.headers[.contentEncoding].map { $0.lowercased() != "identity" } ?? false
        guard isEncoded || !request.hasSDP else { return request }
        if request.headers[.contentDisposition]?.lowercased().filter({ $0 != " " }).contains(";handling=optional") == true {
            var bare = request
            bare.setBody([], type: "")
            return bare
        }
        var response = request.response(415, toTag: "body")
        response.headers.append(.accept, "application/sdp, multipart/mixed")
        response.headers.append(.acceptEncoding, "identity")
        kit.respond(response, to: id, isForgotten: true)
        return nil
    }

    /// Option tags that we do not refuse when they are required; none needs anything of us.
    static let extensions: Set<String> = ["100rel", "path", "outbound", "gruu", "replaces", "timer"]
}
