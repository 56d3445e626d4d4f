import Foundation
public import Model
import Primitives
import SwiftProtobuf

/// How providers bill, what waits for a second person, vouchers, alerts and invoices.
public enum BooksProjection: Projection {
    public static let name = "books"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [
        .billing, .invoiceTemplates, .adjustments, .vouchers, .voucherBatches, .voucherMisses, .alerts, .openAlerts, .alertThresholds,
        .unsentAlerts, .invoiceSeries, .invoiceHeads, .invoiceBalances, .invoicePrints, .invoices, .invoicesByOwner, .invoicesToProviders, .invoicesByNumber,
    ]

    /// Of missed codes the newest are kept: no limit asks for more.
    public static let missesKept = 20

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .billingChanged(let event):
            try views.putMessage(event.billing, try seller(event.billing.providerID, context), in: .billing)
        case .invoiceTemplatePublished(let event): try views.putMessage(event, Key(Array(event.hash)), in: .invoiceTemplates)
        case .customerCreated(let event): try watch(event.customer, context, in: &views)
        case .customerChanged(let event): try watch(event.customer, context, in: &views)
        case .entityRemoved(let event):
            if event.kind == .customer { try views.remove(try views.key(event.id, "id", context), in: .alertThresholds) }
        case .adjustmentRequested(let event):
            let state = AdjustmentState.with {
                $0.requested = event
                $0.requestedAt = context.time.microseconds
            }
            try views.putMessage(state, try views.key(event.id, "id", context), in: .adjustments)
        case .adjustmentDecided(let event):
            let key = try views.key(event.id, "id", context)
            guard var state = try views.message(AdjustmentState.self, key, in: .adjustments) else { return }
            state.decided = event
            state.decidedAt = context.time.microseconds
            try views.putMessage(state, key, in: .adjustments)
        case .vouchersMade(let event): try make(event, context, in: &views)
        case .voucherRedeemed(let event): try redeem(event, context, in: &views)
        case .voucherMissed(let event):
            let key = try views.key(event.customerID, "customer_id", context)
            var misses = try views.message(VoucherMisses.self, key, in: .voucherMisses) ?? VoucherMisses()
            misses.at = (misses.at + [context.time.microseconds]).suffix(missesKept)
            try views.putMessage(misses, key, in: .voucherMisses)
        case .alertRaised(let event):
            let key = try views.key(event.id, "id", context)
            let state = AlertState.with {
                $0.raised = event
                $0.raisedAt = context.time.microseconds
            }
            try views.putMessage(state, key, in: .alerts)
            try views.put(Array(event.id), try openKey(event.customerID, event.kind, context, views), in: .openAlerts)
            try views.put([], key, in: .unsentAlerts)
        case .alertCleared(let event):
            let key = try views.key(event.id, "id", context)
            try views.remove(try openKey(event.customerID, event.kind, context, views), in: .openAlerts)
            guard var state = try views.message(AlertState.self, key, in: .alerts) else { return }
            state.clearedAt = context.time.microseconds
            try views.putMessage(state, key, in: .alerts)
        case .alertSent(let event):
            let key = try views.key(event.id, "id", context)
            try views.remove(key, in: .unsentAlerts)
            guard var state = try views.message(AlertState.self, key, in: .alerts) else { return }
            state.sent = event
            state.sentAt = context.time.microseconds
            try views.putMessage(state, key, in: .alerts)
        case .invoiceIssued(let event): try issue(event, context, in: &views)
        case .invoicePrinted(let event):
            let key = try views.key(event.invoiceID, "invoice_id", context).adding(text: event.format)
            if try views.value(key, in: .invoicePrints) == nil { try views.putMessage(event, key, in: .invoicePrints) }
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .tokenIssued,
            .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged,
            .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .subjectErased, .subjectHoldChanged, .recordsRead,
            .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed,
            .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    private static func watch(
        _ customer: Customer, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = try views.key(customer.id, "customer.id", context)
        if customer.hasLowBalanceAlertMicros || customer.hasSpendAlertMicros {
            try views.put([], key, in: .alertThresholds)
        } else if try views.value(key, in: .alertThresholds) != nil {
            // Whoever watches has to clear what lasts before the customer is forgotten here.
            var lasts = false
            for kind in [AlertKind.lowBalance, .spend] {
                let open = try openKey(customer.id, kind, context, views)
                if try views.value(open, in: .openAlerts) != nil { lasts = true }
            }
            if !lasts { try views.remove(key, in: .alertThresholds) }
        }
    }

    private static func make(
        _ event: VouchersMade, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var batch = VoucherBatch()
        batch.made = event
        batch.made.codes = []
        batch.madeAt = context.time.microseconds
        batch.count = UInt64(event.codes.count)
        try views.putMessage(batch, try views.key(event.batchID, "batch_id", context), in: .voucherBatches)
        let state = VoucherState.with { $0.batchID = event.batchID }
        for code in event.codes { try views.putMessage(state, Key(Array(code)), in: .vouchers) }
    }

    private static func redeem(
        _ event: VoucherRedeemed, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        var state = VoucherState()
        state.batchID = event.batchID
        state.customerID = event.customerID
        state.journalID = event.journalID
        state.redeemedAt = context.time.microseconds
        try views.putMessage(state, Key(Array(event.code)), in: .vouchers)
        let key = try views.key(event.batchID, "batch_id", context)
        guard var batch = try views.message(VoucherBatch.self, key, in: .voucherBatches) else { return }
        batch.redeemed += 1
        try views.putMessage(batch, key, in: .voucherBatches)
    }

    private static func issue(
        _ event: InvoiceIssued, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let (key, provider) = (try views.key(event.id, "id", context), try seller(event.providerID, context))
        guard let debtor = event.debtor else { throw .broken(sequence: context.sequence, .malformedField("customer_id")) }
        let series = provider.adding(UInt32(truncatingIfNeeded: event.kind.rawValue))
        try views.put(Key(event.number).bytes, series, in: .invoiceSeries)
        try views.put(Key(context.sequence).bytes, key, in: .invoices)
        try views.put(Key(context.sequence).bytes, series.adding(event.number), in: .invoicesByNumber)
        try views.put([], provider.adding(context.sequence), in: .invoicesByOwner)
        switch debtor {
        case .customer(let id): try views.put([], Key(id.value).adding(context.sequence), in: .invoicesByOwner)
        case .provider(let id): try views.put([], Key(id.value).adding(context.sequence), in: .invoicesToProviders)
        }
        switch event.kind {
        case .invoice:
            let head = InvoiceHead.with {
                $0.invoiceID = event.id
                $0.throughSequence = event.throughSequence
                $0.periodTo = event.periodTo
            }
            try views.putMessage(head, .invoiceHead(debtor, event.currency), in: .invoiceHeads)
            let balance = InvoiceBalance.with {
                $0.totalMicros = event.totalMicros
                $0.netMicros = event.netMicros
            }
            try views.putMessage(balance, key, in: .invoiceBalances)
        case .creditNote:
            let credited = try views.key(event.creditedID, "credited_id", context)
            guard var balance = try views.message(InvoiceBalance.self, credited, in: .invoiceBalances) else { return }
            balance.creditedMicros &+= event.totalMicros
            try views.putMessage(balance, credited, in: .invoiceBalances)
        case .UNRECOGNIZED: throw .broken(sequence: context.sequence, .malformedField("kind"))
        }
    }

    private static func seller(_ id: Data, _ context: EventContext) throws(ViewsError) -> Key {
        guard let id = ProviderID(seller: id) else { throw .broken(sequence: context.sequence, .malformedField("provider_id")) }
        return Key(id.value)
    }

    private static func openKey(
        _ customer: Data, _ kind: AlertKind, _ context: EventContext, _ views: borrowing ViewTransaction
    ) throws(ViewsError) -> Key {
        try views.key(customer, "customer_id", context).adding(UInt32(truncatingIfNeeded: kind.rawValue))
    }
}
