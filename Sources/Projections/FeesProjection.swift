import Foundation
public import Model
import Primitives

/// What is paid by the month: which lines and numbers a customer had from when to when, which plan a customer or a provider was
/// under, and up to when each has been charged.
///
/// Amounts are no business of a view: they are decided when a period is over, and recorded.
public enum FeesProjection: Projection {
    public static let name = "fees"
    public static let version: UInt32 = 2
    public static let tables: [Table] = [.feeItems, .feeOpen, .feePlans, .feePeriods, .fees]

    /// What has ended stays for so long after the periods that it was charged in: the provider above has longer ones.
    static let keptMicroseconds: Int64 = 62 * 86_400 * 1_000_000

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .providerCreated(let event): try party(event.provider, context, in: &views)
        case .providerChanged(let event): try party(event.provider, context, in: &views)
        case .servicePlanCreated(let event): try plan(event.plan, context, in: &views)
        case .servicePlanChanged(let event): try plan(event.plan, context, in: &views)
        case .customerCreated(let event): try party(event.customer, context, in: &views)
        case .customerChanged(let event): try party(event.customer, context, in: &views)
        case .tenantChanged(let event): try lines(of: event.tenant, context, in: &views)
        case .numberAdded(let event): try number(event.number.id, context, in: &views)
        case .numberChanged(let event): try number(event.number.id, context, in: &views)
        case .subscriberCreated(let event): try line(event.subscriber, nil, context, in: &views)
        case .subscriberChanged(let event): try line(event.subscriber, nil, context, in: &views)
        case .entityRemoved(let event):
            let id = try views.key(event.id, "id", context)
            switch event.kind {
            case .provider, .customer: try place(id, .plan, payer: nil, context, in: &views)
            case .number: try place(id, .number, payer: nil, context, in: &views)
            case .subscriber: try place(id, .subscriber, payer: nil, context, in: &views)
            case .servicePlan: try views.remove(id, in: .feePlans)
            case .contact, .rateDeck, .dialPlan, .tenant, .carrier, .cdrExport, .securityGroup, .domain, .user, .UNRECOGNIZED: break
            }
        case .feeCharged(let event): try charge(event, context, in: &views)
        case .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished, .dialPlanCreated, .dialPlanChanged,
            .tenantCreated, .carrierCreated, .carrierChanged, .tokenIssued, .tokenRevoked, .registrationsCleared, .workerEnrolled,
            .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded,
            .cdrRecorded, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged, .cdrExportCreated, .cdrExportChanged, .cdrFileExported,
            .cdrFileDelivered, .subjectErased, .subjectHoldChanged, .recordsRead, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved,
            .packageBought, .packageCancelled:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    // MARK: - who is there

    private static func party(
        _ customer: Customer, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(customer.id, "customer.id", context)
        let isCharged = customer.status.allows(.fixedItems)
        try place(key, .plan, payer: isCharged ? key : nil, plan: Key(Array(customer.servicePlanID)), context, in: &views)
    }

    /// Without a plan it pays nothing itself; what is below it pays while its status lets it.
    private static func party(
        _ provider: Provider, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(provider.id, "provider.id", context)
        let isCharged = provider.status.allows(.fixedItems)
        try place(key, .plan, payer: isCharged ? key : nil, plan: Key(Array(provider.servicePlanID)), context, in: &views)
    }

    private static func plan(
        _ plan: ServicePlan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(plan.id, "plan.id", context)
        guard plan.hasFees else { return try views.remove(key, in: .feePlans) }
        guard try views.value(key, in: .feePlans) == nil else { return }
        var since = Key()
        since.add(context.time)
        try views.put(since.bytes, key, in: .feePlans)
    }

    /// The tenant's status counts for its lines.
    private static func lines(
        of tenant: Tenant, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        guard let id = TenantID(tenant.id) else { return }
        var after: UUIDv7?
        while true {
            let page = try views.referrers(of: id.value, kind: .subscriber, after: after, limit: 1_000)
            for id in page {
                guard let subscriber = try views.message(Subscriber.self, Key(id), in: .subscribers) else { continue }
                try line(subscriber, tenant, context, in: &views)
            }
            guard page.count == 1_000 else { return }
            after = page.last
        }
    }

    private static func line(
        _ subscriber: Subscriber, _ tenant: Tenant?, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(subscriber.id, "subscriber.id", context)
        let above: Tenant? =
            if let tenant { tenant } else { try views.message(Tenant.self, Key(Array(subscriber.tenantID)), in: .tenants) }
        let isCharged = above.map { subscriber.status.allows(.fixedItems) && $0.status.allows(.fixedItems) } ?? false
        let payer = above.flatMap { UUIDv7($0.customerID) }.map { Key($0) }
        try place(key, .subscriber, payer: isCharged ? payer : nil, context, in: &views)
    }

    /// As the directory has it: that names the customer also for events that do not.
    private static func number(_ id: Data, _ context: EventContext, in views: inout ViewTransaction) throws(ViewsError) {
        let key = try views.key(id, "number.id", context)
        guard let number = try views.message(Number.self, key, in: .numbers) else { return }
        let payer = number.holder == nil ? nil : UUIDv7(number.customerID).map { Key($0) }
        try place(key, .number, payer: payer, context, in: &views)
    }

    /// The item is the payer's from now on; nil: nobody's.
    private static func place(
        _ item: Key, _ kind: FeeKind, payer: Key?, plan: Key = Key(), _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        if let row = try views.value(item, in: .feeOpen) {
            var reader = KeyReader(row)
            guard let before = reader.id(), let since = reader.time() else { throw .unreadable(table: .feeOpen) }
            if let payer, payer == Key(before), row.suffix(from: 24).elementsEqual(plan.bytes) { return }
            let key = itemKey(Key(before), kind, item, since)
            if since == context.time {
                try views.remove(key, in: .feeItems)
            } else {
                var ended = Key()
                ended.add(context.time)
                try views.put(ended.bytes + row.suffix(from: 24), key, in: .feeItems)
            }
            try views.remove(item, in: .feeOpen)
        }
        guard let payer else { return }
        var row = payer
        row.add(context.time)
        try views.put(row.bytes + plan.bytes, item, in: .feeOpen)
        var open = Key()
        open.add(FeeItem.open)
        try views.put(open.bytes + plan.bytes, itemKey(payer, kind, item, context.time), in: .feeItems)
    }

    private static func itemKey(_ payer: Key, _ kind: FeeKind, _ item: Key, _ since: WallTime) -> Key {
        var key = Key(payer.bytes + [UInt8(truncatingIfNeeded: kind.rawValue)] + item.bytes)
        key.add(since)
        return key
    }

    // MARK: - what is charged

    private static func charge(
        _ fee: FeeCharged, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let payer = try views.key(fee.payerID, "payer_id", context)
        let plan = try views.key(fee.planID, "plan_id", context)
        let end = WallTime(microseconds: fee.periodEnd)
        var key = payer
        key.add(WallTime(microseconds: fee.periodStart))
        try views.put(Key(context.sequence).bytes, Key(key.bytes + plan.bytes), in: .fees)
        var through = Key()
        through.add(end)
        try views.put(through.bytes, Key(payer.bytes + plan.bytes), in: .feePeriods)
        let oldest = WallTime(microseconds: fee.periodEnd - keptMicroseconds)
        for (key, row) in try views.page(.feeItems, prefix: payer, limit: .max) {
            var reader = KeyReader(row)
            guard let ended = reader.time() else { throw .unreadable(table: .feeItems) }
            if ended < oldest { try views.remove(key, in: .feeItems) }
        }
    }
}

extension ServicePlan {
    /// Whether there is anything to pay by the month.
    public var hasFees: Bool { subscriberMonthMicros != 0 || numberMonthMicros != 0 || monthMicros != 0 }
}
