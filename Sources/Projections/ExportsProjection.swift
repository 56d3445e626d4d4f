import Foundation
public import Model
import Primitives

/// The files of every export, and how far each server has them. An export goes on behind its last file here.
public enum ExportsProjection: Projection {
    public static let name = "exports"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.exportFiles, .exportDeliveries]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .cdrFileExported(let file):
            let key = try views.key(file.exportID, "export_id", context).adding(file.file)
            try views.putMessage(file, key, in: .exportFiles)
        case .cdrFileDelivered(let delivery):
            let key = try views.key(delivery.exportID, "export_id", context)
            try views.put(Key(delivery.file).bytes, key, in: .exportDeliveries)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .cdrExportCreated, .cdrExportChanged,
            .subjectErased, .subjectHoldChanged, .recordsRead, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }
}
