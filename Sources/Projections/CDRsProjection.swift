import Foundation
package import Model
import Primitives

/// Call detail records, by number, by call, and by everyone whom they concern.
package enum CDRsProjection: Projection {
    package static let name = "cdrs"
    package static let version: UInt32 = 1
    package static let tables: [Table] = [.cdrs, .cdrsByCall, .cdrsByParty]

    package static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .cdrRecorded(let event): try record(event.cdr, context, in: &views)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded:
            break
        }
    }

    private static func record(
        _ cdr: Cdr, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let call = try views.key(cdr.callID, "cdr.call_id", context)
        let expected = try views.nextCDRNumber()
        guard cdr.number == expected else {
            throw .broken(sequence: context.sequence, .cdrNumber(expected: expected, actual: cdr.number))
        }
        if try views.value(call, in: .cdrsByCall) != nil, let id = CallID(cdr.callID) {
            throw .broken(sequence: context.sequence, .secondCDR(id))
        }
        let number = Key(cdr.number)
        try views.putMessage(cdr, number, in: .cdrs)
        try views.put(number.bytes, call, in: .cdrsByCall)
        for id in parties(cdr.caller, cdr.called) { try views.put([], Key(id).adding(cdr.number), in: .cdrsByParty) }
    }
}
