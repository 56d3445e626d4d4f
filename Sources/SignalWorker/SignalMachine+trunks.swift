import Bus
import DNS
import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// Registrations at carriers and probes of gateways: what the control plane has given to this worker.
extension SignalMachine {
    // MARK: The book

    mutating func take(_ book: GatewayBook) {
        var entries: [GatewayID: GatewayEntry] = [:]
        for entry in book.entries { if let id = GatewayID(entry.gatewayID) { entries[id] = entry } }
        trunks.entries = entries
        for number in trunks.registrations.keys.sorted() { review(number) }
        for id in trunks.probes.keys.sorted() {
            guard let probe = trunks.probes[id] else { continue }
            let entry = entries[id]
            let isSame = entry.map { $0.uri == probe.entry.uri && $0.ownName == probe.entry.ownName && $0.transport == probe.entry.transport && $0.probeSeconds == probe.entry.probeSeconds && $0.probeFailuresMax == probe.entry.probeFailuresMax }
            if isSame != true || entry?.worker != configuration.worker { trunks.probes[id] = nil }
        }
        for id in entries.keys.sorted() {
            guard let entry = entries[id], entry.worker == configuration.worker else { continue }
            if !entry.registrationUser.isEmpty, trunks.current(id) == nil, !hasLeftRegistrars { register(entry) }
            if entry.probeSeconds > 0, trunks.probes[id] == nil {
                let machine = ProbeMachine(
                    interval: .seconds(Int64(entry.probeSeconds)), failuresMax: Int(entry.probeFailuresMax), silence: configuration.gatewaySilence,
                    isInService: !entry.outOfService, now: kit.now)
                trunks.probes[id] = Trunks.Probe(entry: entry, machine: machine)
            }
        }
        lookAtNames()
        trunks.settle()
        tickTrunks()
    }

    /// Whether a registration is still ours, and as it was.
    private mutating func review(_ number: Int) {
        guard let registration = trunks.registrations[number], !registration.isLeaving, let id = GatewayID(registration.entry.gatewayID) else { return }
        let entry = trunks.entries[id]
        let isSame = entry?.registersLike(registration.entry) ?? false
        if isSame, entry?.worker == configuration.worker { return }
        // Who takes it over registers the same Contact, which must not be taken away under its hands.
        if isSame, place(of: registration.entry).isShared {
            trunks.registrations[number] = nil
            return
        }
        trunks.registrations[number]?.isLeaving = true
        drive(number, .leave)
    }

    private mutating func register(_ entry: GatewayEntry) {
        guard let registrar = entry.registrarURI else { return }
        // The carrier calls back by the transport that it is registered at by.
        let place = place(of: entry)
        var contact = URI(plainUser: entry.registrationUser, host: place.address.host.description, port: place.address.port)
        if place.transport != .udp { contact.parameters.set("transport", place.transport.name.lowercased()) }
        contact.parameters.set(Trunks.contactParameter, hex(Array(entry.gatewayID)))
        let machine = RegistrationMachine(
            uri: registrar.description, contact: contact, seconds: entry.registrationSeconds, rules: configuration.registrationRules, now: kit.now)
        trunks.registrations[trunks.nextRegistration] = Trunks.Registration(
            entry: entry, registrar: registrar, contact: contact, callID: hex(kit.random.bytes(16)), tag: hex(kit.random.bytes(6)), machine: machine)
        trunks.nextRegistration += 1
    }

    /// Where a registrar is told to call us, and whether other workers are called there as well.
    func place(of entry: GatewayEntry) -> (address: SocketAddress, transport: Transport, isShared: Bool) {
        let transport = entry.transport.transport
        if transport != .udp, let stream = configuration.streams.first(where: { $0.transport == transport }) {
            return (stream.address, transport, stream.isShared)
        }
        return (configuration.advertised, .udp, configuration.cluster != nil)
    }

    // MARK: Time and names

    mutating func tickTrunks() {
        guard let wake = trunks.nextWake, kit.now >= wake else { return }
        if let due = trunks.namesDue, kit.now >= due { lookAtNames() }
        for number in trunks.registrations.keys.sorted() where trunks.registrations[number]?.machine.nextWake.map({ kit.now >= $0 }) == true {
            drive(number, .tick)
        }
        for id in trunks.probes.keys.sorted() where trunks.probes[id].map({ kit.now >= $0.machine.nextWake }) == true {
            if trunks.probes[id]?.machine.isSilent(at: kit.now) == true { probeFailed(id, "no answer") } else { drive(id, .tick) }
        }
    }

    /// DNS has answered: whoever has waited goes on.
    mutating func resolved(_ question: DNSQuestion, _ answer: DNSAnswer) {
        kit.names.take(answer, to: question, now: kit.now)
        if let due = trunks.namesDue { trunks.namesDue = min(due, kit.now + Trunks.namesPause) }
        for number in trunks.registrations.keys.sorted() where trunks.registrations[number]?.order != nil && trunks.registrations[number]?.transaction == nil {
            sendRegister(number)
        }
        for id in trunks.probes.keys.sorted() where trunks.probes[id]?.isWaitingForName == true { sendOptions(id) }
        let waiting = kit.nameWaiters.sorted()
        kit.nameWaiters.removeAll()
        for id in waiting { withCall(id) { call, kit in call.namesFound(&kit) } }
    }

    /// Asks for what will soon be needed, and learns from where gateways call.
    private mutating func lookAtNames() {
        var places: [(gateway: GatewayID, address: SocketAddress, isRegistrar: Bool)] = []
        var isNamed = false
        for id in trunks.entries.keys.sorted() {
            guard let entry = trunks.entries[id] else { continue }
            var hosts: [(host: String, port: UInt32, isRegistrar: Bool)] = [(entry.host, entry.port, false)]
            if !entry.registrationUser.isEmpty, !entry.registrar.isEmpty, let registrar = entry.registrarURI {
                hosts.append((registrar.host, UInt32(registrar.port ?? 0), true))
            }
            for place in hosts {
                if SocketAddress.Host(place.host) == nil { isNamed = true }
                guard case .found(let addresses) = kit.addresses(of: place.host, port: place.port, by: entry.transport.transport, seed: 0) else { continue }
                places += addresses.map { (id, $0, place.isRegistrar) }
                if !place.isRegistrar, entry.profile == .teams { for address in addresses { kit.ownNames.learn(entry.ownName, towards: address.host) } }
            }
        }
        trunks.know(places)
        trunks.namesDue = isNamed ? kit.now + Trunks.namesInterval : nil
    }

    // MARK: Registrations

    mutating func drive(_ number: Int, _ input: RegistrationMachine.Input) {
        guard var registration = trunks.registrations[number] else { return }
        var effects: [RegistrationMachine.Effect] = []
        registration.machine.handle(input, now: kit.now, random: &kit.random, into: &effects)
        trunks.registrations[number] = registration
        for effect in effects {
            switch effect {
            case .send(let order):
                trunks.registrations[number]?.order = order
                trunks.registrations[number]?.transaction = nil
                sendRegister(number)
            case .ask(let realm, let isSHA256):
                var question = DeskRequest()
                question.gatewayChallenged.gatewayID = registration.entry.gatewayID
                question.gatewayChallenged.realm = realm
                question.gatewayChallenged.sha256 = isSHA256
                kit.ask(question, .registrarCredential(number))
            case .report: reportRegistration(number)
            case .over: trunks.registrations[number] = nil
            }
        }
    }

    private mutating func sendRegister(_ number: Int) {
        guard let registration = trunks.registrations[number], let order = registration.order else { return }
        var addresses: [SocketAddress]
        switch kit.addresses(of: registration.registrar.host, port: UInt32(registration.registrar.port ?? 0), by: registration.entry.transport.transport, seed: UInt64(number)) {
        case .found(let found): addresses = found
        case .waiting: return
        case .failed(let reason): return registerFailed(number, reason, hasOther: false)
        }
        // Where it is registered it is refreshed, as long as that one answers.
        if let target = registration.target, !registration.tried.contains(target), addresses.contains(target) { addresses = [target] }
        let target = addresses.first { !registration.tried.contains($0) } ?? addresses[0]
        var to = NameAddress(uri: URI(plainUser: registration.entry.registrationUser, host: registration.registrar.host))
        var from = to
        from.tag = registration.tag
        to.tag = nil
        var request = SIPMessage(
            .register, registration.registrar, via: trunkVia(registration.entry), from: from, to: to, callID: registration.callID, cseq: order.cseq)
        var contact = NameAddress(uri: registration.contact)
        contact.parameters.set("expires", String(order.seconds))
        request.headers.append(.contact, contact.description)
        request.headers.append(.expires, String(order.seconds))
        request.headers.append(.allow, CallMachine.allowed)
        request.headers.append(.userAgent, "Ledgerline")
        if let (status, credentials) = order.credentials {
            request.headers.append(status == 401 ? .authorization : .proxyAuthorization, credentials.description)
        }
        trunks.registrations[number]?.target = target
        guard let hop = hop(to: target, of: registration.entry, named: registration.registrar.host) else {
            return registerFailed(number, SignalMachine.speaksNot(registration.entry), hasOther: false)
        }
        guard let transaction = kit.send(request, to: hop, of: nil) else {
            return registerFailed(number, "too many transactions", hasOther: false)
        }
        trunks.registrations[number]?.transaction = transaction
        trunks.owners[transaction] = .registration(number)
    }

    private mutating func registerFailed(_ number: Int, _ reason: String, hasOther: Bool) {
        trunks.registrations[number]?.order = nil
        trunks.registrations[number]?.transaction = nil
        drive(number, .failed(reason: reason, hasOther: hasOther))
    }

    private mutating func reportRegistration(_ number: Int) {
        guard let registration = trunks.registrations[number], let id = GatewayID(registration.entry.gatewayID) else { return }
        let machine = registration.machine
        // One that leaves is nobody's state, once another has begun.
        if registration.isLeaving, trunks.entries[id]?.registrationUser.isEmpty == false { return }
        var request = DeskRequest()
        request.gatewayReport.gatewayID = registration.entry.gatewayID
        request.gatewayReport.registration = .with {
            $0.state = machine.state
            if let until = machine.until, machine.state == .registered { $0.until = (kit.wall + (until - kit.now)).microseconds }
            $0.sipStatus = UInt32(machine.lastStatus)
            $0.reason = machine.lastReason
            $0.answeredAt = registration.answeredAt?.microseconds ?? 0
            $0.target = registration.target?.description ?? ""
        }
        kit.ask(request, .gatewayReport(id, isProbe: false))
    }

    mutating func registrarCredential(_ number: Int, _ credential: GatewayCredential?) {
        guard let credential, !credential.username.isEmpty else { return drive(number, .noCredential) }
        drive(number, .credential(username: credential.username, ha1: Array(credential.ha1)))
    }

    // MARK: Probes

    private mutating func drive(_ id: GatewayID, _ input: ProbeMachine.Input) {
        guard var probe = trunks.probes[id] else { return }
        var effects: [ProbeMachine.Effect] = []
        probe.machine.handle(input, now: kit.now, into: &effects)
        trunks.probes[id] = probe
        for effect in effects {
            switch effect {
            case .send:
                if case .tick = input { trunks.probes[id]?.tried = [] }
                sendOptions(id)
            case .report: reportProbe(id)
            }
        }
    }

    private mutating func sendOptions(_ id: GatewayID) {
        guard let probe = trunks.probes[id], let uri = probe.entry.uri else { return }
        trunks.probes[id]?.isWaitingForName = false
        let addresses: [SocketAddress]
        switch kit.addresses(of: uri.host, port: probe.entry.port, by: probe.entry.transport.transport, seed: 0) {
        case .found(let found): addresses = found
        case .waiting:
            trunks.probes[id]?.isWaitingForName = true
            return
        case .failed(let reason): return drive(id, .failed(reason: reason, hasOther: false))
        }
        let target = addresses.first { !probe.tried.contains($0) } ?? addresses[0]
        let (own, contact) = identity(towards: probe.entry)
        let from = NameAddress(uri: own, tag: hex(kit.random.bytes(6)))
        var request = SIPMessage(
            .options, uri, via: trunkVia(probe.entry), from: from, to: NameAddress(uri: uri), callID: hex(kit.random.bytes(16)), cseq: 1)
        request.headers.append(.contact, contact.description)
        request.headers.append(.accept, "application/sdp")
        request.headers.append(.userAgent, "Ledgerline")
        trunks.probes[id]?.target = target
        guard let hop = hop(to: target, of: probe.entry, named: uri.host) else {
            return drive(id, .failed(reason: SignalMachine.speaksNot(probe.entry), hasOther: false))
        }
        guard let transaction = kit.send(request, to: hop, of: nil) else {
            return drive(id, .failed(reason: "too many transactions", hasOther: false))
        }
        trunks.probes[id]?.transaction = transaction
        trunks.owners[transaction] = .probe(id)
    }

    private mutating func probeFailed(_ id: GatewayID, _ reason: String) {
        guard let probe = trunks.probes[id] else { return }
        var tried = probe.tried
        let more = hasOther(probe.target, &tried, probe.entry.host, probe.entry.port, probe.entry.transport.transport)
        trunks.probes[id]?.tried = tried
        trunks.probes[id]?.isWaitingForName = false
        drive(id, .failed(reason: reason, hasOther: more))
    }

    private mutating func reportProbe(_ id: GatewayID) {
        guard let probe = trunks.probes[id] else { return }
        var request = DeskRequest()
        request.gatewayReport.gatewayID = id.data
        request.gatewayReport.probe = .with {
            $0.inService = probe.machine.isInService
            $0.sipStatus = UInt32(probe.machine.lastStatus)
            $0.reason = probe.machine.lastReason
            $0.answeredAt = probe.answeredAt?.microseconds ?? 0
        }
        kit.ask(request, .gatewayReport(id, isProbe: true))
    }

    // MARK: Both

    private func hop(to target: SocketAddress, of entry: GatewayEntry, named host: String) -> Hop? {
        configuration.hop(to: target, by: entry.transport.transport, name: SocketAddress.Host(host) == nil ? host : nil)
    }

    private static func speaksNot(_ entry: GatewayEntry) -> String { "this worker has no listener for \(entry.transport.transport.name)" }

    /// A Via that leads answers back to this worker; the gateway's id stands where a call's would.
    private mutating func trunkVia(_ entry: GatewayEntry) -> Via {
        let id = UUIDv7(bytes: entry.gatewayID) ?? UUIDv7(high: 0, low: 0)
        return kit.via(CallID(id))
    }

    /// - Returns: whether it was one of theirs.
    mutating func trunkResponse(_ response: SIPMessage, of transaction: ClientTransactionID) -> Bool {
        guard let owner = trunks.owners[transaction] else { return false }
        guard response.isFinal else { return true }
        trunks.owners[transaction] = nil
        switch owner {
        case .registration(let number):
            guard trunks.registrations[number]?.transaction == transaction else { return true }
            trunks.registrations[number]?.answeredAt = kit.wall
            if response.status == 503, let registration = trunks.registrations[number] {
                // Another server of the same name may do better (RFC 3263 §4.3).
                var tried = registration.tried
                let more = hasOther(registration.target, &tried, registration.registrar.host, UInt32(registration.registrar.port ?? 0), registration.entry.transport.transport)
                // All have failed: the next round begins with the first again.
                trunks.registrations[number]?.tried = more ? tried : []
                if more {
                    registerFailed(number, "503 \(response.reason)", hasOther: true)
                    return true
                }
            }
            if let target = trunks.registrations[number]?.target, response.status != 503 {
                kit.names.forgive(target)
                trunks.registrations[number]?.tried = []
            }
            trunks.registrations[number]?.order = nil
            trunks.registrations[number]?.transaction = nil
            drive(number, .response(response))
        case .probe(let id):
            guard trunks.probes[id] != nil else { return true }
            trunks.probes[id]?.answeredAt = kit.wall
            // As good as silence, if another server of the name may do better (RFC 3263 §4.3).
            if [408, 502, 503, 504].contains(response.status), let probe = trunks.probes[id] {
                var tried = probe.tried
                if hasOther(probe.target, &tried, probe.entry.host, probe.entry.port, probe.entry.transport.transport) {
                    probeFailed(id, "\(response.status) \(response.reason)")
                    return true
                }
            }
            if let target = trunks.probes[id]?.target, response.status < 500 { kit.names.forgive(target) }
            drive(id, .response(status: response.status, reason: response.reason))
        }
        return true
    }

    mutating func trunkFailed(_ transaction: ClientTransactionID, _ failure: TransactionLayer.Failure) -> Bool {
        guard let owner = trunks.owners.removeValue(forKey: transaction) else { return false }
        let reason = failure == .timeout ? "no answer" : "unreachable"
        switch owner {
        case .registration(let number):
            guard let registration = trunks.registrations[number], registration.transaction == transaction else { return true }
            var tried = registration.tried
            let more = hasOther(registration.target, &tried, registration.registrar.host, UInt32(registration.registrar.port ?? 0), registration.entry.transport.transport)
            // All have failed: the next round begins with the first again.
            trunks.registrations[number]?.tried = more ? tried : []
            registerFailed(number, reason, hasOther: more)
        case .probe(let id):
            guard trunks.probes[id]?.transaction == transaction else { return true }
            probeFailed(id, reason)
        }
        return true
    }

    /// Whether a host has another server to be tried after one that has failed.
    private mutating func hasOther(
        _ failed: SocketAddress?, _ tried: inout Set<SocketAddress>, _ host: String, _ port: UInt32, _ transport: Transport
    ) -> Bool {
        if let failed {
            tried.insert(failed)
            kit.names.penalise(failed, now: kit.now)
        }
        guard case .found(let addresses) = kit.addresses(of: host, port: port, by: transport, seed: 0) else { return false }
        return addresses.contains { !tried.contains($0) }
    }

    // MARK: What the control plane is told

    /// Everything, to a control plane that may know nothing.
    mutating func reportTrunks() {
        for number in trunks.registrations.keys.sorted() where trunks.registrations[number]?.machine.state != RegistrationState.none { reportRegistration(number) }
        for id in trunks.probes.keys.sorted() where trunks.probes[id]?.answeredAt != nil { reportProbe(id) }
    }

    /// Nobody has heard it.
    mutating func reportAgain(_ id: GatewayID, isProbe: Bool) {
        if isProbe { return reportProbe(id) }
        if let number = trunks.current(id) { reportRegistration(number) }
    }
}
