import Bus
import Foundation
import Model
import Primitives
import SIP
import SwiftProtobuf

/// What the control plane and the media workers say.
extension SignalMachine {
    // MARK: Hello and heartbeat

    mutating func speak() {
        nextWord = kit.now + heartbeat
        var request = DeskRequest()
        switch greeting {
        case .away:
            request.hello.worker = configuration.worker
            request.hello.kind = .signal
            request.hello.listeners = configuration.listeners.map(\.description) + configuration.streams.map(\.description)
            request.hello.clusterListener = configuration.cluster?.description ?? ""
            request.hello.busEndpoint = configuration.busEndpoint
            request.hello.incarnation = Data(RequestID(high: 0, low: configuration.incarnation).bytes)
            // Calls that have ended here, but not yet in the ledger, are ours until it knows.
            request.hello.calls = Set(calls.ids).union(kit.outbox.calls).sorted().map(\.data)
            kit.ask(request, .hello, policy: .word)
        case .greeted:
            request.heartbeat.calls = UInt32(clamping: calls.count)
            request.heartbeat.loadPermille = UInt32(clamping: calls.count * 1_000 / max(1, configuration.callsMax))
            kit.ask(request, .heartbeat, policy: .word)
        }
    }

    private mutating func greetAgain() {
        greeting = .away
        nextWord = kit.now
    }

    private mutating func take(_ roster: Roster, from source: Colleagues.Source) {
        let gone = kit.colleagues.take(roster, from: source, now: kit.now)
        rosterChanged(gone: gone)
    }

    mutating func expireColleagues() {
        let gone = kit.colleagues.expire(kit.now)
        if !gone.isEmpty { rosterChanged(gone: gone) }
    }

    private mutating func rosterChanged(gone: [String]) {
        kit.effects.append(.roster(kit.colleagues.roster))
        for worker in gone { for (_, pending) in kit.requests.cancelAll(to: worker) { unanswered(pending) } }
        // Also those whose worker was lost when there was no other to take them.
        let colleagues = kit.colleagues
        var stranded = kit.stranded.filter { id in calls.update(id) { !colleagues.isAlive($0.mediaWorker) } ?? false }
        if !gone.isEmpty { stranded.formUnion(calls.ids { gone.contains($0.mediaWorker) }) }
        kit.stranded = []
        for id in stranded.sorted() { withCall(id) { call, kit in call.mediaWorkerLost(&kit) } }
        located.forgetOwners()
    }

    // MARK: The feed

    mutating func feed(_ body: [UInt8]) {
        guard let message = try? FeedMessage(wireBytes: body) else { return }
        switch feed.accept(message.number) {
        case .inOrder: break
        case .duplicate, .unsynchronised: return
        case .gap:
            access.forget()
            return greetAgain()
        }
        switch message.kind {
        case .roster(let roster): take(roster, from: .feed)
        case .invalidate(let invalidate): access.invalidate(invalidate)
        case .adopt(let call) where call.worker == configuration.worker: adopt(call)
        case .hangUp(let hangUp) where hangUp.worker == configuration.worker:
            guard let id = CallID(hangUp.callID) else { return }
            withCall(id) { call, kit in call.hangUp(hangUp.cause == .unspecified ? .operator : hangUp.cause, &kit) }
        case .drain(let drain) where drain.worker == configuration.worker: isDraining = true
        case .notify(let order) where order.worker == configuration.worker: notify(order)
        case .gateways(let book): take(book)
        case .head(let head): kit.heard(position: head.logPosition)
        case .adopt, .hangUp, .drain, .notify, nil: break
        }
    }

    /// Facts that an earlier process of this name had not got acknowledged. They are sent again; a call whose end is not
    /// among them was running when that process was killed, and the fact of its answer holds all that it takes to go on.
    mutating func remember(_ facts: [Fact]) {
        var running: [CallID: AdoptCall] = [:]
        for fact in facts {
            if let next = kit.outbox.add(fact) { kit.send(next) }
            guard let request = try? DeskRequest(serializedBytes: fact.body) else { continue }
            switch request.kind {
            case .callAnswered(let answered):
                running[fact.call] = .with {
                    $0.worker = configuration.worker
                    $0.callID = answered.callID
                    $0.answeredAt = answered.answeredAt
                    $0.snapshot = answered.snapshot
                }
            case .callUpdated(let updated): running[fact.call]?.snapshot = updated.snapshot
            case .callFinished: running[fact.call] = nil
            case .hello, .heartbeat, .credential, .source, .bind, .bindBatch, .startCall, .renewCredit, .locateCall, .gatewayChallenged, .gatewayReport, .subscribe, .subscriptionLost, .recordCall, .recordingReport, nil: break
            }
        }
        for id in running.keys.sorted() { if let call = running[id] { adopt(call) } }
    }

    mutating func adopt(_ adopt: AdoptCall) {
        guard let id = CallID(adopt.callID), !calls.contains(id), !ended.contains(id) else { return }
        guard let call = CallMachine(adopting: adopt, &kit) else {
            // Nobody could carry it on from what is known of it, so it is closed here and now.
            var request = DeskRequest()
            request.callFinished.ended.callID = adopt.callID
            request.callFinished.ended.endedAt = kit.wall.microseconds
            request.callFinished.ended.cause = .workerLost
            request.callFinished.ended.sipStatus = 200
            request.callFinished.ended.worker = configuration.worker
            ended.insert(id, now: kit.now)
            return kit.report(request, of: id)
        }
        if !call.mediaWorker.isEmpty, !kit.colleagues.isAlive(call.mediaWorker) { kit.stranded.insert(id) }
        calls.insert(call.id, call)
        wakes[id] = call.nextWake
        kit.note(.adopted(call: id.description))
    }

    // MARK: Answers

    mutating func answer(_ id: RequestID, _ body: [UInt8], from peer: String) {
        if peer == CallKit.desk {
            isDeskSilent = false
            guard let reply = try? DeskReply(wireBytes: body) else { return }
            if case .error(let error) = reply.kind { return refused(error, id) }
            guard let pending = kit.requests.answer(id, from: peer) else { return }
            desk(reply, pending)
        } else {
            guard let reply = try? StudioReply(wireBytes: body), let pending = kit.requests.answer(id, from: peer) else { return }
            studio(reply, pending)
        }
    }

    private mutating func refused(_ error: DeskError, _ id: RequestID) {
        switch error.code {
        case .unavailable:
            // The request stays open and is asked again; whoever waits is told by its deadline.
            _ = kit.requests.postpone(id, from: CallKit.desk, now: kit.now)
        case .sayHello:
            _ = kit.requests.postpone(id, from: CallKit.desk, now: kit.now)
            if greeting == .greeted { greetAgain() }
        case .notEnrolled:
            kit.note(.notEnrolled)
            _ = kit.requests.postpone(id, from: CallKit.desk, now: kit.now)
            greeting = .away
        case .malformed, .unknownCall, .notOwner, .UNRECOGNIZED:
            guard let pending = kit.requests.answer(id, from: CallKit.desk) else { return }
            if case .fact(let fact) = pending {
                kit.note(.factRefused(reason: error.detail))
                settle(fact)
                if error.code == .notOwner { disowned(fact.call) }
            } else if case .gatewayReport = pending {
                break  // it is another worker's by now
            } else if case .recording(let call) = pending {
                kit.note(.recordingRefused(reason: error.detail))
                withCall(call) { call, kit in call.recordingAnswered(nil, &kit) }
            } else {
                unanswered(pending)
            }
        }
    }

    /// The ledger says that the call is not ours any more. If another worker carries it, it is forgotten here without a word; if
    /// it was closed, its parties must not go on talking for nothing.
    private mutating func disowned(_ id: CallID) {
        guard calls.contains(id) else { return }
        var request = DeskRequest()
        request.locateCall.callID = id.data
        kit.ask(request, .disowned(id))
    }

    private mutating func disowned(_ id: CallID, _ place: CallLocated) {
        guard !place.found else {
            if place.owner != configuration.worker { drop(id) }
            return
        }
        withCall(id) { call, kit in call.hangUp(.workerLost, &kit) }
    }

    private mutating func drop(_ id: CallID) {
        calls.update(id) { $0.release(&kit) }
        calls.remove(id)
        wakes[id] = nil
    }

    private mutating func settle(_ fact: Fact) {
        kit.effects.append(.forget(fact))
        if let next = kit.outbox.settle(fact.call) { kit.send(next) }
    }

    private mutating func desk(_ reply: DeskReply, _ pending: Pending) {
        switch (pending, reply.kind) {
        case (.hello, .welcome(let welcome)):
            greeting = .greeted
            if welcome.heartbeatMs > 0 { heartbeat = .milliseconds(Int64(welcome.heartbeatMs)) }
            nextWord = kit.now + heartbeat
            feed.synchronise(at: welcome.feedNumber)
            take(welcome.roster, from: .welcome)
            if welcome.hasGateways { take(welcome.gateways) }
            reportTrunks()
            for id in welcome.lostCalls.compactMap({ CallID($0) }) { disowned(id) }
        case (.heartbeat, .heartbeat(let heartbeat)):
            if feed.observe(head: heartbeat.feedNumber) {
                access.forget()
                greetAgain()
            }
        case (.credential(let key), .credential(let reply)):
            kit.heard(position: reply.logPosition)
            resume(access.take(reply, for: key, now: kit.now))
        case (.source(let address), .source(let reply)):
            kit.heard(position: reply.logPosition)
            resume(access.take(reply, for: address, now: kit.now))
        case (.bind(let waiting), .bind(let reply)): bound(reply, waiting.transaction, waiting.request)
        case (.bindBatch(let waiting), .bindBatch(let reply)) where reply.replies.count == waiting.count: bound(reply, waiting)
        case (.subscribe(let id, let request, let tag), .subscribed(let reply)): subscribed(reply, id, request, tag: tag)
        case (.forgotten, _): break
        case (.start(let id), .callPlan(let plan)): withCall(id) { call, kit in call.planned(plan, &kit) }
        case (.start(let id), .callRefused(let refusal)): withCall(id) { call, kit in call.refused(refusal, &kit) }
        case (.fact(let fact), _): settle(fact)
        case (.credit(let id), .creditGranted(let credit)):
            withCall(id) { call, kit in call.granted(credit, kit) }
        case (.locate(let id), .callLocated(let place)): found(place, id)
        case (.disowned(let id), .callLocated(let place)): disowned(id, place)
        case (.gatewayCredential(let id, let transaction), .gatewayCredential(let credential)):
            withCall(id) { call, kit in call.credential(credential, for: transaction, &kit) }
        case (.goodbyeCredential(let transaction), .gatewayCredential(let credential)): goodbyeCredential(credential, for: transaction)
        case (.registrarCredential(let number), .gatewayCredential(let credential)): registrarCredential(number, credential)
        case (.gatewayReport, _): break
        case (.recording(let id), .recordingGranted(let granted)): withCall(id) { call, kit in call.recordingAnswered(granted, &kit) }
        default: unanswered(pending)  // an answer to another question
        }
    }

    private mutating func studio(_ reply: StudioReply, _ pending: Pending) {
        switch (pending, reply.kind) {
        case (.open(let id), .opened(let session)): withCall(id) { call, kit in call.opened(session, &kit) }
        case (.openStream(let id, let place), .opened(let session)): withCall(id) { call, kit in call.streamOpened(place, session, &kit) }
        case (.openStream(let id, let place), _): withCall(id) { call, kit in call.streamOpened(place, nil, &kit) }
        case (.close(let id), .closed(let closed)): withCall(id) { call, kit in call.mediaClosed(closed.report, &kit) }
        case (.close(let id), _): withCall(id) { call, kit in call.mediaClosed(nil, &kit) }
        case (.open(let id), .error(let error)): withCall(id) { call, kit in call.mediaFailed(error.detail, &kit) }
        case (.change(let id), .error(let error)) where error.code == .unknownSession:
            withCall(id) { call, kit in call.mediaWorkerLost(&kit) }
        default: break
        }
    }

    mutating func notice(_ body: [UInt8], from worker: String) {
        guard let notice = try? StudioNotice(serializedBytes: body), let session = UUIDv7(bytes: notice.sessionID) else { return }
        // A session has its call's number, unless it was opened anew elsewhere.
        func isOf(_ call: inout CallMachine) -> Bool { call.mediaSession == session && call.mediaWorker == worker }
        let named = CallID(session)
        guard let id = calls.update(named, isOf) == true ? named : calls.ids(where: { $0.mediaSession == session && $0.mediaWorker == worker }).first
        else { return }
        withCall(id) { call, kit in
            switch notice.kind {
            case .silent: call.silent(notice.report, &kit)
            case .lost: call.mediaWorkerLost(&kit)
            case .refused: call.hangUp(.rejected, &kit)
            case .UNRECOGNIZED: break
            }
        }
    }

    /// Nobody has answered within the time.
    mutating func unanswered(_ pending: Pending) {
        switch pending {
        case .hello, .heartbeat:
            if !isDeskSilent { kit.note(.deskUnanswered) }
            isDeskSilent = true
        case .credential(let key): refuse(access.giveUp(key))
        case .source(let address): refuse(access.giveUp(address))
        case .forgotten: break
        case .bind(let waiting): controlIsSilent(waiting.request, waiting.transaction)
        case .bindBatch(let waiting): for entry in waiting { controlIsSilent(entry.request, entry.transaction) }
        case .subscribe(let id, let request, _): controlIsSilent(request, id)
        case .start(let id): withCall(id) { call, kit in call.unplanned(&kit) }
        case .fact: break  // facts are asked for ever
        case .credit(let id): withCall(id) { call, kit in call.creditUnanswered(kit) }
        case .locate(let id): _ = located.release(id)
        case .goodbyeCredential(let transaction): goodbyeCredential(GatewayCredential(), for: transaction)
        case .gatewayCredential(let id, let transaction):
            withCall(id) { call, kit in call.credential(GatewayCredential(), for: transaction, &kit) }
        case .registrarCredential(let number): registrarCredential(number, nil)
        case .gatewayReport(let id, let isProbe): reportAgain(id, isProbe: isProbe)
        case .disowned(let id): disowned(id)  // both would be wrong: it is asked until it is known
        case .open(let id): withCall(id) { call, kit in call.mediaFailed("the media worker does not answer", &kit) }
        case .openStream(let id, let place): withCall(id) { call, kit in call.streamOpened(place, nil, &kit) }
        case .change, .play: break
        case .recording(let id): withCall(id) { call, kit in call.recordingUnanswered(&kit) }
        case .close(let id): withCall(id) { call, kit in call.mediaClosed(nil, &kit) }
        }
    }
}

extension RequestPolicy {
    /// Hello and heartbeat: the next one is due soon anyway.
    static let word = RequestPolicy(deadline: .milliseconds(900), resend: .milliseconds(900), resendMax: .milliseconds(900))
}
