import Foundation
public import Model
import Primitives
import Subjects

/// Every entity by its id, the unique names that find it, and who refers to whom.
public enum DirectoryProjection: Projection {
    public static let name = "directory"
    public static let version: UInt32 = 6
    public static let tables: [Table] = [
        .providers, .contacts, .rateDecks, .servicePlans, .customers, .dialPlans, .tenants, .carriers, .numbers,
        .subscribers, .tokens, .workers, .securityGroups, .cdrExports, .providersByNamespace, .tenantsByDomain, .subscribersByName, .numbersByE164,
        .gatewaysByAddress, .gateways, .externalIDs, .domains, .domainsByName, .users, .usersByEmail, .tokensBySecret, .references,
    ]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .providerCreated(let event): try store(event.provider, context, in: &views)
        case .providerChanged(let event): try store(event.provider, context, in: &views)
        case .contactCreated(let event): try store(event.contact, context, in: &views)
        case .contactChanged(let event): try store(event.contact, context, in: &views)
        case .rateDeckCreated(let event): try store(event.deck, context, in: &views)
        case .rateDeckChanged(let event): try store(event.deck, context, in: &views)
        case .servicePlanCreated(let event): try store(event.plan, context, in: &views)
        case .servicePlanChanged(let event): try store(event.plan, context, in: &views)
        case .customerCreated(let event): try store(event.customer, context, in: &views)
        case .customerChanged(let event): try store(event.customer, context, in: &views)
        case .dialPlanCreated(let event): try store(event.plan, context, in: &views)
        case .dialPlanChanged(let event): try store(event.plan, context, in: &views)
        case .tenantCreated(let event): try store(event.tenant, context, in: &views)
        case .tenantChanged(let event): try store(event.tenant, context, in: &views)
        case .carrierCreated(let event): try store(event.carrier, context, in: &views)
        case .carrierChanged(let event): try store(event.carrier, context, in: &views)
        case .numberAdded(let event): try store(try placed(event.number, in: views), context, in: &views)
        case .numberChanged(let event): try store(try placed(event.number, in: views), context, in: &views)
        case .subscriberCreated(let event): try store(event.subscriber, context, in: &views)
        case .subscriberChanged(let event): try store(event.subscriber, context, in: &views)
        case .securityGroupCreated(let event): try store(event.group, context, in: &views)
        case .securityGroupChanged(let event): try store(event.group, context, in: &views)
        case .cdrExportCreated(let event): try store(event.export, context, in: &views)
        case .cdrExportChanged(let event): try store(event.export, context, in: &views)
        case .domainAdded(let event): try store(event.domain, context, in: &views)
        case .domainChanged(let event): try store(event.domain, context, in: &views)
        case .userCreated(let event): try store(event.user, context, in: &views)
        case .userChanged(let event): try store(event.user, context, in: &views)
        case .entityRemoved(let event): try remove(event.kind, event.id, context, in: &views)
        case .tokenIssued(let event):
            try views.putMessage(event.token, try views.key(event.token.id, "token.id", context), in: .tokens)
            try views.put(Array(event.token.id), Key(Array(event.token.secretHash)), in: .tokensBySecret)
        case .tokenRevoked(let event):
            let key = try views.key(event.tokenID, "token_id", context)
            guard let token = try views.message(Token.self, key, in: .tokens) else { return }
            try views.remove(Key(Array(token.secretHash)), in: .tokensBySecret)
            try views.remove(key, in: .tokens)
        case .workerEnrolled(let event): try views.putMessage(event.worker, Key(text: event.worker.name), in: .workers)
        case .subjectErased(let event): try forgetNames(event, context, in: &views)
        case .workerRevoked(let event): try views.remove(Key(text: event.name), in: .workers)
        case .registrationsCleared, .rateDeckVersionPublished, .journalPosted, .callStarted, .callAnswered, .callUpdated, .callAdopted,
            .creditRenewed, .callEnded, .cdrRecorded, .subjectHoldChanged, .recordsRead, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled,
            .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    private static func store<Entity: DirectoryEntity>(
        _ entity: Entity, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(entity.id, "\(Entity.kind).id", context)
        if let old = try views.message(Entity.self, key, in: Entity.table) { try unlink(old, key, in: &views) }
        for index in try views.opened(entity).indexes(views.keys) { try views.put(index.value, index.key, in: index.table) }
        for (field, target) in entity.references where !target.isEmpty {
            try views.put([], referenceKey(try views.key(target, field, context), Entity.kind, key), in: .references)
        }
        try views.putMessage(entity, key, in: Entity.table)
    }

    /// Events of earlier versions say who has a number, and not whose that is.
    private static func placed(_ number: Number, in views: borrowing ViewTransaction) throws(ViewsError) -> Number {
        guard number.customerID.isEmpty, let id = SubscriberID(number.subscriberID), let subscriber = try views.subscriber(id),
            let tenantID = TenantID(subscriber.tenantID), let tenant = try views.tenant(tenantID)
        else { return number }
        var number = number
        (number.customerID, number.tenantID) = (tenant.customerID, tenant.id)
        return number
    }

    private static func remove(
        _ kind: EntityKind, _ id: Data, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch kind {
        case .provider: try remove(Provider.self, id, context, in: &views)
        case .contact: try remove(Contact.self, id, context, in: &views)
        case .rateDeck: try remove(RateDeck.self, id, context, in: &views)
        case .servicePlan: try remove(ServicePlan.self, id, context, in: &views)
        case .customer: try remove(Customer.self, id, context, in: &views)
        case .dialPlan: try remove(DialPlan.self, id, context, in: &views)
        case .tenant: try remove(Tenant.self, id, context, in: &views)
        case .carrier: try remove(Carrier.self, id, context, in: &views)
        case .number: try remove(Number.self, id, context, in: &views)
        case .subscriber: try remove(Subscriber.self, id, context, in: &views)
        case .securityGroup: try remove(SecurityGroup.self, id, context, in: &views)
        case .cdrExport: try remove(CdrExport.self, id, context, in: &views)
        case .domain: try remove(Domain.self, id, context, in: &views)
        case .user: try remove(User.self, id, context, in: &views)
        case .UNRECOGNIZED: throw .broken(sequence: context.sequence, .malformedField("kind"))
        }
    }

    private static func remove<Entity: DirectoryEntity>(
        _ type: Entity.Type, _ id: Data, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(id, "id", context)
        guard let old = try views.message(type, key, in: Entity.table) else { return }
        try unlink(old, key, in: &views)
        try views.remove(key, in: Entity.table)
    }

    /// An index entry that leads to somebody else by now is theirs, and stays.
    private static func unlink<Entity: DirectoryEntity>(
        _ entity: Entity, _ key: Key, in views: inout ViewTransaction
    ) throws(ViewsError) {
        for index in try views.opened(entity).indexes(views.keys)
        where try views.value(index.key, in: index.table) == index.value {
            try views.remove(index.key, in: index.table)
        }
        for (_, target) in entity.references where target.count == 16 {
            try views.remove(referenceKey(Key(Array(target)), Entity.kind, key), in: .references)
        }
    }

    /// Whatever still leads to an erased subscriber. The names themselves may not be there any more to look them up by,
    /// as in a replay, so the index of the tenant is gone through.
    private static func forgetNames(
        _ event: SubjectErased, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(event.subjectID, "subject_id", context)
        if let kind = event.kind.directoryKind {
            for (entry, _) in try views.page(.externalIDs, prefix: Key([kind.keyByte]), limit: .max)
            where entry.bytes.suffix(16).elementsEqual(key.bytes) { try views.remove(entry, in: .externalIDs) }
        }
        if event.kind == .user {
            for (entry, id) in try views.page(.usersByEmail, prefix: Key([]), limit: .max) where id == key.bytes {
                try views.remove(entry, in: .usersByEmail)
            }
        }
        guard event.kind == .subscriber else { return }
        guard let subscriber = try views.message(Subscriber.self, key, in: .subscribers) else { return }
        for owner in [Key(Array(subscriber.tenantID)), Key(UUIDv7.platform)] {
            for (name, id) in try views.page(.subscribersByName, prefix: owner, limit: .max)
            where id == key.bytes { try views.remove(name, in: .subscribersByName) }
        }
    }

    private static func referenceKey(_ target: Key, _ kind: EntityKind, _ referrer: Key) -> Key {
        Key(target.bytes + [UInt8(truncatingIfNeeded: kind.rawValue)] + referrer.bytes)
    }
}
