import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// Who sent a request: a subscriber with a password, or a gateway with an address.
extension SignalMachine {
    private enum Judgement {
        case accepted(CredentialReply, user: String)
        /// Ask (again) for a password.
        case challenge(isStale: Bool)
        case wrong(user: String)
        /// The right password, too often.
        case tooFast
        /// The control plane is being asked; the request goes on when it has answered.
        case waiting
    }

    // MARK: REGISTER (RFC 3261 §10.3)

    mutating func register(_ request: SIPMessage, _ id: ServerTransactionID, on hop: Hop) {
        // An address of record is of a domain (§10.3, step 5).
        guard request.to.uri.isSIP else { return kit.respond(request.response(404, toTag: "registrar"), to: id, .unknownLine, isForgotten: true) }
        let domain = request.to.uri.host
        switch judge(request, .authorization, realm: domain, id, hop) {
        case .waiting: break
        case .challenge(let isStale): challenge(request, id, hop.remote, 401, .wwwAuthenticate, realm: domain, isStale)
        case .wrong(let user): wrongPassword(request, id, hop, user)
        case .tooFast: tooFast(request, id, hop)
        case .accepted(let reply, let user):
            // A line registers itself: another's address of record needs another's password (§10.3, step 4).
            guard request.to.uri.userDecoded == user else { return kit.respond(request.response(403, toTag: "user"), to: id, .otherUser) }
            bind(request, id, hop, reply)
        }
    }

    // MARK: INVITE

    mutating func invite(_ request: SIPMessage, _ id: ServerTransactionID, on hop: Hop) {
        if hop.isInternal { return goOn(request, id, hop) }
        guard !isDraining, calls.count < configuration.callsMax else {
            var response = request.response(503, toTag: "full")
            response.headers.append(.retryAfter, "5")
            return kit.respond(response, to: id, isDraining ? .draining : .full)
        }
        if request.headers[.proxyAuthorization] == nil, !isLine(hop) {
            if let trunk = trunks.registered(request, from: hop.remote) ?? trunks.exact(hop.remote) { return start(request, id, hop, .gateway(trunk.source)) }
            guard let source = access.source(hop.remote, now: kit.now) else {
                if access.wait(Access.Waiting(transaction: id, request: request, hop: hop), for: hop.remote) {
                    var desk = DeskRequest()
                    desk.source.host = hop.remote.host.description
                    desk.source.port = UInt32(hop.remote.port)
                    kit.ask(desk, .source(hop.remote))
                }
                return
            }
            if source.found, hop.transport != .udp, hop.relay == nil { kit.effects.append(.trusted(hop)) }
            if source.found, !source.subscriberID.isEmpty {
                guard admitted(source.subscriberID, 1, hop) else { return tooFast(request, id, hop) }
                return start(request, id, hop, .subscriber(.with { $0.subscriberID = source.subscriberID }))
            }
            if source.found { return start(request, id, hop, .gateway(source)) }
            if let trunk = trunks.fromAnyPort(hop.remote, by: hop.transport) { return start(request, id, hop, .gateway(trunk.source)) }
            if let trunk = trunks.fromTeams(request, on: hop) {
                kit.ownNames.learn(trunk.ownName, towards: hop.remote.host)
                return start(request, id, hop, .gateway(trunk.source))
            }
        }
        // A `tel` address has no domain; the line's own is the one that is called then.
        let realm = request.from.uri.isSIP ? request.from.uri.host : request.requestURI?.host ?? ""
        switch judge(request, .proxyAuthorization, realm: realm, id, hop) {
        case .waiting: break
        case .challenge(let isStale): challenge(request, id, hop.remote, 407, .proxyAuthenticate, realm: realm, isStale)
        case .wrong(let user): wrongPassword(request, id, hop, user)
        case .tooFast: tooFast(request, id, hop)
        case .accepted(let reply, _):
            if request.headers.contains(.replaces) {
                return replace(request, id, hop, subscriber: reply.subscriberID, tenant: reply.tenantID)
            }
            start(request, id, hop, .subscriber(reply))
        }
    }

    enum Caller {
        case subscriber(CredentialReply)
        case gateway(SourceReply)
        /// Of a call that runs here and goes on.
        case forwarded(Forwarded)
    }

    mutating func start(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop, _ caller: Caller) {
        let call = CallID(UUIDv7(at: kit.wall, random: &kit.random))
        let tag = OwnerMark(worker: configuration.worker, call: call, part: "a").text
        guard let uri = request.requestURI, uri.isSIP, let dialog = Dialog(answering: request, localTag: tag) else {
            return kit.respond(request.response(400, reason: "No usable Contact", toTag: "contact"), to: id, .contact)
        }
        let isGateway =
            switch caller {
            case .gateway: true
            case .subscriber, .forwarded: false
            }
        var leg = Leg(dialog: dialog, hop: hop, isGateway: isGateway)
        leg.heard(request, at: kit.wall)
        do throws(OfferAnswer.Rejection) {
            // An INVITE without a body wants the offer from us; a broken description is for nobody.
            if !request.body.isEmpty {
                guard request.hasSDP, let sdp = try? SDP(parsing: request.body) else { throw .noAudio }
                try OfferAnswer.take(sdp, into: &leg.media)
            }
        } catch {
            return kit.respond(request.response(488, toTag: tag), to: id, .noMedia)
        }
        do throws(SessionTimer.Rejection) {
            leg.timer = try SessionTimer(answering: request, wanted: configuration.sessionSeconds, now: kit.now)
        } catch {
            var response = request.response(422, toTag: tag)
            response.headers[.minSE] = String(SessionTimer.shortest)
            return kit.respond(response, to: id, .sessionTooShort)
        }
        var start = StartCall()
        switch caller {
        case .subscriber(let reply):
            start.callerSubscriberID = reply.subscriberID
            (leg.subscriber, leg.tenant) = (reply.subscriberID, reply.tenantID)
        case .gateway(let reply):
            rates.vouched(hop.remote, requests: 1)
            start.gatewayID = reply.gatewayID
            start.carrierID = reply.carrierID
        case .forwarded(let forwarded):
            start.callerSubscriberID = forwarded.target.subscriberID
            start.forwardedFrom = forwarded.call.data
            start.forwardKind = forwarded.target.kind
            start.isAnonymous = forwarded.isAnonymous
        }
        if request.isAnonymous { start.isAnonymous = true }
        start.isBrowser = hop.transport.isWebSocket
        start.callID = call.data
        start.dialled = trunks.dialled(request)
        start.domain = uri.host
        start.fromUser = (isGateway ? SignalMachine.asserted(request) : nil) ?? request.from.uri.numberOrUser ?? ""
        start.fromDisplay = request.from.displayName ?? ""
        start.sipCallID = request.callID
        start.instanceID = uri.parameters["gr"] ?? ""
        start.sourceAddress = hop.remote.description
        start.startedAt = kit.wall.microseconds
        kit.respond(request.response(100), to: id)
        kit.serverOwners[id] = call
        let isAnonymous = start.isAnonymous
        let starting = kit.ask(.with { $0.startCall = start }, .start(call))
        var machine = CallMachine(call, invite: request, transaction: id, leg: leg, starting: starting, isAnonymous: isAnonymous)
        if let seconds = request.headers[.expires].flatMap({ UInt32($0) }), seconds > 0 {
            machine.expiresAt = kit.now + .seconds(Int64(seconds))
            wakes[call] = machine.nextWake
        }
        calls.insert(call, machine)
    }

    // MARK: Passwords

    /// The line that a request outside of calls comes from; nil: it has been answered, or waits.
    mutating func authenticated(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop) -> CredentialReply? {
        let realm = request.from.uri.host
        switch judge(request, .authorization, realm: realm, id, hop) {
        case .waiting: break
        case .challenge(let isStale): challenge(request, id, hop.remote, 401, .wwwAuthenticate, realm: realm, isStale)
        case .wrong(let user): wrongPassword(request, id, hop, user)
        case .tooFast: tooFast(request, id, hop)
        case .accepted(let reply, _): return reply
        }
        return nil
    }

    private mutating func judge(
        _ request: SIPMessage, _ header: HeaderName, realm: String, _ id: ServerTransactionID, _ hop: Hop
    ) -> Judgement {
        guard let credentials = DigestCredentials.all(in: request, header, realm: realm).first else {
            return .challenge(isStale: false)
        }
        let key = CredentialKey(domain: realm, username: credentials.username)
        guard let (reply, ha1) = access.line(key, by: credentials.algorithm, now: kit.now) else {
            if access.wait(Access.Waiting(transaction: id, request: request, hop: hop), for: key) {
                var desk = DeskRequest()
                desk.credential.domain = key.domain
                desk.credential.username = key.username
                kit.ask(desk, .credential(key))
            }
            return .waiting
        }
        guard let method = request.method else { return .wrong(user: credentials.username) }
        // Of a line that is not there everything is wrong, but only what answers a challenge of ours is somebody's fault.
        switch access.verifier.verify(credentials, from: hop.remote.host, method: method, ha1: reply.found ? ha1 : [], now: kit.wall) {
        case .accepted:
            guard reply.found else { return .wrong(user: credentials.username) }
            rates.rightPassword(hop.remote)
            // With a nonce's first use comes the request that was challenged for it.
            guard admitted(reply.subscriberID, credentials.isFirstUse ? 2 : 1, hop) else { return .tooFast }
            if hop.transport != .udp, hop.relay == nil {
                lines.insert(hop.connection)
                kit.effects.append(.trusted(hop))
            }
            return .accepted(reply, user: credentials.username)
        case .stale: return .challenge(isStale: true)
        case .wrong: return .wrong(user: credentials.username)
        }
    }

    /// Whether the line may ask more; its requests are no longer those of a stranger at this address.
    private mutating func admitted(_ subscriber: Data, _ requests: Int, _ hop: Hop) -> Bool {
        rates.vouched(hop.remote, requests: requests)
        guard let line = SubscriberID(subscriber) else { return false }
        return rates.admits(line: line, now: kit.now)
    }

    mutating func tooFast(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop) {
        kit.note(.tooFast(source: hop.remote))
        var response = request.response(503, toTag: "busy")
        response.headers.append(.retryAfter, "2")
        kit.respond(response, to: id, .tooFast, isForgotten: true)
    }

    private mutating func challenge(
        _ request: SIPMessage, _ id: ServerTransactionID, _ peer: SocketAddress, _ status: Int, _ header: HeaderName, realm: String, _ isStale: Bool
    ) {
        var response = request.response(status, toTag: "challenge")
        for challenge in access.verifier.challenges(
            realm: realm, algorithms: configuration.algorithms, isStale: isStale, to: peer.host, now: kit.wall)
        {
            response.headers.append(header, challenge.description)
        }
        kit.respond(response, to: id, isForgotten: true)
    }

    private mutating func wrongPassword(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop, _ user: String) {
        kit.note(.wrongPassword(source: hop.remote, user: user))
        if rates.wrongPassword(hop.remote, now: kit.now) { kit.note(.banned(source: hop.remote)) }
        // The same for a wrong password and an unknown user: who asks is not told which.
        kit.respond(request.response(403, reason: "Wrong user or password", toTag: "password"), to: id, .password)
    }

    // MARK: Requests that have waited

    mutating func resume(_ waiting: [Access.Waiting]) {
        for entry in waiting {
            if access.isGone(entry.transaction) {
                kit.respond(entry.request.response(487, toTag: "cancelled"), to: entry.transaction)
            } else if entry.request.method == .register {
                register(entry.request, entry.transaction, on: entry.hop)
            } else if entry.request.method == .subscribe {
                subscribe(entry.request, entry.transaction, on: entry.hop)
            } else {
                invite(entry.request, entry.transaction, on: entry.hop)
            }
        }
    }

    mutating func refuse(_ waiting: [Access.Waiting]) {
        for entry in waiting {
            guard !access.isGone(entry.transaction) else {
                kit.respond(entry.request.response(487, toTag: "cancelled"), to: entry.transaction)
                continue
            }
            var response = entry.request.response(503, toTag: "control")
            response.headers.append(.retryAfter, "5")
            kit.respond(response, to: entry.transaction, .controlSilent)
        }
    }
}
