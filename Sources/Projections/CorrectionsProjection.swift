import Foundation
public import Model
import Primitives

/// What charges were put right by, of each record in the order of the log.
public enum CorrectionsProjection: Projection {
    public static let name = "corrections"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.corrections, .correctionsByRecord]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .chargeCorrected(let correction): try record(correction, context, in: &views)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .cdrExportCreated, .cdrExportChanged,
            .cdrFileExported, .cdrFileDelivered, .subjectErased, .subjectHoldChanged, .recordsRead, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    private static func record(
        _ correction: ChargeCorrected, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let expected = try views.nextCorrectionNumber()
        guard correction.number == expected else {
            throw .broken(sequence: context.sequence, .correctionNumber(expected: expected, actual: correction.number))
        }
        try views.put(
            Key(context.sequence).adding(correction.cdrNumber).bytes, Key(correction.number), in: .corrections)
        try views.putMessage(
            correction, Key(correction.cdrNumber).adding(context.sequence), in: .correctionsByRecord)
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }
}
