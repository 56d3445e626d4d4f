import Foundation
public import Model
import Primitives

/// Recordings of calls: which there are, of whom, and whether their files are still to be there.
public enum RecordingsProjection: Projection {
    public static let name = "recordings"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.recordings, .recordingsByCall, .recordingsByParty]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .recordingStarted(let event):
            let key = try views.key(event.recordingID, "recording_id", context)
            var state = RecordingState()
            state.started = event
            try views.putMessage(state, key, in: .recordings)
            try views.put([], Key(try views.key(event.callID, "call_id", context).bytes + key.bytes), in: .recordingsByCall)
            for party in parties(event.isCallers ? event.caller : CallParty(), event.isCalled ? event.called : CallParty()) { try views.put([], Key(Key(party).bytes + key.bytes), in: .recordingsByParty) }
        case .recordingFinished(let event):
            let key = try views.key(event.recordingID, "recording_id", context)
            guard var state = try views.message(RecordingState.self, key, in: .recordings) else { return }
            state.finished = event
            try views.putMessage(state, key, in: .recordings)
        case .recordingRemoved(let event):
            let key = try views.key(event.recordingID, "recording_id", context)
            guard var state = try views.message(RecordingState.self, key, in: .recordings) else { return }
            state.removedAt = context.time.microseconds
            state.removedReason = event.reason
            // Whoever finds the file after all cannot read it by what is here.
            state.started.sealedKey = Data()
            try views.putMessage(state, key, in: .recordings)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .cdrExportCreated, .cdrExportChanged,
            .cdrFileExported, .cdrFileDelivered, .subjectErased, .subjectHoldChanged, .recordsRead, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }
}
