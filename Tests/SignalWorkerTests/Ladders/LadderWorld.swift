import Bus
import DNS
import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

@testable import SignalWorker

/// Real workers between a fake desk, fake studios and fake phones. Messages take no time; time passes when a ladder says so.
struct LadderWorld {
    private(set) var workers: [String: SignalMachine] = [:]
    private var desk: FakeDesk
    private var studios: [String: FakeStudio] = [:]
    private var phones: [String: FakePhone] = [:]
    /// Facts that each worker's driver keeps.
    private var kept: [String: [Fact]] = [:]
    private var said: [Said] = []
    private var failures: [String] = []
    private var asked: Set<RequestID> = []
    private var deliveries: [Delivery] = []
    private let showsLookups: Bool
    private let isClustered: Bool
    /// Of each name that DNS knows, its servers, the most wanted first; of one that DNS is silent about, none.
    private let names: [String: [String]]
    private var starts: UInt64 = 0
    /// Nanoseconds since the start.
    private(set) var elapsed = 0

    private enum Delivery {
        case input(SignalMachine.Input, to: String)
    }

    init(_ ladder: Ladder) {
        desk = FakeDesk(ladder)
        showsLookups = ladder.setting("show")?.contains("lookups") == true
        isClustered = ladder.setting("cluster") != nil
        names = Dictionary(uniqueKeysWithValues: ladder.settings.filter { $0[0] == "dns" }.map { ($0[1], Array($0.dropFirst(2))) })
        for (name, address) in Addresses.phones.merging(Addresses.gateways, uniquingKeysWith: { $1 }) {
            phones[name] = FakePhone(name, address)
        }
        if let change = ladder.setting("contact") {
            phones[change[0]]?.contactAddress =
                SocketAddress(change[1]) ?? Addresses.phones[change[1]] ?? Addresses.gateways[change[1]] ?? Addresses.cluster
        }
        if let name = ladder.setting("wrong-password") { phones[name[0]]?.password = "guess" }
        for name in Addresses.studios {
            studios[name] = FakeStudio(name)
            if let mood = ladder.settings.first(where: { $0[0] == name }) { studios[name]?.mood = FakeStudio.Mood(rawValue: mood[1]) ?? .usual }
        }
        let names = ladder.setting("workers") ?? ["w1"]
        for name in names { desk.roster.workers.append(row(name, .signal)) }
        for name in ladder.setting("studios") ?? ["m1"] { desk.roster.workers.append(row(name, .media)) }
        for name in names { start(name, ladder) }
        if let mood = ladder.setting("desk") { desk.mood = FakeDesk.Mood(rawValue: mood[0]) ?? .usual }
        said = []
    }

    private func row(_ name: String, _ kind: WorkerKind) -> RosterEntry {
        var row = RosterEntry()
        row.worker = name
        row.kind = kind
        row.incarnation = Data([1])
        return row
    }

    private mutating func start(_ name: String, _ ladder: Ladder? = nil) {
        starts += 1
        asked = []
        let listener = Addresses.workers[name].map { [$0] } ?? []
        var configuration = SignalConfiguration(
            worker: name, listeners: listener, cluster: isClustered ? Addresses.cluster : nil, busEndpoint: "tcp://\(name)",
            incarnation: starts)
        if let limit = ladder?.setting("wrong-passwords-max") { configuration.wrongPasswordsMax = Int(limit[0]) ?? 0 }
        if let wait = ladder?.setting("facts-gathered") { configuration.factsGathered = .milliseconds(Int64(wait[0]) ?? 0) }
        if let wait = ladder?.setting("registrations-gathered") { configuration.registrationsGathered = .milliseconds(Int64(wait[0]) ?? 0) }
        workers[name] = SignalMachine(configuration, random: RandomSource(seed: starts))
        if let facts = kept[name], !facts.isEmpty { handle(.remembered(facts), name) }
        handle(.tick, name)
        settle()
    }

    // MARK: time

    private var now: Instant { Instant(nanoseconds: 1_000_000_000 + UInt64(elapsed)) }
    private var wall: WallTime { WallTime(microseconds: 1_800_000_000_000_000 + Int64(elapsed) / 1_000) }

    mutating func run(until time: Int) {
        var turns = 0
        while let (name, wake) = next(), wake.nanoseconds <= 1_000_000_000 + UInt64(time) {
            turns += 1
            guard turns < 100_000 else { return failures.append("\(name) wakes without end") }
            elapsed = max(elapsed, Int(wake.nanoseconds) - 1_000_000_000)
            handle(.tick, name)
            settle()
        }
        elapsed = max(elapsed, time)
    }

    private func next() -> (String, Instant)? {
        workers.compactMap { name, machine in machine.nextWake.map { (name, $0) } }.min { ($0.1, $0.0) < ($1.1, $1.0) }
    }

    // MARK: what others do

    mutating func act(_ step: Ladder.Step) {
        switch step.from {
        case "kill":
            workers[step.to] = nil
            desk.roster.workers.removeAll { $0.worker == step.to }
        case "driver": start(step.to)
        case "desk": desk(step)
        case "network": network(step)
        case let studio where studios[studio] != nil: notice(studio, step)
        case let peer: speak(peer, step)
        }
        settle()
    }

    private mutating func speak(_ name: String, _ step: Ladder.Step) {
        // `replaces=carol`: the dialog that carol is in.
        let words = step.words.map { word in
            guard word.hasPrefix("replaces="), let other = phones[String(word.dropFirst(9))] else { return word }
            return "replaces=" + other.replaces
        }
        do {
            guard let (bytes, listener) = try phones[name]?.say(words), let source = phones[name]?.address else {
                return failures.append("nobody is called \(name)")
            }
            deliver(bytes, from: source, to: step.to, by: listener, step.words)
        } catch let mute as FakePhone.Mute {
            failures.append(mute.text)
        } catch {
            failures.append("\(error)")
        }
    }

    /// By the address that a request came from, the one that is named, or the worker's own.
    private mutating func deliver(_ bytes: [UInt8], from source: SocketAddress, to worker: String, by listener: SocketAddress?, _ words: [String]) {
        let own = Addresses.workers[worker] ?? Addresses.cluster
        let address = words.contains("by=cluster") ? Addresses.cluster : listener ?? own
        handle(.datagram(bytes, listener: address, from: source), worker)
    }

    private mutating func desk(_ step: Ladder.Step) {
        var message: FeedMessage?
        switch step.words[0] {
        case "Roster":
            desk.roster.workers.removeAll { step.words.contains("-" + $0.worker) }
            for name in step.words.dropFirst() where studios[name] != nil { desk.roster.workers.append(row(name, .media)) }
            let roster = desk.roster
            message = desk.feed { $0.roster = roster }
        case "AdoptCall": message = desk.adopt(by: step.words[1])
        case "HangUp":
            let call = desk.lastCall
            message = desk.feed { message in
                message.hangUp.worker = step.words[1]
                message.hangUp.callID = call
            }
        case "Drain": message = desk.feed { $0.drain.worker = step.words[1] }
        case "Mood": desk.mood = FakeDesk.Mood(rawValue: step.words[1]) ?? .usual
        default: failures.append("the desk does not know \(step.words[0])")
        }
        guard let message, let bytes: [UInt8] = try? message.serializedBytes() else { return }
        for name in workers.keys.sorted() { handle(.feed(bytes), name) }
    }

    private mutating func network(_ step: Ladder.Step) {
        guard step.words[0] == "unreachable", let peer = phones[step.words[1]] else {
            return failures.append("the network does not know \(step.words[0])")
        }
        let listener = isClustered ? Addresses.cluster : Addresses.workers[step.to] ?? Addresses.cluster
        handle(.unreachable(peer.address, listener: listener), step.to)
    }

    private mutating func notice(_ studio: String, _ step: Ladder.Step) {
        var notice = StudioNotice()
        notice.sessionID = studios[studio]?.session ?? Data()
        notice.kind = step.words[0] == "Lost" ? .lost : step.words[0] == "Refused" ? .refused : .silent
        notice.report.a.lastPacketAt = wall.microseconds - 60_000_000
        guard let bytes: [UInt8] = try? notice.serializedBytes() else { return }
        handle(.notice(bytes, from: studio), step.to)
    }

    // MARK: what workers do

    private mutating func handle(_ input: SignalMachine.Input, _ name: String) {
        var effects: [SignalMachine.Effect] = []
        let (now, wall) = (now, wall)
        workers[name]?.handle(input, now: now, wall: wall, into: &effects)
        for effect in effects { carryOut(effect, name) }
    }

    private mutating func settle() {
        var turns = 0
        while !deliveries.isEmpty {
            turns += 1
            guard turns < 10_000 else { return failures.append("messages go round without end") }
            switch deliveries.removeFirst() {
            case .input(let input, let name): handle(input, name)
            }
        }
    }

    private mutating func carryOut(_ effect: SignalMachine.Effect, _ name: String) {
        switch effect {
        case .send(let bytes, let listener, let address): send(bytes, listener, address, name)
        case .request(let id, let body, let peer): request(id, body, peer, name)
        case .relay(let body, let worker):
            guard let message = try? RelayMessage(serializedBytes: body) else { return failures.append("a relay message is broken") }
            record(name, worker, "Relay", Telling.facts(of: message))
            if workers[worker] != nil { deliveries.append(.input(.relay(body, from: name), to: worker)) }
        case .keep(let fact): kept[name, default: []].append(fact)
        case .forget(let fact): kept[name]?.removeAll { $0.id == fact.id }
        case .lookUp(let question): if let answer = answer(question) { deliveries.append(.input(.resolved(question, answer), to: name)) }
        case .roster, .note, .stream, .trusted: break
        }
    }

    /// `dns carrier.test gw1 gw2`: two servers, gw1 first. nil: DNS says nothing.
    private func answer(_ question: DNSQuestion) -> DNSAnswer? {
        let host = question.name.replacing("_sip._udp.", with: "")
        if let servers = names[host], servers.isEmpty { return nil }
        switch question.type {
        case .srv:
            guard let servers = names[host] else { return .absent(seconds: 30) }
            let records = servers.enumerated().map { index, server in
                DNSRecord.server(priority: UInt16(index), weight: 0, port: Addresses.gateways[server]?.port ?? 0, target: server)
            }
            return .records(records, seconds: 60)
        case .a: return Addresses.gateways[host].map { .records([.address($0.host)], seconds: 60) } ?? .absent(seconds: 30)
        case .aaaa, .naptr: return .absent(seconds: 30)
        }
    }

    private mutating func send(_ bytes: [UInt8], _ listener: SocketAddress, _ address: SocketAddress, _ name: String) {
        guard let peer = Addresses.peer(at: address) else { return failures.append("\(name) sends to nobody, \(address)") }
        guard let message = try? SIPMessage(parsing: bytes) else { return failures.append("\(name) sends what is no message") }
        if listener != Addresses.workers[name], listener != Addresses.cluster || !isClustered {
            failures.append("\(name) sends by \(listener), which it does not have")
        }
        let answers = phones[peer]?.hear(message, by: listener, answersChallenges: !showsLookups)
        if let answers, let source = phones[peer]?.address {
            for answer in answers { deliveries.append(.input(.datagram(answer, listener: listener, from: source), to: name)) }
            return
        }
        record(name, peer, Telling.kind(of: message), Telling.facts(of: message, by: listener))
    }

    private mutating func request(_ id: RequestID, _ body: [UInt8], _ peer: String, _ name: String) {
        let isNew = asked.insert(id).inserted
        if peer == "control" {
            guard let request = try? DeskRequest(serializedBytes: body) else { return failures.append("a desk request is broken") }
            if isNew, !Telling.isRoutine(request), showsLookups || !Telling.isLookup(request) {
                record(name, "desk", Telling.kind(of: request), Telling.facts(of: request, wall: wall))
            }
            guard let reply = desk.answer(request, from: name), let bytes: [UInt8] = try? reply.serializedBytes() else { return }
            deliveries.append(.input(.answer(id, bytes, from: peer), to: name))
        } else {
            guard let request = try? StudioRequest(serializedBytes: body) else { return failures.append("a studio request is broken") }
            if isNew { record(name, peer, Telling.kind(of: request), Telling.facts(of: request)) }
            guard let reply = studios[peer]?.answer(request), let bytes: [UInt8] = try? reply.serializedBytes() else { return }
            deliveries.append(.input(.answer(id, bytes, from: peer), to: name))
        }
    }

    // MARK: what was said

    private mutating func record(_ from: String, _ to: String, _ kind: String, _ facts: Set<String>) {
        said.append(Said(milliseconds: elapsed / 1_000_000, from: from, to: to, kind: kind, facts: facts))
    }

    var openCalls: Int { workers.values.reduce(0) { $0 + $1.callCount } }

    mutating func takeSaid() -> Said? { said.isEmpty ? nil : said.removeFirst() }

    mutating func takeFailures() -> [String] {
        defer { failures = [] }
        return failures
    }
}
