package import Bus
package import DNS
package import Model
package import Primitives
package import SIP
import Foundation

/// A signal worker without I/O: registrar front, calls, and the way of each packet to the worker that owns it.
///
/// It holds nothing that another worker could not take over: calls are in the log, registrations in the control plane,
/// facts on their way in the outbox that the driver keeps on disk.
package struct SignalMachine: Sendable {
    package enum Input: Sendable {
        case datagram([UInt8], listener: SocketAddress, from: SocketAddress)
        /// By a connection.
        case message([UInt8], Hop)
        /// The connection is gone; `never`: there has not been one.
        case lost(Hop, never: Bool)
        /// Answer of the control plane or of a media worker.
        case answer(RequestID, [UInt8], from: String)
        /// Notice of a media worker.
        case notice([UInt8], from: String)
        case feed([UInt8])
        case relay([UInt8], from: String)
        /// The operating system could not deliver to that address.
        case unreachable(SocketAddress, listener: SocketAddress)
        /// The connection to a peer of the bus takes messages again.
        case writable(String)
        /// Facts that an earlier process of this worker had not got acknowledged.
        case remembered([Fact])
        case tick
        /// What DNS says.
        case resolved(DNSQuestion, DNSAnswer)
        /// No new calls; `isDrained` tells when the last one is over.
        case drain
    }

    package enum Effect: Sendable {
        case send([UInt8], listener: SocketAddress, to: SocketAddress)
        /// By a connection: the hop's own, or any to its peer.
        case stream([UInt8], Hop)
        /// Whoever is at the other end of the connection has shown a right password.
        case trusted(Hop)
        /// To `control`, or to the media worker of that name.
        case request(RequestID, [UInt8], to: String)
        case relay([UInt8], to: String)
        /// Connect to these; what is not among them has gone.
        case roster(Roster)
        /// Keep the fact on disk until it is forgotten.
        case keep(Fact)
        case forget(Fact)
        case note(SignalNote)
        /// Ask DNS; the answer is an input.
        case lookUp(DNSQuestion)
    }

    package let configuration: SignalConfiguration
    var kit: CallKit
    var calls = CallTable()
    var wakes = CallWakes()
    /// Fellows who have sent or been sent something by a connection that is here.
    var borrowers: [UInt64: Set<String>] = [:]
    /// Connections by which a right password was shown.
    var lines: Set<UInt64> = []
    var access: Access
    var ended = EndedCalls()
    var located = Located()
    var trunks = Trunks()
    var nats: NATFlows
    /// Registrations that are on their way to the control plane as soon as their time has come.
    var registering = GatheredRegistrations()
    var rates: SourceRates
    var feed = FeedGapDetector()
    var greeting = Greeting.away
    var nextWord = Instant.zero
    var heartbeat: Duration = .seconds(1)
    var isDraining = false
    /// The process stops: nothing is registered any more.
    var hasLeftRegistrars = false
    /// So that it is noted once, not each second.
    var isDeskSilent = false

    enum Greeting: Equatable, Sendable {
        case away
        case greeted
    }

    package init(_ configuration: SignalConfiguration, random: RandomSource) {
        self.configuration = configuration
        var random = random
        access = Access(secret: random.bytes(32), configuration)
        rates = SourceRates(configuration)
        nats = NATFlows(interval: configuration.natPing)
        kit = CallKit(configuration, random: random)
    }

    package var callCount: Int { calls.count }
    package var isGreeted: Bool { greeting == .greeted }
    package var isDrained: Bool { isDraining && calls.isEmpty && kit.outbox.count == 0 && !trunks.isLeaving }

    package var nextWake: Instant? {
        earliest(kit.transactions.nextWake, kit.requests.nextWake, wakes.first, nextWord, located.nextWake, kit.colleagues.nextWake, trunks.nextWake, nats.nextWake, kit.gathered.until, registering.until)
    }

    package mutating func handle(_ input: Input, now: Instant, wall: WallTime, into effects: inout [Effect]) {
        kit.now = now
        kit.wall = wall
        switch input {
        case .datagram(let bytes, let listener, let source):
            // Nobody else sends as we do to ourselves.
            guard listener != source else { break }
            if nats.count > 0 { nats.heard(source, now: now) }
            if STUNBinding.isSTUN(bytes) { return keepAlive(bytes, listener, source, &effects) }
            receive(bytes, on: Hop(listener: listener, remote: source), isRelayed: false)
        case .message(let bytes, let hop): receive(bytes, on: hop, isRelayed: false)
        case .lost(let hop, let never): lost(hop, never: never)
        case .answer(let id, let body, let peer): answer(id, body, from: peer)
        case .notice(let body, let peer): notice(body, from: peer)
        case .feed(let body): feed(body)
        case .relay(let body, let worker): relayed(body, from: worker)
        case .unreachable(let remote, let listener):
            unreachable(remote, listener)
            if listener == configuration.cluster { tellUnreachable(remote, listener) }
        case .writable(let peer): kit.requests.writable(peer, now: now, into: &kit.requestEffects)
        case .remembered(let facts): remember(facts)
        case .tick: break
        case .resolved(let question, let answer): resolved(question, answer)
        case .drain:
            isDraining = true
            leaveRegistrars()
        }
        tick()
        settle()
        trunks.settle()
        effects += kit.effects
        kit.effects.removeAll(keepingCapacity: true)
    }

    private mutating func tick() {
        if kit.now >= nextWord { speak() }
        kit.sendGatheredIfDue()
        if let until = registering.until, until <= kit.now { sendRegistrations() }
        if let due = kit.requests.nextWake, due <= kit.now { kit.requests.tick(kit.now, into: &kit.requestEffects) }
        kit.transactions.tick(now: kit.now, into: &kit.layer)
        located.expire(kit.now)
        expireColleagues()
        tickTrunks()
        pingNATs()
        for id in wakes.popDue(kit.now) { withCall(id) { call, kit in call.tick(&kit) } }
    }

    /// Carries out what the layers below have asked for, until nothing is left.
    private mutating func settle() {
        while !kit.loop.isEmpty || !kit.layer.isEmpty || !kit.requestEffects.isEmpty || !kit.refused.isEmpty {
            let loop = kit.loop
            kit.loop.removeAll(keepingCapacity: true)
            for (bytes, hop) in loop { receive(bytes, on: hop, isRelayed: false) }
            let layer = kit.layer
            kit.layer.removeAll(keepingCapacity: true)
            for effect in layer { carryOut(effect) }
            let requests = kit.requestEffects
            kit.requestEffects.removeAll(keepingCapacity: true)
            for effect in requests {
                switch effect {
                case .send(let id, let body, let peer): kit.effects.append(.request(id, body, to: peer))
                case .expired(_, let pending): unanswered(pending)
                }
            }
            let refused = kit.refused
            kit.refused.removeAll(keepingCapacity: true)
            for pending in refused { unanswered(pending) }
        }
    }

    /// Works on one call in place, and forgets it when it is over.
    mutating func withCall(_ id: CallID, _ body: (inout CallMachine, inout CallKit) -> Void) {
        let isOver = calls.update(id) { call in
            body(&call, &kit)
            guard call.stage != .over else {
                call.release(&kit)
                return true
            }
            wakes[id] = call.nextWake
            return false
        }
        guard isOver == true else { return }
        calls.remove(id)
        wakes[id] = nil
        ended.insert(id, now: kit.now)
    }

    private mutating func carryOut(_ effect: TransactionLayer.Effect) {
        switch effect {
        case .send(let bytes, let hop): kit.transmit(bytes, hop)
        case .request(let id, let request, let hop): self.request(request, id, on: hop)
        case .cancelled(let id, let cancel):
            guard let call = kit.serverOwners[id] else { return access.cancelled(id) }
            withCall(call) { call, kit in call.cancelled(id, by: cancel, &kit) }
        case .acknowledged(_, let ack, _):
            guard let mark = OwnerMark(tag: ack.to.tag), let side = calls.update(mark.call, { $0.side(of: ack) }) ?? nil else { return }
            withCall(mark.call) { call, kit in call.acknowledged(ack, from: side, &kit) }
        case .unacknowledged(let id):
            guard let call = kit.serverOwners.removeValue(forKey: id) ?? answeredCall(id) else { return }
            withCall(call) { call, kit in call.hangUp(.failed, &kit) }
        case .unreachable(let id):
            guard let call = kit.serverOwners[id] else { return access.cancelled(id) }
            withCall(call) { call, kit in call.unreachable(id, &kit) }
        case .response(let id, let response, let hop):
            if noticed(id, status: response.status) { return }
            if !kit.goodbyes.isEmpty { goodbyeAnswered(id, response) }
            if trunkResponse(response, of: id) { return }
            guard let call = kit.clientOwners[id], calls.contains(call) else { return takeDown(response, id, hop) }
            withCall(call) { call, kit in
                // An INVITE that began a dialog may be answered by a second phone, nothing else has another answer.
                if response.isFinal, !(response.isSuccess && response.cseq.method == .invite && call.hasBegun(by: id)) {
                    kit.clientOwners[id] = nil
                    call.clients.removeAll { $0 == id }
                }
                call.response(response, of: id, hop, &kit)
            }
        case .failed(let id, let failure):
            if noticed(id, status: 408) { return }
            kit.goodbyes[id] = nil
            kit.formerGateways[id] = nil
            if trunkFailed(id, failure) { return }
            guard let call = kit.clientOwners.removeValue(forKey: id) else { return }
            withCall(call) { call, kit in
                call.clients.removeAll { $0 == id }
                call.transactionFailed(id, failure, &kit)
            }
        case .stray(let response, let hop): stray(response, hop)
        case .refused(let response, let hop):
            kit.transmit(kit.completed(kit.addressed(response, by: hop), response.status == 482 ? .merged : nil).bytes, hop)
            if response.status != 481 { kit.note(.turnedAway(source: hop.remote, status: response.status)) }
        }
    }

    private func answeredCall(_ id: ServerTransactionID) -> CallID? {
        calls.ids { $0.servers.contains(id) }.first
    }

    /// A 2xx that is repeated to a call which was taken over: its ACK was lost with the worker that had sent it.
    private mutating func stray(_ response: SIPMessage, _ hop: Hop) {
        guard response.cseq.method == .invite, response.isSuccess, let mark = OwnerMark(branch: response.branch) else { return }
        guard calls.contains(mark.call) else { return takeDown(response, nil, hop) }
        withCall(mark.call) { call, kit in call.acknowledgeAgain(response, &kit) }
    }

    /// A 2xx for an INVITE whose call is over: the peer believes in a call, so it is taken down (RFC 3261 §13.2.2.4).
    ///
    /// - Parameter id: of the INVITE, if it was sent here. If it was not, anybody may have made the response up: what goes out is said
    ///   once and kept nowhere, and the peer asks for it again by repeating its 2xx.
    mutating func takeDown(_ response: SIPMessage, _ id: ClientTransactionID?, _ hop: Hop) {
        let gateway = id.flatMap { response.isFinal ? kit.formerGateways.removeValue(forKey: $0) : nil }
        guard response.cseq.method == .invite, response.isSuccess, let mark = OwnerMark(branch: response.branch),
            id != nil || !rates.isBanned(hop.remote, now: kit.now) && rates.admits(hop.remote, now: kit.now)
        else { return }
        let via = kit.via(mark.call)
        // Who says nothing of where it is called is called where it was.
        var response = response
        let target = response.contact?.uri ?? response.to.uri
        if response.contact == nil { response.headers[.contact] = NameAddress(uri: target).description }
        var invite = SIPMessage(.invite, target, via: via, from: response.from, to: response.to, callID: response.callID, cseq: response.cseq.number)
        invite.to.tag = nil
        guard var dialog = Dialog(calling: invite, response: response) else { return }
        kit.acknowledge(dialog.acknowledgement(of: invite, via: via), of: id, to: hop)
        let bye = dialog.request(.bye, via: kit.via(mark.call))
        guard id != nil else { return kit.transmit(kit.addressed(bye, by: hop).bytes, hop) }
        guard let transaction = kit.send(bye, to: hop, of: nil), let gateway else { return }
        kit.goodbyes[transaction] = Goodbye(call: mark.call, gateway: gateway, request: bye, hop: hop)
    }
}
