import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// The control plane of the ladders: answers at once from the ladder's setting, and remembers who owns what.
struct FakeDesk {
    enum Mood: String {
        case usual, silent, disowning
    }
    var mood = Mood.usual
    var roster = Roster()
    private let ladder: Ladder
    private var feedNumber: UInt64 = 0
    private var owners: [Data: String] = [:]
    private var answered: [Data: CallAnswered] = [:]
    private var bindings: [Data: [Binding]] = [:]
    private(set) var lastCall = Data()

    init(_ ladder: Ladder) { self.ladder = ladder }

    mutating func feed(_ fill: (inout FeedMessage) -> Void) -> FeedMessage {
        feedNumber += 1
        var message = FeedMessage()
        message.number = feedNumber
        fill(&message)
        return message
    }

    private mutating func answer(_ bind: BindContacts, at position: UInt64 = 0) -> BindReply {
        bindings[bind.subscriberID] = bind.removeAll ? [] : bind.bindings.filter { $0.expiresSeconds > 0 }
        return .with {
            $0.bindings = bindings[bind.subscriberID] ?? []
            $0.logPosition = position
        }
    }

    /// nil: no answer.
    mutating func answer(_ request: DeskRequest, from worker: String) -> DeskReply? {
        guard mood != .silent else { return nil }
        var reply = DeskReply()
        switch request.kind {
        case .hello:
            reply.welcome.feedNumber = feedNumber
            reply.welcome.roster = roster
            reply.welcome.heartbeatMs = 1_000
        case .heartbeat: reply.heartbeat.feedNumber = feedNumber
        case .credential(let query): reply.credential = credential(query)
        case .source(let query):
            reply.source.logPosition = 70
            if let gateway = Addresses.gateways.first(where: { $0.value.port == UInt16(query.port) })?.key {
                reply.source.found = true
                reply.source.gatewayID = Data(Addresses.id(gateway))
                reply.source.carrierID = Data(Addresses.id("carrier"))
            }
        case .bind(let bind): reply.bind = answer(bind, at: 71)
        case .bindBatch(let batch):
            reply.bindBatch.logPosition = 71
            // A line with much to tell is to ask alone.
            reply.bindBatch.replies = batch.binds.map { $0.bindings.count > 1 ? .with { $0.outcome = .alone } : answer($0) }
        case .startCall(let start):
            lastCall = start.callID
            if let refusal = ladder.setting("refuse") {
                reply.callRefused.sipStatus = UInt32(refusal[0]) ?? 0
                reply.callRefused.reason = refusal.dropFirst().joined(separator: " ")
                reply.callRefused.logPosition = 72
            } else {
                owners[start.callID] = worker
                reply.callPlan = plan(worker, start.dialled)
                if !start.forwardedFrom.isEmpty {
                    // Whoever it goes on to is called by name, or as the ladder says.
                    if Addresses.phones[start.dialled] != nil { reply.callPlan.groups = [.with { $0.targets = [contact(start.dialled, worker)] }] }
                    reply.callPlan.callerNumber = start.fromUser
                } else if let pickup = ladder.setting("pickup"), start.dialled.hasPrefix("*8"), let first = owners.first(where: { $0.key != start.callID })?.key {
                    reply.callPlan.groups = [
                        .with { group in
                            group.targets = [.with { $0.pickup.callID = first; $0.pickup.worker = pickup[0]; $0.timeoutSeconds = 10 }]
                        }
                    ]
                } else {
                    forwards(&reply.callPlan)
                }
            }
        case .callAnswered(let fact):
            guard owners[fact.callID] == worker, mood == .usual else { return refused(.notOwner) }
            answered[fact.callID] = fact
            reply.recorded.logPosition = 73
        case .callUpdated(let fact):
            guard owners[fact.callID] == worker else { return refused(.notOwner) }
            answered[fact.callID]?.snapshot = fact.snapshot
            reply.recorded.logPosition = 74
        case .callFinished(let fact):
            guard owners[fact.ended.callID] == worker else { return refused(.notOwner) }
            owners[fact.ended.callID] = nil
            reply.recorded.logPosition = 75
        case .renewCredit:
            reply.creditGranted.grantedSeconds = ladder.setting("renewed").flatMap { UInt32($0[0]) } ?? 0
            if let announced = ladder.setting("announced") {
                reply.creditGranted.announcement.toCalled = announced[0] == "called"
                reply.creditGranted.announcement.language = announced[1]
            }
        case .locateCall(let locate):
            let call = locate.callID
            let isAlive = roster.workers.contains { $0.worker == owners[call] }
            // A call that rang is closed with its worker.
            guard mood == .usual, let owner = owners[call], isAlive || answered[call] != nil else {
                reply.callLocated.found = false
                return reply
            }
            reply.callLocated.found = true
            reply.callLocated.owner = owner
            reply.callLocated.ownerAlive = isAlive
            reply.callLocated.answeredAt = answered[call]?.answeredAt ?? 0
            if owner == worker, let fact = answered[call] { reply.callLocated.snapshot = fact.snapshot }
        case .gatewayChallenged(let question):
            // `password gw1 secret`: what is set up for it.
            guard let password = ladder.settings.first(where: { $0[0] == "password" && Data(Addresses.id($0[1])) == question.gatewayID })?[2] else {
                reply.gatewayCredential = GatewayCredential()
                return reply
            }
            let algorithm = question.sha256 ? DigestAlgorithm.sha256 : .md5
            reply.gatewayCredential.username = "trunk"
            reply.gatewayCredential.ha1 = Data(algorithm.ha1(username: "trunk", realm: question.realm, password: password))
        case .subscribe(let subscribe):
            reply.subscribed.expiresSeconds = subscribe.expiresSeconds
            reply.subscribed.notify.dialog = subscribe.dialog
            reply.subscribed.notify.dialog.localCseq = 1
            reply.subscribed.notify.flow = subscribe.flow
            reply.subscribed.notify.event = subscribe.event
            reply.subscribed.notify.subscriptionState = subscribe.expiresSeconds == 0 ? "terminated;reason=timeout" : "active;expires=\(subscribe.expiresSeconds)"
            reply.subscribed.notify.contentType = "application/dialog-info+xml"
            reply.subscribed.notify.body = Data("<dialog-info/>".utf8)
        case .subscriptionLost: reply.recorded.logPosition = 76
        case .gatewayReport: reply.recorded.logPosition = 76
        case .recordCall(let record):
            reply.recordingGranted.recordingID = record.recordingID
            reply.recordingGranted.key = Data(repeating: 1, count: 32)
            reply.recordingGranted.sealedKey = Data(repeating: 2, count: 77)
        case .recordingReport(let report): reply.recordingNoted.recordingID = report.recordingID
        case nil: return nil
        }
        return reply
    }

    private func refused(_ code: DeskErrorCode) -> DeskReply {
        var reply = DeskReply()
        reply.error.code = code
        return reply
    }

    /// Gives the last call to that worker.
    mutating func adopt(by worker: String) -> FeedMessage {
        owners[lastCall] = worker
        let fact = answered[lastCall] ?? CallAnswered()
        let call = lastCall
        return feed { message in
            message.adopt.worker = worker
            message.adopt.callID = call
            message.adopt.answeredAt = fact.answeredAt
            message.adopt.snapshot = fact.snapshot
        }
    }

    private func credential(_ query: CredentialQuery) -> CredentialReply {
        var reply = CredentialReply()
        reply.logPosition = 70
        guard ["alice", "bob", "carol", "dave"].contains(query.username), query.domain == Addresses.domain else { return reply }
        reply.found = true
        reply.subscriberID = Data(Addresses.id(query.username))
        reply.tenantID = Data(Addresses.id(query.username == "dave" && ladder.setting("stranger") != nil ? "other" : "tenant"))
        let (user, realm, password) = (query.username, query.domain, "secret of " + query.username)
        reply.credential.ha1Md5 = Data(DigestAlgorithm.md5.ha1(username: user, realm: realm, password: password))
        reply.credential.ha1Sha256 = Data(DigestAlgorithm.sha256.ha1(username: user, realm: realm, password: password))
        return reply
    }

    // MARK: Plans

    /// From `plan together bob carol`, `plan serially bob carol`, `plan gateways gw1 gw2`; bob alone if nothing is said.
    /// `dial 1003 together carol`: for what is dialled so. `plan conference monday 4711`: a room, and its PIN.
    private func plan(_ worker: String, _ dialled: String) -> CallPlan {
        var plan = CallPlan()
        plan.logPosition = 72
        plan.callerNumber = "1000"
        plan.callerDisplay = "Alice"
        plan.grantedSeconds = ladder.setting("granted").flatMap { UInt32($0[0]) } ?? 0
        if ladder.setting("caller-srtp") != nil { plan.callerMediaSecurity = .sdes }
        // `recording always announced`, `recording demanded`: by the caller's line; `music harp`: of both lines.
        if let words = ladder.setting("recording") {
            plan.recording.always = words.contains("always")
            plan.recording.callerMay = true
            plan.recording.announced = words.contains("announced")
            plan.recording.callerLanguage = "de"
        }
        plan.callerMusic = ladder.setting("music")?[0] ?? ""
        plan.calledMusic = plan.callerMusic
        // `ring-back harp`, `ring-back tone`: of the called line; whoever sends on has the tone of country 44.
        plan.callerRingBack.countryCode = "44"
        plan.calledRingBack.countryCode = "44"
        plan.calledRingBack.sound = ladder.setting("ring-back")?[0] ?? ""
        let own = ladder.settings.first { $0[0] == "dial" && $0[1] == dialled }.map { Array($0.dropFirst(2)) }
        let words = own ?? ladder.setting("plan") ?? ["together", "bob"]
        plan.direction = ["gateways", "named"].contains(words[0]) ? .outbound : .onNet
        if words[0] == "conference" {
            var target = Target()
            target.conference.roomID = Data(Addresses.id(words[1]).prefix(16))
            target.conference.pin = words.count > 2 ? words[2] : ""
            target.conference.language = "de"
            plan.groups = [.with { $0.targets = [target] }]
            return plan
        }
        let targets = words.dropFirst().map { word in
            switch words[0] {
            case "gateways": gateway(word)
            case "named": named(word)
            default: contact(word, worker)
            }
        }
        // `direct`: calls between lines, but for those to what `anchored 1004` names.
        let isAnchored = ladder.settings.contains { $0[0] == "anchored" && $0[1] == dialled }
        if ladder.setting("direct") != nil, plan.direction == .onNet, !isAnchored { plan.mediaPath = .direct }
        if words[0] == "together" {
            plan.groups = [TargetGroup()]
            plan.groups[0].targets = targets
        } else {
            plan.groups = targets.map { target in
                var group = TargetGroup()
                group.targets = [target]
                return group
            }
        }
        return plan
    }

    /// From `forward busy carol`, `forward always carol` and the like: what Bob has set.
    private func forwards(_ plan: inout CallPlan) {
        for words in ladder.settings where words[0] == "forward" {
            var target = ForwardTarget()
            target.subscriberID = Data(Addresses.id("bob"))
            target.number = words[2]
            switch words[1] {
            case "busy":
                target.kind = .busy
                plan.onBusy = target
            case "no-answer":
                target.kind = .noAnswer
                plan.onNoAnswer = target
            case "unreachable":
                target.kind = .notRegistered
                plan.onUnreachable = target
            default:
                target.kind = .always
                plan.mediaPath = .anchored
                plan.groups = [.with { $0.targets = [.with { $0.forward = target; $0.timeoutSeconds = 600 }] }]
            }
        }
    }

    /// A gateway that is a host's name.
    private func named(_ host: String) -> Target {
        var target = gateway("gw1")
        target.gateway.host = host
        target.gateway.port = 0
        return target
    }

    private func gateway(_ name: String) -> Target {
        var target = Target()
        target.gateway.gatewayID = Data(Addresses.id(name))
        target.gateway.carrierID = Data(Addresses.id("carrier"))
        target.gateway.host = "127.0.0.1"
        target.gateway.port = UInt32(Addresses.gateways[name]?.port ?? 0)
        target.gateway.number = ladder.setting("number").map { $0.first ?? "" } ?? "12092488700"
        target.gateway.fromUser = "+12095550100"
        target.gateway.fromDomain = "carrier.example"
        target.gateway.assertedIdentity = "sip:+12095550100@carrier.example"
        target.timeoutSeconds = 30
        return target
    }

    /// `flow bob w2`: registered by the listener of that worker.
    private func contact(_ name: String, _ worker: String) -> Target {
        let flow = ladder.settings.first { $0[0] == "flow" && $0[1] == name }
        let holder = flow?[2] ?? worker
        var target = Target()
        target.contact.subscriberID = Data(Addresses.id(name))
        target.contact.tenantID = Data(Addresses.id("tenant"))
        target.contact.domain = Addresses.domain
        target.contact.uri = "sip:\(name)@\(Addresses.phones[name]?.description ?? "")"
        target.contact.flow.worker = holder
        target.contact.flow.listener = Addresses.workers[holder]?.description ?? ""
        target.contact.flow.remote = Addresses.phones[name]?.description ?? ""
        if ladder.setting("called-srtp") != nil { target.contact.mediaSecurity = .sdes }
        target.timeoutSeconds = 20
        // `other-flow bob carol`: carol's place is another way to bob's device.
        if let other = ladder.settings.first(where: { $0[0] == "other-flow" && $0[1] == name }) {
            target.contact.otherFlows = [self.contact(other[2], worker).contact]
            target.contact.otherFlows[0].subscriberID = target.contact.subscriberID
        }
        return target
    }
}
