import Foundation
import Model
import Primitives
import Projections
import Subjects
import SwiftProtobuf

extension ControlCore {
    mutating func decide(
        _ work: Work, now: Instant, wall: WallTime, _ batch: inout Batch, _ views: inout ViewTransaction
    ) throws {
        switch work {
        case .desk(let worker, let requestID, let request):
            let cause = hex(requestID)
            var encoded: [UInt8]?
            let reply = try answer(request, from: worker, cause: cause, now: now, wall: wall, &batch, &views, encoded: &encoded)
            batch.replies.append(.reply(worker: worker, requestID: requestID, reply, encoded: encoded))
        case .admin(let ticket, let request):
            let result: Result<AdminOutcome, AdminRejection>
            do {
                result = .success(try carryOut(request, now: now, wall: wall, &batch, &views))
            } catch let rejection as AdminRejection {
                result = .failure(rejection)
            }
            batch.replies.append(.adminResult(ticket: ticket, result))
        }
    }

    private mutating func answer(
        _ request: DeskRequest, from name: String, cause: String, now: Instant, wall: WallTime, _ batch: inout Batch,
        _ views: inout ViewTransaction, encoded: inout [UInt8]?
    ) throws -> DeskReply {
        guard try isEnrolled(name, views) else { return .error(.notEnrolled, name) }
        guard let kind = request.kind else { return .error(.malformed, "no request") }
        if case .hello(let hello) = kind {
            guard let worker = try views.worker(name) else { return .error(.notEnrolled, name) }
            return try greet(hello, from: worker, now: now, wall: wall, &batch, &views)
        }
        guard workers.heard(name, now: now, wall: wall) else { return .error(.sayHello) }
        let record = Recorder(actor: "worker " + name, cause: cause, wall: wall)
        switch kind {
        case .hello:
            return .error(.malformed)
        case .heartbeat(let beat):
            workers.load(name, beat)
            return .with { $0.heartbeat.feedNumber = feedPosition }
        case .credential(let query):
            return try credential(query, views)
        case .source(let query):
            return try source(query, views)
        case .bind(let request):
            let bound = try bind(request, at: wall, views)
            return .with { $0.bind = bound }
        case .bindBatch(let batch):
            return try bind(batch, at: wall, views)
        case .startCall(let request):
            return try start(request, by: name, record, &batch, &views, encoded: &encoded)
        case .callAnswered(let fact):
            var decision = Decision(wall: wall, random: random)
            let verdict = try CallDecider.answered(fact, by: name, in: views, &decision)
            return try conclude(verdict, consume decision, record, &batch, &views)
        case .callUpdated(let fact):
            var decision = Decision(wall: wall, random: random)
            let verdict = try CallDecider.updated(fact, by: name, in: views, &decision)
            return try conclude(verdict, consume decision, record, &batch, &views)
        case .callFinished(let fact):
            var decision = Decision(wall: wall, random: random)
            let verdict = try CallDecider.finished(fact, by: name, in: views, &decision)
            return try conclude(verdict, consume decision, record, &batch, &views)
        case .renewCredit(let request):
            var decision = Decision(wall: wall, random: random)
            let granted = try CallDecider.renew(
                request, by: name, leaseSeconds: settings.creditLeaseSeconds, in: views, &decision)
            switch granted {
            case .success(let credit):
                _ = try conclude(.recorded, consume decision, record, &batch, &views)
                return .with { $0.creditGranted = credit }
            case .failure(let refused):
                return try conclude(refused.verdict, consume decision, record, &batch, &views)
            }
        case .locateCall(let request):
            return try locate(request, for: name, views)
        case .gatewayChallenged(let question):
            return try gatewayCredential(question, views)
        case .subscribe(let request):
            return try subscribe(request, now: now, at: wall, views)
        case .subscriptionLost(let lost):
            subscriptionLost(lost)
            return .recorded(at: views.applied)
        case .gatewayReport(let report):
            return try take(report, from: name, record, &batch, &views)
        case .recordCall(let request):
            return try startRecording(request, by: name, record, &batch, &views)
        case .recordingReport(let report):
            return try finishRecording(report, by: name, record, &batch, &views)
        }
    }

    private mutating func isEnrolled(_ worker: String, _ views: borrowing ViewTransaction) throws -> Bool {
        let generation = views.entityGeneration
        if enrolled.generation != generation { enrolled = (generation, []) }
        if enrolled.names.contains(worker) { return true }
        guard try views.worker(worker) != nil else { return false }
        enrolled.names.insert(worker)
        return true
    }

    /// Under whose name and for which request something is recorded.
    struct Recorder {
        var actor: String
        var cause: String
        var wall: WallTime
    }

    mutating func conclude(
        _ verdict: CallDecider.Verdict, _ decision: consuming Decision, _ recorder: Recorder, _ batch: inout Batch,
        _ views: inout ViewTransaction
    ) throws -> DeskReply {
        random = decision.random
        switch verdict {
        case .recorded:
            try batch.record(decision, actor: recorder.actor, cause: recorder.cause, in: &views)
            return .recorded(at: batch.head)
        case .notOwner: return .error(.notOwner)
        case .unknownCall: return .error(.unknownCall)
        case .malformed(let what): return .error(.malformed, what)
        }
    }

    // MARK: - directory

    private func credential(_ query: CredentialQuery, _ views: borrowing ViewTransaction) throws -> DeskReply {
        views.entities?.keepsLines = false
        defer { views.entities?.keepsLines = true }
        var reply = CredentialReply()
        reply.logPosition = views.applied
        if let tenant = try views.tenant(domain: query.domain), let tenantID = TenantID(tenant.id),
            let subscriber = try views.subscriber(tenant: tenantID, user: query.username),
            subscriber.username == query.username, let id = SubscriberID(subscriber.id),
            let line = try Line.of(id, in: views), line.allows(.register)
        {
            do throws(VaultError) {
                reply.credential = try vault.open(subscriber.sealedCredential, of: id)
            } catch {
                return .error(
                    .unavailable, "the credential cannot be opened: is keys/vault.key the one it was sealed with?")
            }
            reply.found = true
            reply.subscriberID = subscriber.id
            // It says in whose calls the line may take a place (RFC 3891): one that may call nobody but for help, in none.
            if line.allows(.callOut) { reply.tenantID = tenant.id }
        }
        return .with { $0.credential = reply }
    }

    /// What a gateway's challenge is answered with. The hash of this realm alone leaves, not the password.
    private func gatewayCredential(_ question: GatewayChallenged, _ views: borrowing ViewTransaction) throws -> DeskReply {
        var reply = GatewayCredential()
        if let id = GatewayID(question.gatewayID), let carrier = try views.carrier(gateway: id),
            let gateway = carrier.gateways.first(where: { $0.id == id.data }), !gateway.authUsername.isEmpty
        {
            do throws(VaultError) {
                reply.ha1 = Data(
                    try vault.ha1(
                        username: gateway.authUsername, realm: question.realm, sealed: gateway.sealedPassword, of: id, isSHA256: question.sha256))
            } catch {
                return .error(.unavailable, "the gateway's password cannot be opened: is keys/vault.key the one it was sealed with?")
            }
            reply.username = gateway.authUsername
        }
        return .with { $0.gatewayCredential = reply }
    }

    private func source(_ query: SourceQuery, _ views: borrowing ViewTransaction) throws -> DeskReply {
        var reply = SourceReply()
        reply.logPosition = views.applied
        if let host = SocketAddress.Host(query.host),
            let (carrier, gateway) = try views.gateway(host: host.description, port: query.port), !gateway.disabled
        {
            reply.found = true
            reply.carrierID = carrier.id
            reply.gatewayID = gateway.id
            reply.providerID = carrier.providerID
        } else if let host = SocketAddress.Host(query.host), let port = UInt16(exactly: query.port),
            let subscriber = try views.subscriber(trunkAddress: SocketAddress(host, port: port).description), subscriber.trunk.isTrunk,
            let id = SubscriberID(subscriber.id), let line = try Line.of(id, in: views), line.allows(.register)
        {
            reply.found = true
            reply.subscriberID = subscriber.id
        }
        return .with { $0.source = reply }
    }

    private mutating func bind(
        _ request: BindContacts, at wall: WallTime, _ views: borrowing ViewTransaction
    ) throws -> BindReply {
        var reply: BindReply
        if let id = SubscriberID(request.subscriberID) {
            reply = try registrar.bind(request, subscriber: id, at: wall) { try Self.room(of: id, views) }
        } else {
            reply = BindReply()
            reply.outcome = .unknownSubscriber
        }
        reply.logPosition = views.applied
        return reply
    }

    /// Registrations that came together. However many contacts each line has, the answer fits into a message.
    private mutating func bind(_ batch: BindBatch, at wall: WallTime, _ views: borrowing ViewTransaction) throws -> DeskReply {
        var reply = BindBatchReply()
        reply.logPosition = views.applied
        var bytes = 0
        for request in batch.binds {
            var one = try bind(request, at: wall, views)
            one.logPosition = 0
            let size = SubscriberID(request.subscriberID).map { registrar.byteCount(of: $0) } ?? 0
            if bytes + size > Self.batchReplyBytesMax {
                // What was bound is bound: asked again, it is a repetition.
                one = .with { $0.outcome = .alone }
            } else {
                bytes += size
            }
            reply.replies.append(one)
        }
        return .with { $0.bindBatch = reply }
    }

    /// Half of what the bus takes.
    private static let batchReplyBytesMax = 512 << 10

    private static func room(of id: SubscriberID, _ views: borrowing ViewTransaction) throws -> Registrar.Room? {
        views.entities?.keepsLines = false
        defer { views.entities?.keepsLines = true }
        guard let subscriber = try views.subscriber(id) else { return nil }
        let tenant = TenantID(subscriber.tenantID)
        return Registrar.Room(
            line: Int(subscriber.contactsMax), tenant: tenant, ofTenant: Int(try tenant.flatMap { try views.tenant($0) }?.contactsMax ?? 0))
    }

    // MARK: - calls

    private mutating func start(
        _ request: StartCall, by worker: String, _ recorder: Recorder, _ batch: inout Batch,
        _ views: inout ViewTransaction, encoded: inout [UInt8]?
    ) throws -> DeskReply {
        guard let call = CallID(request.callID) else { return .error(.malformed, "call_id") }
        let key = Batch.key(ofStart: call.value)
        guard try views.version(of: call.value) == 0 else { return try plan(of: call, for: worker, key, batch, views) }
        var routing = try router.route(
            request, worker: worker, registrar: registrar, lines: lines, in: views, at: recorder.wall)
        let reply: DeskReply
        switch routing.outcome {
        case .plan(let plan): reply = .with { $0.callPlan = plan }
        case .refused(let refusal, let reason):
            reply = .with {
                $0.callRefused.refusal = refusal
                $0.callRefused.sipStatus = routing.status ?? refusal.sipStatus
                $0.callRefused.reason = reason
                $0.callRefused.logPosition = routing.started?.logPosition ?? views.applied
            }
        }
        var decision = Decision(wall: recorder.wall, random: random)
        let sides = routing.started.map { CallSubjects($0.caller, $0.called) }
        try CallDecider.start(&routing, in: views, &decision)
        random = decision.random
        let bytes = serialized(reply)
        try batch.record(
            consume decision, actor: recorder.actor, cause: recorder.cause, key: key,
            outcome: { batch, views in try Self.sealed(bytes, of: sides, call: call, &batch, views) }, in: &views)
        encoded = bytes
        return reply
    }

    /// The plan that was answered first is the plan, also after a restart.
    private func plan(
        of call: CallID, for worker: String, _ key: [UInt8], _ batch: Batch, _ views: borrowing ViewTransaction
    ) throws -> DeskReply {
        guard let stored = try batch.outcome(forKey: key) else { return .error(.notOwner) }
        guard let first = try? DeskReply(serializedBytes: try opened(stored, of: call, views)) else {
            return .error(.unavailable, "stored plan")
        }
        guard case .callPlan? = first.kind else { return first }
        guard try views.liveCall(call)?.worker == worker else { return .error(.notOwner) }
        return first
    }

    // MARK: - stored plans

    /// Part of the associated data of a stored plan; never changes.
    private static let planMark: UInt8 = 8

    /// A plan has numbers and addresses of both sides: without the key of either nobody reads it.
    private static func sealed(
        _ plain: [UInt8], of sides: CallSubjects?, call: CallID, _ batch: inout Batch, _ views: borrowing ViewTransaction
    ) throws -> [UInt8] {
        guard let keys = views.keys, let sides else { return plain }
        var bytes = plain
        for subject in sides.caller == sides.called ? [sides.caller] : [sides.caller, sides.called] {
            let part = try keys.seal(
                bytes, mark: planMark, subject: subject, record: call.data, &batch.sealing)
            guard let part else { return serialized(DeskReply.error(.unknownCall)) }
            bytes = part
        }
        return bytes
    }

    private func opened(_ stored: [UInt8], of call: CallID, _ views: borrowing ViewTransaction) throws -> [UInt8] {
        guard let keys = views.keys else { return stored }
        var bytes = stored
        while SubjectKeys.isPart(bytes) {
            guard let plain = try keys.open(bytes, mark: Self.planMark, record: call.data) else {
                return serialized(DeskReply.error(.unknownCall))
            }
            bytes = plain
        }
        return bytes
    }

    private func locate(
        _ request: LocateCall, for worker: String, _ views: borrowing ViewTransaction
    ) throws -> DeskReply {
        var located = CallLocated()
        if let call = CallID(request.callID), let live = try views.liveCall(call) {
            located.found = true
            located.owner = live.worker
            located.ownerAlive = workers.isAlive(live.worker) || workers.isExpected(live.worker)
            located.started = live.started
            located.answeredAt = live.answeredAt
            if live.worker == worker, live.hasSnapshot { located.snapshot = live.snapshot }
        }
        return .with { $0.callLocated = located }
    }
}
