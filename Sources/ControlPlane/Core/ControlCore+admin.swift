import Model
import Primitives
import Projections
import SwiftProtobuf

extension ControlCore {
    /// Throws `AdminRejection` for a refusal, anything else if the batch cannot go on.
    mutating func carryOut(
        _ request: AdminRequest, now: Instant, wall: WallTime, _ batch: inout Batch, _ views: inout ViewTransaction
    ) throws -> AdminOutcome {
        let key = request.idempotencyKey.map { Array("admin\0\(request.actor)\0\($0)".utf8) }
        if let key {
            guard key.count <= 400 else { throw AdminRejection.invalid("Idempotency-Key", "at most 256 characters") }
            if let stored = try batch.outcome(forKey: key) {
                guard let first = StoredOutcome(bytes: stored) else {
                    throw AdminRejection.unavailable(reason: "the stored outcome cannot be read")
                }
                guard first.fingerprint == request.fingerprint else { throw AdminRejection.idempotencyKeyReused }
                return first.outcome
            }
        }
        try request.authority?.check(request.command, in: views, at: wall)
        if let (stream, expected) = request.command.expectation {
            let actual = try views.version(of: stream)
            // What does not exist is the decider's to say.
            if actual != 0, actual != expected {
                throw AdminRejection.versionMismatch(expected: expected, actual: actual)
            }
        }
        var decision = Decision(wall: wall, random: random)
        let asker = request.authority.map { AdjustmentDecider.Asker(token: $0.token, name: request.actor) }
        let id = try decide(request.command, by: request.actor, asker, views, &decision)
        random = decision.random
        try batch.record(
            decision, actor: request.actor, cause: request.requestID, origin: request.origin, key: key,
            outcome: { batch, views in
                StoredOutcome(
                    outcome: AdminOutcome(id: id, version: try views.version(of: id), sequence: batch.head),
                    fingerprint: request.fingerprint
                ).bytes
            }, in: &views)
        return AdminOutcome(id: id, version: try views.version(of: id), sequence: batch.head)
    }

    private mutating func decide(
        _ command: AdminCommand, by actor: String, _ asker: AdjustmentDecider.Asker?, _ views: borrowing ViewTransaction, _ decision: inout Decision
    ) throws -> UUIDv7 {
        switch command {
        case .createProvider(let provider): return try ProviderDecider.create(provider, in: views, &decision)
        case .changeProvider(let provider, _): return try ProviderDecider.change(provider, in: views, &decision)
        case .createContact(let contact): return try ContactDecider.create(contact, in: views, &decision)
        case .changeContact(let contact, _): return try ContactDecider.change(contact, in: views, &decision)
        case .createRateDeck(let deck): return try RateDeckDecider.create(deck, in: views, &decision)
        case .changeRateDeck(let deck, _): return try RateDeckDecider.change(deck, in: views, &decision)
        case .publishDeckVersion(let version): return try RateDeckDecider.publish(version, in: views, &decision)
        case .addDeckRows(let rows): return try RateDeckDecider.add(rows, in: views, &decision)
        case .createServicePlan(let plan): return try ServicePlanDecider.create(plan, in: views, &decision)
        case .changeServicePlan(let plan, _): return try ServicePlanDecider.change(plan, in: views, &decision)
        case .createCustomer(let customer): return try CustomerDecider.create(customer, in: views, &decision)
        case .changeCustomer(let customer, _): return try CustomerDecider.change(customer, in: views, &decision)
        case .createDialPlan(let plan): return try DialPlanDecider.create(plan, in: views, &decision)
        case .changeDialPlan(let plan, _): return try DialPlanDecider.change(plan, in: views, &decision)
        case .createTenant(let tenant): return try TenantDecider.create(tenant, in: views, &decision)
        case .changeTenant(let tenant, _): return try TenantDecider.change(tenant, in: views, &decision)
        case .createCarrier(let carrier): return try CarrierDecider.create(carrier, vault: vault, in: views, &decision)
        case .changeCarrier(let carrier, _): return try CarrierDecider.change(carrier, vault: vault, in: views, &decision)
        case .addNumber(let number): return try NumberDecider.add(number, in: views, &decision)
        case .changeNumber(let number, _): return try NumberDecider.change(number, in: views, &decision)
        case .assignNumber(let id, let subscriber, _):
            return try NumberDecider.assign(id, to: subscriber, in: views, &decision)
        case .addNumbers(let block, let template):
            return try NumberDecider.add(block, like: template, in: views, &decision)
        case .releaseNumber(let id, let how, _): return try NumberDecider.release(id, how, in: views, &decision)
        case .reserveNumber(let id, let reservation, _):
            return try NumberDecider.reserve(id, reservation, in: views, &decision)
        case .reserveNumbers(let block, let provider, let reservation):
            return try NumberDecider.reserve(block, of: provider, reservation, in: views, &decision)
        case .freeNumber(let id, _): return try NumberDecider.free(id, in: views, &decision)
        case .freeNumbers(let block, let provider):
            return try NumberDecider.free(block, of: provider, in: views, &decision)
        case .createSecurityGroup(let group): return try SecurityGroupDecider.create(group, in: views, &decision)
        case .changeSecurityGroup(let group, _): return try SecurityGroupDecider.change(group, in: views, &decision)
        case .createSubscriber(let subscriber, let password):
            return try SubscriberDecider.create(subscriber, password: password, vault: vault, in: views, &decision)
        case .changeSubscriber(let subscriber, let password, _):
            return try SubscriberDecider.change(subscriber, password: password, vault: vault, in: views, &decision)
        case .createCdrExport(let export): return try CdrExportDecider.create(export, in: views, &decision)
        case .changeCdrExport(let export, _): return try CdrExportDecider.change(export, in: views, &decision)
        case .recordCdrFile(let file): return try CdrExportDecider.record(file, in: views, &decision)
        case .recordCdrDelivery(let delivery): return try CdrExportDecider.record(delivery, in: views, &decision)
        case .addDomain(let domain): return try DomainDecider.add(domain, in: views, &decision)
        case .recordDomainCheck(let id, let finding):
            return try DomainDecider.record(id, finding, in: views, &decision)
        case .identity(let command): return try decide(command, views, &decision)
        case .remove(let kind, let id, _): return try RemovalDecider.remove(kind, id, in: views, &decision)
        case .topUp(let customer, let amount, let reason):
            return try JournalDecider.topUp(customer, amount, reason: reason, in: views, &decision)
        case .pay(let provider, let amount, let reason):
            return try JournalDecider.pay(provider, amount, reason: reason, in: views, &decision)
        case .adjust(let debtor, let amount, let reason):
            return try JournalDecider.adjust(debtor, amount, reason: reason, asker: asker, in: views, &decision)
        case .buyPackage(let customer, let number):
            return try PackageDecider.buy(customer, number, in: views, &decision)
        case .cancelPackage(let customer, let package, let reason):
            return try PackageDecider.cancel(customer, package, reason: reason, in: views, &decision)
        case .rerate(let step): return try RerateDecider.step(step, in: views, &decision)
        case .issueToken(let token): return try TokenDecider.issue(token, by: actor, in: views, &decision)
        case .revokeToken(let id): return try TokenDecider.revoke(id, in: views, &decision)
        case .enrollWorker(let worker): return try WorkerDecider.enroll(worker, in: views, &decision)
        case .revokeWorker(let name): return try WorkerDecider.revoke(name, in: views, &decision)
        case .drainWorker(let name): return try drain(name, views, &decision)
        case .clearRegistrations(let subscriber): return try clear(subscriber, views, &decision)
        case .hangUp(let call): return try hangUp(call, views, &decision)
        case .eraseSubject(let id, let reason):
            return try SubjectDecider.erase(id, reason: reason, actor: actor, in: views, &decision)
        case .holdSubject(let id, let isHeld, let reason):
            return try SubjectDecider.hold(id, isHeld, reason: reason, in: views, &decision)
        case .removeRecording(let id, let reason): return try RecordingDecider.remove(id, reason: reason, in: views, &decision)
        case .recordReading(let reading): return SubjectDecider.read(reading, &decision)
        case .changeBilling(let billing): return try BillingDecider.change(billing, in: views, &decision)
        case .publishInvoiceTemplate(let template): return try BillingDecider.publish(template, in: views, &decision)
        case .approveAdjustment(let id):
            return try AdjustmentDecider.approve(id, by: try named(asker), in: views, &decision)
        case .refuseAdjustment(let id, let reason):
            return try AdjustmentDecider.refuse(id, by: try named(asker), reason: reason, in: views, &decision)
        case .expireAdjustment(let id): return try AdjustmentDecider.expire(id, in: views, &decision)
        case .makeVouchers(let batch, let codes):
            return try VoucherDecider.make(batch, codes, key: vault.derivedKey("vouchers"), in: views, &decision)
        case .redeemVoucher(let customer, let code):
            return try VoucherDecider.redeem(customer, code, key: vault.derivedKey("vouchers"), in: views, &decision)
        case .watchBalance(let customer): return try AlertDecider.watchBalance(customer, in: views, &decision)
        case .watchSpend(let customer, let spent, let period):
            return try AlertDecider.watchSpend(customer, spent: spent, period: period, in: views, &decision)
        case .recordAlertSent(let sent): return try AlertDecider.sent(sent, in: views, &decision)
        case .issueInvoice(let invoice): return try InvoiceDecider.issue(invoice, in: views, &decision)
        case .recordInvoicePrint(let print): return try InvoiceDecider.printed(print, in: views, &decision)
        case .mailInvoice(let id): return try InvoiceDecider.mail(id, in: views, &decision)
        }
    }

    /// What needs two persons needs to know who they are.
    private func named(_ asker: AdjustmentDecider.Asker?) throws -> AdjustmentDecider.Asker {
        guard let asker else { throw AdminRejection.forbidden(reason: "this is for somebody with a token") }
        return asker
    }

    private mutating func drain(
        _ name: String, _ views: borrowing ViewTransaction, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard try views.worker(name) != nil else { throw AdminRejection.notFound("worker", name) }
        guard workers.isAlive(name) else { throw AdminRejection.invalid("name", "the worker is not alive") }
        workers.drain(name)
        decision.announcements.append(.with { $0.drain.worker = name })
        return WorkerDecider.stream(of: name)
    }

    private func clear(
        _ id: SubscriberID, _ views: borrowing ViewTransaction, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard try views.subscriber(id) != nil else { throw AdminRejection.notFound("subscriber", id.description) }
        let contacts = registrar.contacts(of: id, at: decision.wall).count
        guard contacts > 0 else { return id.value }
        decision.unbound.append(id)
        decision.record(
            .registrationsCleared(
                .with {
                    $0.subscriberID = id.data
                    $0.contacts = UInt32(contacts)
                }), in: id.value)
        return id.value
    }

    private func hangUp(
        _ call: CallID, _ views: borrowing ViewTransaction, _ decision: inout Decision
    ) throws -> UUIDv7 {
        guard let live = try views.liveCall(call) else {
            throw AdminRejection.notFound("running call", call.description)
        }
        decision.announcements.append(
            .with {
                $0.hangUp.worker = live.worker
                $0.hangUp.callID = live.started.callID
                $0.hangUp.cause = .operator
            })
        return call.value
    }
}

extension AdminCommand {
    /// The stream whose version the asker has seen.
    fileprivate var expectation: (stream: UUIDv7, version: UInt64)? {
        switch self {
        case .changeProvider(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeContact(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeRateDeck(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeServicePlan(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeCustomer(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeDialPlan(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeTenant(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeCarrier(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeNumber(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeSubscriber(let entity, _, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .assignNumber(let id, _, let version): Self.expectation(id.value, version)
        case .releaseNumber(let id, _, let version): Self.expectation(id.value, version)
        case .reserveNumber(let id, _, let version): Self.expectation(id.value, version)
        case .freeNumber(let id, let version): Self.expectation(id.value, version)
        case .changeSecurityGroup(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .changeCdrExport(let entity, let version): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .identity(.changeUser(let entity, let version)): Self.expectation(UUIDv7(bytes: entity.id), version)
        case .identity: nil
        case .remove(_, let id, let version): Self.expectation(id, version)
        case .createProvider, .createContact, .createRateDeck, .publishDeckVersion, .addDeckRows, .createServicePlan, .createCustomer,
            .createDialPlan, .createTenant, .createCarrier, .addNumber, .addNumbers, .reserveNumbers, .freeNumbers, .createSecurityGroup, .createSubscriber, .topUp, .pay, .adjust, .buyPackage, .cancelPackage, .issueToken,
            .revokeToken, .enrollWorker, .revokeWorker, .drainWorker, .hangUp, .clearRegistrations, .addDomain, .recordDomainCheck, .createCdrExport, .recordCdrFile,
            .recordCdrDelivery, .rerate, .eraseSubject, .holdSubject, .removeRecording, .recordReading, .changeBilling, .publishInvoiceTemplate, .approveAdjustment, .refuseAdjustment,
            .expireAdjustment, .makeVouchers, .redeemVoucher, .watchBalance, .watchSpend, .recordAlertSent, .issueInvoice, .recordInvoicePrint, .mailInvoice:
            nil
        }
    }

    private static func expectation(_ stream: UUIDv7?, _ version: UInt64?) -> (stream: UUIDv7, version: UInt64)? {
        guard let stream, let version else { return nil }
        return (stream, version)
    }
}
