import Foundation
public import Model
import Primitives

/// Every person that the log has held something of: since when, erased when and why, held back by whom. Removing an entity
/// does not remove the subject: its history is still in the log.
public enum SubjectsProjection: Projection {
    public static let name = "subjects"
    public static let version: UInt32 = 2
    public static let tables: [Table] = [.subjects, .subjectsErased]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .contactCreated(let event): try meet(event.contact.id, .contact, context, in: &views)
        case .customerCreated(let event): try meet(event.customer.id, .customer, context, in: &views)
        case .subscriberCreated(let event): try meet(event.subscriber.id, .subscriber, context, in: &views)
        case .userCreated(let event): try meet(event.user.id, .user, context, in: &views)
        // Whoever signs up is a person before there is a user.
        case .letterWanted(let event): try meet(event.letter.subjectID, .user, context, in: &views)
        case .subjectErased(let event):
            var state = try meet(event.subjectID, event.kind, context, in: &views)
            guard state.erasedAt == 0 else { return }
            state.erasedAt = context.sequence
            state.erasedReason = event.reason
            let key = try views.key(event.subjectID, "subject_id", context)
            try views.putMessage(state, key, in: .subjects)
            try views.put(Key(context.sequence).bytes, key, in: .subjectsErased)
        case .subjectHoldChanged(let event):
            var state = try meet(event.subjectID, event.kind, context, in: &views)
            state.held = event.held
            state.heldReason = event.held ? event.reason : ""
            try views.putMessage(state, try views.key(event.subjectID, "subject_id", context), in: .subjects)
        case .providerCreated, .providerChanged, .contactChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished,
            .servicePlanCreated, .servicePlanChanged, .customerChanged, .dialPlanCreated, .dialPlanChanged,
            .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded, .numberChanged,
            .subscriberChanged, .entityRemoved, .tokenIssued, .tokenRevoked, .registrationsCleared, .domainAdded, .domainChanged,
            .userChanged, .userLoggedIn, .userLoginFailed, .letterSent, .letterFailed, .letterUsed, .workerEnrolled, .workerRevoked,
            .journalPosted, .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded,
            .cdrRecorded, .recordsRead, .securityGroupCreated, .securityGroupChanged, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    @discardableResult
    private static func meet(
        _ id: Data, _ kind: SubjectKind, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> SubjectState {
        let key = try views.key(id, "subject_id", context)
        if let known = try views.message(SubjectState.self, key, in: .subjects) { return known }
        var state = SubjectState()
        state.id = id
        state.kind = kind
        state.knownSince = context.sequence
        try views.putMessage(state, key, in: .subjects)
        return state
    }
}
