import ArgumentParser
import Bus
import Foundation
import Model
import Primitives
import SIP
import SignalWorker
import SwiftProtobuf

struct SignalGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal", abstract: "Calls and registrations carried by a signal worker's machine.",
        discussion: "Example: ledgerline-bench signal")

    /// What a call between two lines costs a signal worker, without the kernel and the bus's own threads: challenge, digest, plan,
    /// media session, ringing, answer, a second later the end; 500 calls at a time, 500 a second, and what a transaction keeps after
    /// its end is kept as long as it must be.
    @Option(help: "Calls that are measured, after half as many; few where each instruction is counted; 0: none.") var calls = 8_000

    /// What a registration costs there: REGISTER, challenge, REGISTER with digest, the control plane's answer; a thousand a second of two hundred
    /// lines, as many of them in one question to the control plane as come in its time.
    @Option(help: "Registrations that are measured, after half as many; 0: none.") var registrations = 32_000

    func validate() throws {
        guard calls >= 0, registrations >= 0 else { throw ValidationError("--calls and --registrations are how many are measured: 0 or more.") }
    }

    mutating func run() throws {
        if calls > 0 {
            let (time, inputs) = try measure(calls) { try $0.step() }
            Figure(name: "signal.call", value: time, unit: "µs").print()
            Figure(name: "signal.call_inputs", value: inputs, unit: "inputs").print()
        }
        if registrations > 0 {
            let (time, inputs) = try measure(registrations) { try $0.register() }
            Figure(name: "signal.register", value: time, unit: "µs").print()
            Figure(name: "signal.register_inputs", value: inputs, unit: "inputs").print()
        }
    }

    /// Microseconds and inputs of the machine for each of so many.
    private func measure(_ count: Int, _ step: (inout SignalBench) throws -> Void) throws -> (time: Double, inputs: Double) {
        var bench = SignalBench()
        for _ in 0..<count / 2 { try step(&bench) }
        bench.reset()
        for _ in 0..<count { try step(&bench) }
        return (bench.time.inMicroseconds / Double(count), Double(bench.inputs) / Double(count))
    }
}

/// A machine between two phones, a desk and a studio that answer at once.
private struct SignalBench {
    private static let own = SocketAddress.loopback(5_060)
    private static let caller = SocketAddress.loopback(6_000)
    private static let called = SocketAddress.loopback(6_001)
    private static let domain = "bench.test"
    private static let body = Array(
        [
            "v=0", "o=- 53655765 2353687637 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
            "m=audio 40376 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv", "",
        ].joined(separator: "\r\n").utf8)

    private var machine: SignalMachine
    private var now = Instant.zero
    private var wall = WallTime(microseconds: 1_700_000_000_000_000)
    private var effects: [SignalMachine.Effect] = []
    private var queue: [SignalMachine.Input] = []
    private let ha1: [UInt8]
    private let ha1SHA256: [UInt8]
    private var number = 0
    /// The dialogs of calls that go on, oldest first.
    private var talking: [Int: Dialog] = [:]
    private var invites: [String: SIPMessage] = [:]
    private(set) var time = Duration.zero
    private(set) var inputs = 0

    init() {
        var configuration = SignalConfiguration(worker: "w1", listeners: [Self.own], cluster: nil, busEndpoint: "tcp://127.0.0.1:1", incarnation: 7)
        // As a worker does that is not told otherwise.
        configuration.registrationsGathered = .milliseconds(20)
        // All calls are of one line and one address, and none is to be refused for that.
        configuration.lineRate = 1_000_000
        configuration.lineBurst = 1_000_000
        configuration.sourceRate = 1_000_000
        configuration.sourceBurst = 1_000_000
        machine = SignalMachine(configuration, random: RandomSource(seed: 7))
        ha1 = DigestAlgorithm.md5.ha1(username: "alice", realm: Self.domain, password: "secret")
        ha1SHA256 = DigestAlgorithm.sha256.ha1(username: "alice", realm: Self.domain, password: "secret")
        queue.append(.tick)
    }

    mutating func reset() {
        time = .zero
        inputs = 0
    }

    /// One call begins, one ends.
    mutating func step() throws {
        now = now + .milliseconds(2)
        wall = WallTime(microseconds: wall.microseconds + 2_000)
        number += 1
        let invite = request(.invite, number)
        invites[invite.callID] = invite
        queue.append(.datagram(invite.bytes, listener: Self.own, from: Self.caller))
        if var dialog = talking.removeValue(forKey: number - 500) {
            let bye = dialog.request(.bye, via: via(number - 500, "bye"))
            queue.append(.datagram(bye.bytes, listener: Self.own, from: Self.caller))
        }
        try settle()
    }

    /// One line registers; the answer of the one before may still be under way.
    mutating func register() throws {
        now = now + .milliseconds(1)
        wall = WallTime(microseconds: wall.microseconds + 1_000)
        number += 1
        let line = NameAddress(uri: URI(user: "u\(number % 200)", host: Self.domain))
        var from = line
        from.tag = "r\(number)"
        var request = SIPMessage(
            .register, URI(host: Self.domain), via: via(number, "first"), from: from, to: line, callID: "register-\(number)@127.0.0.1", cseq: 1)
        request.headers.append(.contact, "<sip:u\(number % 200)@\(Self.caller)>")
        request.headers.append(.expires, "3600")
        request.headers.append(.userAgent, "bench")
        invites[request.callID] = request
        send(request)
        try settle()
    }

    private mutating func settle() throws {
        queue.append(.tick)
        while !queue.isEmpty {
            let batch = queue
            queue.removeAll(keepingCapacity: true)
            for input in batch {
                effects.removeAll(keepingCapacity: true)
                let before = threadCPU()
                machine.handle(input, now: now, wall: wall, into: &effects)
                time += threadCPU() - before
                inputs += 1
                for effect in effects { try carryOut(effect) }
            }
        }
    }

    private mutating func carryOut(_ effect: SignalMachine.Effect) throws {
        switch effect {
        case .send(let bytes, _, let remote):
            let message = try SIPMessage(parsing: bytes)
            remote == Self.called ? hearCalled(message) : try hearCaller(message)
        case .request(let id, let body, let peer):
            let reply: any Message = peer == "control" ? answer(try DeskRequest(serializedBytes: body)) : answer(try StudioRequest(serializedBytes: body))
            queue.append(.answer(id, try reply.serializedBytes(), from: peer))
        case .stream, .trusted, .relay, .roster, .keep, .forget, .note, .lookUp: break
        }
    }

    // MARK: Phones

    private mutating func hearCaller(_ message: SIPMessage) throws {
        guard !message.isRequest, message.isFinal else { return }
        if message.cseq.method == .register { return try hearRegistered(message) }
        guard message.cseq.method == .invite, var invite = invites[message.callID] else { return }
        if message.status == 407 {
            guard let challenge = DigestChallenge.all(in: message).first(where: { $0.algorithm == .md5 }) else { return }
            send(invite.acknowledgement(of: message))
            invite.cseq.number += 1
            invite.vias = [via(number, "again")]
            let credentials = DigestCredentials(
                answering: challenge, username: "alice", ha1: ha1, method: .invite, uri: invite.requestURI?.description ?? "", cnonce: "c", nc: 1)
            invite.headers.append(.proxyAuthorization, credentials.description)
            invites[invite.callID] = invite
            send(invite)
        } else {
            guard message.isSuccess, let dialog = Dialog(calling: invite, response: message) else {
                throw Failure("a call that ends with \(message.status)")
            }
            send(dialog.acknowledgement(of: invite, via: via(number, "ack")))
            invites[invite.callID] = nil
            talking[number] = dialog
        }
    }

    private mutating func hearRegistered(_ message: SIPMessage) throws {
        guard var request = invites.removeValue(forKey: message.callID) else { return }
        if message.isSuccess { return }
        guard message.status == 401, let challenge = DigestChallenge.all(in: message).first(where: { $0.algorithm == .md5 }) else {
            throw Failure("a registration that ends with \(message.status)")
        }
        request.cseq.number += 1
        request.vias = [via(number, "again")]
        let credentials = DigestCredentials(
            answering: challenge, username: request.to.uri.user ?? "", ha1: ha1, method: .register, uri: request.requestURI?.description ?? "", cnonce: "c", nc: 1)
        request.headers.append(.authorization, credentials.description)
        invites[request.callID] = request
        send(request)
    }

    private mutating func hearCalled(_ message: SIPMessage) {
        switch message.method {
        case .invite:
            for status in [180, 200] {
                var response = message.response(status, toTag: "b\(number)")
                response.headers.append(.contact, "<sip:bob@\(Self.called)>")
                if status == 200 { response.setBody(Self.body, type: "application/sdp") }
                send(response, from: Self.called)
            }
        case .bye: send(message.response(200), from: Self.called)
        default: break
        }
    }

    private mutating func send(_ message: SIPMessage, from source: SocketAddress = caller) {
        queue.append(.datagram(message.bytes, listener: Self.own, from: source))
    }

    private func via(_ number: Int, _ part: String) -> Via {
        Via(host: "127.0.0.1", port: Self.caller.port, branch: "z9hG4bK-\(number)-\(part)")
    }

    private func request(_ method: Method, _ number: Int) -> SIPMessage {
        var request = SIPMessage(
            method, URI(user: "bob", host: Self.domain), via: via(number, "first"),
            from: NameAddress(uri: URI(user: "alice", host: Self.domain), tag: "a\(number)"), to: NameAddress(uri: URI(user: "bob", host: Self.domain)),
            callID: "call-\(number)", cseq: 1)
        request.headers.append(.contact, "<sip:alice@\(Self.caller)>")
        request.headers.append(.userAgent, "bench")
        request.setBody(Self.body, type: "application/sdp")
        return request
    }

    // MARK: Desk and studio

    private func answer(_ request: DeskRequest) -> DeskReply {
        var reply = DeskReply()
        switch request.kind {
        case .hello:
            reply.welcome.heartbeatMs = 1_000
            var media = RosterEntry()
            media.worker = "m1"
            media.kind = .media
            reply.welcome.roster.workers = [media]
        case .heartbeat: reply.heartbeat.feedNumber = 0
        case .credential:
            reply.credential.found = true
            reply.credential.subscriberID = Data(UUIDv7(high: 1, low: 1).bytes)
            reply.credential.tenantID = Data(UUIDv7(high: 1, low: 2).bytes)
            reply.credential.credential.ha1Md5 = Data(ha1)
            reply.credential.credential.ha1Sha256 = Data(ha1SHA256)
        case .source: reply.source.logPosition = 1
        case .bind(let bind): reply.bind = answer(bind)
        case .bindBatch(let batch):
            reply.bindBatch.replies = batch.binds.map(answer)
            reply.bindBatch.logPosition = 1
        case .startCall:
            var target = Target()
            target.contact.subscriberID = Data(UUIDv7(high: 1, low: 3).bytes)
            target.contact.tenantID = Data(UUIDv7(high: 1, low: 2).bytes)
            target.contact.domain = Self.domain
            target.contact.uri = "sip:bob@\(Self.called)"
            target.contact.flow.worker = "w1"
            target.contact.flow.listener = Self.own.description
            target.contact.flow.remote = Self.called.description
            target.timeoutSeconds = 20
            reply.callPlan.groups = [.with { $0.targets = [target] }]
            reply.callPlan.callerNumber = "1000"
            reply.callPlan.logPosition = 1
        case .locateCall: reply.callLocated.found = false
        default: reply.recorded.logPosition = 1
        }
        return reply
    }

    private func answer(_ bind: BindContacts) -> BindReply {
        .with {
            $0.bindings = bind.bindings
            $0.logPosition = 1
        }
    }

    private func answer(_ request: StudioRequest) -> StudioReply {
        var reply = StudioReply()
        switch request.kind {
        case .open, .change:
            reply.opened.address = "127.0.0.1"
            reply.opened.portA = 30_000
            reply.opened.portB = 30_002
        default: reply.closed.report.mediaWorker = "m1"
        }
        return reply
    }
}
