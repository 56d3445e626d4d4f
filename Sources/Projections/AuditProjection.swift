import Foundation
public import Model
import Primitives

/// Which events concern an entity, which are no facts of calls, and at which version every stream is.
public enum AuditProjection: Projection {
    public static let name = "audit"
    public static let version: UInt32 = 3
    public static let tables: [Table] = [.streams, .history, .changes]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let key = Key(context.stream)
        let expected = (try views.number(key, in: .streams) ?? 0) + 1
        guard context.version == expected else {
            throw .broken(sequence: context.sequence, .streamVersion(expected: expected, actual: context.version))
        }
        try views.put(Key(context.version).bytes, key, in: .streams)
        for id in subjects(of: event, context) { try views.put([], Key(id).adding(context.sequence), in: .history) }
        if isChange(event) { try views.put([], Key(context.sequence), in: .changes) }
    }

    /// What people and the platform did, beside calls: of fifty million events a few thousand.
    private static func isChange(_ event: Event) -> Bool {
        switch event {
        case .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded, .cdrRecorded: false
        // Of a re-rating the step is the change: what it led to for each call is in the call's history.
        case .chargeCorrected: false
        // Of an import the published version is.
        case .rateDeckRowsAdded: false
        // Facts of a call like its others.
        case .recordingStarted, .recordingFinished: false
        case .journalPosted(let event): !event.kind.isOfOtherFact
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished,
            .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged, .dialPlanCreated, .dialPlanChanged,
            .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded, .numberChanged, .subscriberCreated,
            .subscriberChanged, .entityRemoved, .tokenIssued, .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .subjectErased,
            .subjectHoldChanged, .recordsRead, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered,
            .rerateStepped, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingRemoved:
            true
        }
    }

    /// The stream's entity, and others whose history would be incomplete without the event.
    private static func subjects(of event: Event, _ context: EventContext) -> [UUIDv7] {
        var ids = [context.stream]
        func add(_ field: Data) {
            if let id = UUIDv7(field), !ids.contains(id) { ids.append(id) }
        }
        switch event {
        case .providerCreated(let event): add(event.provider.id)
        case .providerChanged(let event): add(event.provider.id)
        case .contactCreated(let event): add(event.contact.id)
        case .contactChanged(let event): add(event.contact.id)
        case .rateDeckCreated(let event): add(event.deck.id)
        case .rateDeckChanged(let event): add(event.deck.id)
        case .rateDeckVersionPublished(let event): add(event.version.deckID)
        case .servicePlanCreated(let event): add(event.plan.id)
        case .servicePlanChanged(let event): add(event.plan.id)
        case .customerCreated(let event): add(event.customer.id)
        case .customerChanged(let event): add(event.customer.id)
        case .dialPlanCreated(let event): add(event.plan.id)
        case .dialPlanChanged(let event): add(event.plan.id)
        case .tenantCreated(let event): add(event.tenant.id)
        case .tenantChanged(let event): add(event.tenant.id)
        case .carrierCreated(let event): add(event.carrier.id)
        case .carrierChanged(let event): add(event.carrier.id)
        case .numberAdded(let event): add(event.number.id)
        case .numberChanged(let event):
            add(event.number.id)
            add(event.number.subscriberID)
        case .subscriberCreated(let event): add(event.subscriber.id)
        case .subscriberChanged(let event): add(event.subscriber.id)
        case .entityRemoved(let event): add(event.id)
        case .tokenIssued(let event):
            add(event.token.id)
            add(event.token.scopeID)
        case .tokenRevoked(let event): add(event.tokenID)
        case .registrationsCleared(let event): add(event.subscriberID)
        case .domainAdded(let event): add(event.domain.id)
        case .domainChanged(let event): add(event.domain.id)
        case .journalPosted(let event):
            add(event.id)
            add(event.callID)
            // The charges of calls are found by their records; what people did to an account is history.
            if event.callID.isEmpty { for posting in event.postings { add(posting.account.ownerID) } }
        case .callStarted(let event): add(event.callID)
        case .callAnswered(let event): add(event.callID)
        case .callUpdated(let event): add(event.callID)
        case .callAdopted(let event): add(event.callID)
        case .creditRenewed(let event): add(event.callID)
        case .callEnded(let event): add(event.callID)
        case .cdrRecorded(let event): add(event.cdr.callID)
        case .subjectErased(let event): add(event.subjectID)
        case .subjectHoldChanged(let event): add(event.subjectID)
        case .recordsRead(let event):
            add(event.scopeID)
            for id in event.ids { add(id) }
        case .securityGroupCreated(let event): add(event.group.id)
        case .securityGroupChanged(let event): add(event.group.id)
        case .cdrExportCreated(let event): add(event.export.id)
        case .cdrExportChanged(let event): add(event.export.id)
        case .cdrFileExported(let event): add(event.exportID)
        case .cdrFileDelivered(let event): add(event.exportID)
        // Found by the call's record and by the re-rating.
        case .chargeCorrected(let event):
            add(event.callID)
            add(event.rerateID)
        case .rerateStepped(let event):
            add(event.rerateID)
            add(event.deckID)
            add(event.customerID)
        case .feeCharged(let event):
            add(event.payerID)
            add(event.planID)
        case .packageBought(let event):
            add(event.id)
            add(event.customerID)
        case .packageCancelled(let event):
            add(event.id)
            add(event.customerID)
        case .billingChanged(let event): add(event.billing.providerID)
        case .invoiceTemplatePublished(let event): add(event.providerID)
        case .adjustmentRequested(let event):
            add(event.id)
            add(event.customerID)
            add(event.providerID)
        case .adjustmentDecided(let event):
            add(event.id)
            add(event.customerID)
            add(event.providerID)
        case .vouchersMade(let event):
            add(event.batchID)
            add(event.providerID)
        case .voucherRedeemed(let event):
            add(event.batchID)
            add(event.customerID)
        case .voucherMissed(let event): add(event.customerID)
        case .alertRaised(let event):
            add(event.id)
            add(event.customerID)
        case .alertCleared(let event):
            add(event.id)
            add(event.customerID)
        case .alertSent(let event): add(event.id)
        case .invoiceIssued(let event):
            add(event.id)
            add(event.customerID)
            add(event.buyerProviderID)
            add(event.creditedID)
        case .invoicePrinted(let event): add(event.invoiceID)
        case .gatewayRegistrationChanged(let event):
            add(event.gatewayID)
            add(event.carrierID)
        case .gatewayServiceChanged(let event):
            add(event.gatewayID)
            add(event.carrierID)
        case .recordingStarted(let event):
            add(event.recordingID)
            add(event.callID)
        case .recordingFinished(let event): add(event.recordingID)
        case .recordingRemoved(let event): add(event.recordingID)
        // In the import's stream alone: a deck's history is its versions.
        case .userCreated(let event): add(event.user.id)
        case .userChanged(let event): add(event.user.id)
        case .userLoggedIn(let event): add(event.userID)
        case .userLoginFailed(let event): add(event.userID)
        case .letterWanted(let event):
            add(event.letter.id)
            add(event.letter.subjectID)
        case .letterSent(let event): add(event.letterID)
        case .letterFailed(let event): add(event.letterID)
        case .letterUsed(let event): add(event.letterID)
        case .rateDeckRowsAdded, .workerEnrolled, .workerRevoked: break
        }
        return ids
    }
}
