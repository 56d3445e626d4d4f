import Model
import Primitives

/// The kinds of events that every call leaves behind: nearly all of a log. Projections read them from their stored bytes,
/// live and in a replay alike; everything else is decoded into an `Event` first.
public enum CallFact: UInt8, Sendable {
    case callStarted
    case callAnswered
    case callUpdated
    case callAdopted
    case creditRenewed
    case callEnded
    case cdrRecorded
    case journalPosted

    init?(_ event: Event) {
        switch event {
        case .callStarted: self = .callStarted
        case .callAnswered: self = .callAnswered
        case .callUpdated: self = .callUpdated
        case .callAdopted: self = .callAdopted
        case .creditRenewed: self = .creditRenewed
        case .callEnded: self = .callEnded
        case .cdrRecorded: self = .cdrRecorded
        case .journalPosted: self = .journalPosted
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .subjectErased, .subjectHoldChanged, .recordsRead, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            return nil
        }
    }

    /// By the literal that it is stored under.
    init?(storedType: RawSpan) {
        // The first letters and the length tell them apart; then all of it is compared.
        let fact: CallFact
        switch storedType.byteCount {
        case 10: fact = .callEnded
        case 12:
            switch unsafe storedType.unsafeLoad(fromByteOffset: 6, as: UInt8.self) {
            case UInt8(ascii: "t"): fact = .callStarted
            case UInt8(ascii: "p"): fact = .callUpdated
            case UInt8(ascii: "d"): fact = .callAdopted
            case UInt8(ascii: "c"): fact = .cdrRecorded
            default: return nil
            }
        case 13: fact = .callAnswered
        case 14: fact = unsafe storedType.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == UInt8(ascii: "c") ? .creditRenewed : .journalPosted
        default: return nil
        }
        let name = fact.storedType
        let isSame = unsafe storedType.withUnsafeBytes { bytes in
            for index in 0..<bytes.count where unsafe bytes[index] != name.utf8Start[index] { return false }
            return true
        }
        guard isSame else { return nil }
        self = fact
    }

    var storedType: StaticString {
        switch self {
        case .callStarted: "call.started"
        case .callAnswered: "call.answered"
        case .callUpdated: "call.updated"
        case .callAdopted: "call.adopted"
        case .creditRenewed: "credit.renewed"
        case .callEnded: "call.ended"
        case .cdrRecorded: "cdr.recorded"
        case .journalPosted: "journal.posted"
        }
    }

    func malformed(_ context: EventContext) -> ViewsError {
        .event(sequence: context.sequence, .malformedPayload(type: storedType.description))
    }
}

extension CallFact {
    /// Of the facts whose first field is the call's id.
    func callID(_ payload: RawSpan, _ context: EventContext) throws(ViewsError) -> UUIDv7 {
        var id: UUIDv7?
        var reader = WireReader(payload)
        while reader.next(in: payload) {
            if reader.tag == 1 << 3 | 2 { id = reader.id(in: payload) }
        }
        guard !reader.isMalformed else { throw malformed(context) }
        guard let id else { throw .broken(sequence: context.sequence, .malformedField("call_id")) }
        return id
    }
}
