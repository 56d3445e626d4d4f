import Primitives
import SIP

/// A user agent as a person would use it: registers, dials, rings, answers or does not, talks, hangs up. It says what it saw.
final class SimulatedPhone {
    enum Account {
        case line(user: String, domain: String, password: String)
        /// A carrier's gateway: not registered, not asked for a password.
        case gateway(user: String)
    }

    /// One call as this phone saw it.
    struct Sighting {
        let isCaller: Bool
        let dialled: String
        var answeredAt: WallTime?
        var isOver = false
        /// Whether the far side confirmed the end, or we gave up asking.
        var endedAt: WallTime?
    }

    private struct Call {
        var dialog: Dialog?
        var invite: SIPMessage
        var server: ServerTransactionID?
        var client: ClientTransactionID?
        var hasAuthenticated = false
        /// The person has given up; a challenge that comes now is not answered.
        var isCancelled = false
        var sighting: Int
        /// Answer, refuse, cancel or hang up.
        var next: (at: Instant, what: Deed)?
        /// Meanwhile.
        var aside: (at: Instant, what: Deed)?
        var isHolding = false
        var hop: Hop
    }

    private enum Deed { case answer, busy, decline, cancel, hangUp, hold, transfer }

    /// How many of 1,000 answered calls this phone puts on hold, and how many it sends on to somebody else.
    var holdsPermille: UInt64 = 0
    var transfersPermille: UInt64 = 0
    private var offers: [ClientTransactionID: (call: String, request: SIPMessage)] = [:]

    let name: String
    let address: SocketAddress
    private let account: Account
    private let server: SocketAddress
    private var layer = TransactionLayer(clientsMax: 500, serversMax: 500)
    private var random: RandomSource
    private var effects: [TransactionLayer.Effect] = []
    private var calls: [String: Call] = [:]
    private var clientCalls: [ClientTransactionID: String] = [:]
    private var registration: (id: ClientTransactionID?, request: SIPMessage?) = (nil, nil)
    private var registerAt: Instant?
    private var cseq: UInt32 = 0
    private var nonces: UInt32 = 0
    private var now = Instant.zero
    private var wall = WallTime(microseconds: 0)
    private(set) var sightings: [Sighting] = []
    private(set) var isRegistered = false
    /// Datagrams to send.
    var outgoing: [(bytes: [UInt8], to: SocketAddress)] = []

    /// - Parameter server: where requests outside of dialogs go.
    init(name: String, address: SocketAddress, server: SocketAddress, account: Account, seed: UInt64) {
        self.name = name
        self.address = address
        self.server = server
        self.account = account
        random = RandomSource(seed: seed)
        if case .line = account { registerAt = .zero }
    }

    var nextWake: Instant? {
        ([layer.nextWake, registerAt] + calls.values.flatMap { [$0.next?.at, $0.aside?.at] }).compactMap(\.self).min()
    }
    var openCalls: Int { calls.count }
    /// For findings: what each call that is not over waits for.
    var openCallsText: String {
        calls.sorted { $0.key < $1.key }.map { id, call in
            let sighting = sightings[call.sighting]
            return "\(id) (\(sighting.isCaller ? "caller of" : "called as") \(sighting.dialled), answered \(sighting.answeredAt?.rfc3339 ?? "never"), "
                + "next \(call.next.map { "\($0.what) at \($0.at.nanoseconds / 1_000_000) ms" } ?? "nothing"))"
        }.joined(separator: ", ")
    }

    private var domain: String {
        switch account {
        case .line(_, let domain, _): domain
        case .gateway: address.host.description
        }
    }
    private var user: String {
        switch account {
        case .line(let user, _, _): user
        case .gateway(let user): user
        }
    }

    // MARK: Time and packets

    func tick(_ now: Instant, _ wall: WallTime) {
        (self.now, self.wall) = (now, wall)
        layer.tick(now: now, into: &effects)
        if let at = registerAt, now >= at { register() }
        // Sorted: the order of a dictionary differs from run to run.
        for (id, call) in calls.sorted(by: { $0.key < $1.key }) {
            if let aside = call.aside, now >= aside.at {
                calls[id]?.aside = nil
                perform(aside.what, id)
            }
            if let next = call.next, now >= next.at { perform(next.what, id) }
        }
        settle()
    }

    func receive(_ bytes: [UInt8], from source: SocketAddress, _ now: Instant, _ wall: WallTime) {
        (self.now, self.wall) = (now, wall)
        guard let message = try? SIPMessage(parsing: bytes) else { return }
        layer.receive(message, on: Hop(listener: address, remote: source), now: now, into: &effects)
        settle()
    }

    private func settle() {
        while !effects.isEmpty {
            let batch = effects
            effects.removeAll(keepingCapacity: true)
            for effect in batch { carryOut(effect) }
        }
    }

    private func carryOut(_ effect: TransactionLayer.Effect) {
        switch effect {
        case .send(let bytes, let hop): outgoing.append((bytes, hop.remote))
        case .request(let id, let request, let hop): take(request, id, hop)
        case .cancelled(let id, _):
            guard let (key, call) = calls.first(where: { $0.value.server == id }) else { return }
            layer.respond(call.invite.response(487, toTag: tag(key)), to: id, now: now, into: &effects)
            over(key)
        case .response(let id, let response, let hop): take(response, id, hop)
        case .failed(let id, _): failed(id)
        case .unacknowledged(let id), .unreachable(let id):
            if let key = calls.first(where: { $0.value.server == id })?.key { perform(.hangUp, key) }
        case .acknowledged, .stray, .refused: break
        }
    }

    // MARK: Registering

    private func register() {
        registerAt = now + .seconds(30)
        cseq += 1
        let own = URI(user: user, host: domain)
        var request = SIPMessage(
            .register, URI(host: domain), via: via(), from: NameAddress(uri: own, tag: "\(name)r"), to: NameAddress(uri: own),
            callID: "\(name)-registration", cseq: cseq)
        request.headers.append(.contact, contact.description)
        request.headers.append(.expires, "90")
        registration = (layer.send(request, to: hop, now: now, into: &effects), request)
    }

    private func registered(_ response: SIPMessage) {
        guard let request = registration.request else { return }
        if response.status == 401, request.headers[.authorization] == nil, var again = authenticated(request, response, .authorization) {
            cseq += 1
            again.cseq.number = cseq
            registration = (layer.send(again, to: hop, now: now, into: &effects), again)
        } else {
            isRegistered = response.isSuccess
            if !response.isSuccess { registerAt = now + .seconds(3) }
        }
    }

    private func authenticated(_ request: SIPMessage, _ response: SIPMessage, _ header: HeaderName) -> SIPMessage? {
        guard case .line(let user, let domain, let password) = account, let method = request.method,
            let challenge = DigestChallenge.all(in: response).first
        else { return nil }
        nonces += 1
        let credentials = DigestCredentials(
            answering: challenge, username: user, ha1: challenge.algorithm.ha1(username: user, realm: domain, password: password),
            method: method, uri: "sip:\(domain)", cnonce: "\(name)\(nonces)", nc: 1)
        var request = request
        request.vias = [via()]
        request.headers[header] = credentials.description
        return request
    }

    // MARK: Calling

    func dial(_ number: String, host: String, _ now: Instant, _ wall: WallTime) {
        (self.now, self.wall) = (now, wall)
        let id = "\(name)-\(sightings.count)"
        let target = URI(user: number, host: host)
        var invite = SIPMessage(
            .invite, target, via: via(), from: NameAddress(uri: URI(user: user, host: domain), tag: tag(id)), to: NameAddress(uri: target),
            callID: id, cseq: 1)
        invite.headers.append(.contact, contact.description)
        invite.setBody(sdp, type: "application/sdp")
        sightings.append(Sighting(isCaller: true, dialled: number))
        var call = Call(invite: invite, sighting: sightings.count - 1, hop: hop)
        // One in five gives up early; everybody some time.
        let patience = random.next() % 5 == 0 ? random.next() % 4_000 : 45_000
        call.next = (now + .milliseconds(Int64(patience)), .cancel)
        calls[id] = call
        send(id)
        settle()
    }

    private func send(_ id: String) {
        guard let call = calls[id], let client = layer.send(call.invite, to: call.hop, now: now, into: &effects) else { return over(id) }
        calls[id]?.client = client
        clientCalls[client] = id
    }

    private func take(_ response: SIPMessage, _ id: ClientTransactionID, _ hop: Hop) {
        if id == registration.id { return registered(response) }
        if let offer = offers[id] {
            guard response.isFinal else { return }
            offers[id] = nil
            guard response.isSuccess, let dialog = calls[offer.call]?.dialog else { return }
            layer.acknowledge(dialog.acknowledgement(of: offer.request, via: via()), of: id, to: hop, into: &effects)
            return
        }
        guard let key = clientCalls[id], var call = calls[key] else {
            // A 2xx that crossed our goodbye is acknowledged and taken down.
            guard response.cseq.method == .invite, response.isSuccess else { return }
            return takeDown(response, id, hop)
        }
        if response.cseq.method == .bye {
            if response.isFinal { over(key) }
            return
        }
        guard response.cseq.method == .invite, response.isFinal else { return }
        if response.isSuccess {
            guard let dialog = Dialog(calling: call.invite, response: response) else { return over(key) }
            layer.acknowledge(dialog.acknowledgement(of: call.invite, via: via()), of: id, to: hop, into: &effects)
            guard call.dialog == nil else { return }
            call.dialog = dialog
            call.hop = hop
            sightings[call.sighting].answeredAt = wall
            // The side that hangs up is drawn; the other does so much later, should it not hear of it.
            call.next = (now + .milliseconds(Int64(1_000 + random.next() % 25_000)), .hangUp)
            calls[key] = call
            plan(key)
        } else if response.status == 407, !call.hasAuthenticated, !call.isCancelled, let again = authenticated(call.invite, response, .proxyAuthorization) {
            call.invite = again
            call.invite.cseq.number += 1
            call.hasAuthenticated = true
            calls[key] = call
            send(key)
        } else {
            over(key)
        }
    }

    private func takeDown(_ response: SIPMessage, _ id: ClientTransactionID, _ hop: Hop) {
        guard let target = response.contact?.uri else { return }
        var invite = SIPMessage(
            .invite, target, via: via(), from: response.from, to: response.to, callID: response.callID, cseq: response.cseq.number)
        invite.to.tag = nil
        guard var dialog = Dialog(calling: invite, response: response) else { return }
        layer.acknowledge(dialog.acknowledgement(of: invite, via: via()), of: id, to: hop, into: &effects)
        _ = layer.send(dialog.request(.bye, via: via()), to: hop, now: now, into: &effects)
    }

    private func failed(_ id: ClientTransactionID) {
        if id == registration.id {
            registerAt = now + .seconds(2)
            isRegistered = false
        } else if let key = clientCalls[id] {
            over(key)
        }
    }

    // MARK: Being called

    private func take(_ request: SIPMessage, _ id: ServerTransactionID, _ hop: Hop) {
        switch request.method {
        case .invite where request.to.tag == nil: ring(request, id, hop)
        case .invite: refresh(request, id)
        case .bye:
            layer.respond(request.response(calls[request.callID] == nil ? 481 : 200), to: id, now: now, into: &effects)
            over(request.callID)
        default: layer.respond(request.response(200, toTag: "x"), to: id, now: now, into: &effects)
        }
    }

    private func ring(_ invite: SIPMessage, _ id: ServerTransactionID, _ hop: Hop) {
        let mood = random.next() % 20
        // One in twenty is as good as switched off.
        guard mood > 0 else { return }
        sightings.append(Sighting(isCaller: false, dialled: invite.requestURI?.user ?? ""))
        var call = Call(invite: invite, server: id, sighting: sightings.count - 1, hop: hop)
        call.dialog = Dialog(answering: invite, localTag: tag(invite.callID))
        var ringing = invite.response(180, toTag: tag(invite.callID))
        ringing.headers.append(.contact, contact.description)
        layer.respond(ringing, to: id, now: now, into: &effects)
        let after = Duration.milliseconds(Int64(200 + random.next() % 5_000))
        switch mood {
        case 1...3: call.next = (now + after, .busy)
        case 4: call.next = (now + after, .decline)
        case 5...6: call.next = (now + .seconds(60), .decline)  // nobody is there; phones stop ringing by themselves
        default: call.next = (now + after, .answer)
        }
        calls[invite.callID] = call
    }

    /// A re-INVITE: the answer is what it always is.
    private func refresh(_ request: SIPMessage, _ id: ServerTransactionID) {
        guard var call = calls[request.callID], call.dialog != nil, (try? call.dialog?.receive(request)) != nil else {
            layer.respond(request.response(481), to: id, now: now, into: &effects)
            return
        }
        calls[request.callID] = call
        call.server = id
        var ok = request.response(200)
        ok.headers.append(.contact, contact.description)
        ok.setBody(sdp, type: "application/sdp")
        layer.respond(ok, to: id, now: now, into: &effects)
    }

    /// What the person does while talking, if anything.
    private func plan(_ id: String) {
        guard holdsPermille + transfersPermille > 0 else { return }
        let mood = random.next() % 1_000
        let at = now + .milliseconds(Int64(500 + random.next() % 8_000))
        if mood < holdsPermille {
            calls[id]?.aside = (at, .hold)
        } else if mood < holdsPermille + transfersPermille {
            calls[id]?.aside = (at, .transfer)
        }
    }

    /// Within a dialog, to where its target is.
    private func send(_ method: Method, of id: String, _ fill: (inout SIPMessage) -> Void) -> (ClientTransactionID, SIPMessage)? {
        guard var dialog = calls[id]?.dialog, let call = calls[id] else { return nil }
        var request = dialog.request(method, via: via())
        calls[id]?.dialog = dialog
        request.headers.append(.contact, contact.description)
        fill(&request)
        let remote = SocketAddress("\(dialog.nextHop.host):\(dialog.nextHop.port ?? 5060)") ?? call.hop.remote
        return layer.send(request, to: Hop(listener: address, remote: remote), now: now, into: &effects).map { ($0, request) }
    }

    private func perform(_ deed: Deed, _ id: String) {
        guard var call = calls[id] else { return }
        switch deed {
        case .hold, .transfer: break
        case .answer, .busy, .decline, .cancel, .hangUp: call.next = nil
        }
        calls[id] = call
        switch deed {
        case .hold:
            let isHolding = !call.isHolding
            let body = sdp + (isHolding ? Array("a=sendonly\r\n".utf8) : [])
            guard let sent = send(.invite, of: id, { $0.setBody(body, type: "application/sdp") }) else { return }
            offers[sent.0] = (id, sent.1)
            calls[id]?.isHolding = isHolding
            if isHolding { calls[id]?.aside = (now + .milliseconds(Int64(500 + random.next() % 6_000)), .hold) }
        case .transfer:
            let number = random.next() % 3 == 0 ? "2092488700" : "\(1_000 + random.next() % 6)"
            _ = send(.refer, of: id) { $0.headers.append(.referTo, "<sip:\(number)@\(domain)>") }
        case .answer:
            guard let server = call.server else { return }
            var ok = call.invite.response(200, toTag: tag(id))
            ok.headers.append(.contact, contact.description)
            ok.setBody(sdp, type: "application/sdp")
            layer.respond(ok, to: server, now: now, into: &effects)
            calls[id]?.dialog?.confirm()
            sightings[call.sighting].answeredAt = wall
            calls[id]?.next = (now + .milliseconds(Int64(1_000 + random.next() % 30_000)), .hangUp)
            plan(id)
        case .busy, .decline:
            guard let server = call.server else { return }
            layer.respond(call.invite.response(deed == .busy ? 486 : 603, toTag: tag(id)), to: server, now: now, into: &effects)
            over(id)
        case .cancel:
            calls[id]?.isCancelled = true
            if let client = call.client, call.dialog == nil { layer.cancel(client, now: now, into: &effects) }
        case .hangUp:
            guard var dialog = call.dialog else { return over(id) }
            let bye = dialog.request(.bye, via: via())
            calls[id]?.dialog = dialog
            // In a dialog the target decides, not the listener that the call came by.
            let remote = SocketAddress("\(dialog.nextHop.host):\(dialog.nextHop.port ?? 5060)") ?? call.hop.remote
            guard let client = layer.send(bye, to: Hop(listener: address, remote: remote), now: now, into: &effects) else { return over(id) }
            clientCalls[client] = id
        }
    }

    private func over(_ id: String) {
        guard let call = calls.removeValue(forKey: id) else { return }
        sightings[call.sighting].isOver = true
        sightings[call.sighting].endedAt = wall
    }

    // MARK: Parts of messages

    private var hop: Hop { Hop(listener: address, remote: server) }
    private var contact: NameAddress { NameAddress(uri: URI(user: user, host: address.host.description, port: address.port)) }

    private func via() -> Via {
        Via(host: address.host.description, port: address.port, branch: "z9hG4bK\(name)\(random.next() % 1_000_000_000)")
    }

    private func tag(_ id: String) -> String { "\(name).\(id.utf8.reduce(UInt32(7)) { $0 &* 31 &+ UInt32($1) })" }

    private var sdp: [UInt8] {
        Array(
            """
            v=0\r\no=- 1 1 IN IP4 \(address.host)\r\ns=-\r\nc=IN IP4 \(address.host)\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n
            """.utf8)
    }
}
