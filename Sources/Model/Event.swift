public import SwiftProtobuf

/// Every fact that the ledger can hold, each with its payload. A new fact is a new case here, and the
/// compiler then names every projection that has to say what it makes of it.
public enum Event: Sendable, Hashable {
    case providerCreated(ProviderCreated)
    case providerChanged(ProviderChanged)
    case contactCreated(ContactCreated)
    case contactChanged(ContactChanged)
    case rateDeckCreated(RateDeckCreated)
    case rateDeckChanged(RateDeckChanged)
    case rateDeckVersionPublished(RateDeckVersionPublished)
    case servicePlanCreated(ServicePlanCreated)
    case servicePlanChanged(ServicePlanChanged)
    case customerCreated(CustomerCreated)
    case customerChanged(CustomerChanged)
    case dialPlanCreated(DialPlanCreated)
    case dialPlanChanged(DialPlanChanged)
    case tenantCreated(TenantCreated)
    case tenantChanged(TenantChanged)
    case carrierCreated(CarrierCreated)
    case carrierChanged(CarrierChanged)
    case numberAdded(NumberAdded)
    case numberChanged(NumberChanged)
    case subscriberCreated(SubscriberCreated)
    case subscriberChanged(SubscriberChanged)
    case entityRemoved(EntityRemoved)
    case tokenIssued(TokenIssued)
    case tokenRevoked(TokenRevoked)
    case registrationsCleared(RegistrationsCleared)
    case domainAdded(DomainAdded)
    case domainChanged(DomainChanged)
    case workerEnrolled(WorkerEnrolled)
    case workerRevoked(WorkerRevoked)
    case journalPosted(JournalPosted)
    case callStarted(CallStarted)
    case callAnswered(CallAnswered)
    case callUpdated(CallUpdated)
    case callAdopted(CallAdopted)
    case creditRenewed(CreditRenewed)
    case callEnded(CallEnded)
    case cdrRecorded(CdrRecorded)
    case subjectErased(SubjectErased)
    case subjectHoldChanged(SubjectHoldChanged)
    case recordsRead(RecordsRead)
    case securityGroupCreated(SecurityGroupCreated)
    case securityGroupChanged(SecurityGroupChanged)
    case cdrExportCreated(CdrExportCreated)
    case cdrExportChanged(CdrExportChanged)
    case cdrFileExported(CdrFileExported)
    case cdrFileDelivered(CdrFileDelivered)
    case chargeCorrected(ChargeCorrected)
    case rerateStepped(RerateStepped)
    case rateDeckRowsAdded(RateDeckRowsAdded)
    case feeCharged(FeeCharged)
    case packageBought(PackageBought)
    case packageCancelled(PackageCancelled)
    case userCreated(UserCreated)
    case userChanged(UserChanged)
    case userLoggedIn(UserLoggedIn)
    case userLoginFailed(UserLoginFailed)
    case letterWanted(LetterWanted)
    case letterSent(LetterSent)
    case letterFailed(LetterFailed)
    case letterUsed(LetterUsed)
    case billingChanged(BillingChanged)
    case invoiceTemplatePublished(InvoiceTemplatePublished)
    case adjustmentRequested(AdjustmentRequested)
    case adjustmentDecided(AdjustmentDecided)
    case vouchersMade(VouchersMade)
    case voucherRedeemed(VoucherRedeemed)
    case voucherMissed(VoucherMissed)
    case alertRaised(AlertRaised)
    case alertCleared(AlertCleared)
    case alertSent(AlertSent)
    case invoiceIssued(InvoiceIssued)
    case invoicePrinted(InvoicePrinted)
    case gatewayRegistrationChanged(GatewayRegistrationChanged)
    case gatewayServiceChanged(GatewayServiceChanged)
    case recordingStarted(RecordingStarted)
    case recordingFinished(RecordingFinished)
    case recordingRemoved(RecordingRemoved)
}

extension Event {
    /// The literal that the fact is stored under. It never changes, whatever becomes of the Swift name.
    public var storedType: String {
        switch self {
        case .providerCreated: "provider.created"
        case .providerChanged: "provider.changed"
        case .contactCreated: "contact.created"
        case .contactChanged: "contact.changed"
        case .rateDeckCreated: "rate_deck.created"
        case .rateDeckChanged: "rate_deck.changed"
        case .rateDeckVersionPublished: "rate_deck.version_published"
        case .servicePlanCreated: "service_plan.created"
        case .servicePlanChanged: "service_plan.changed"
        case .customerCreated: "customer.created"
        case .customerChanged: "customer.changed"
        case .dialPlanCreated: "dial_plan.created"
        case .dialPlanChanged: "dial_plan.changed"
        case .tenantCreated: "tenant.created"
        case .tenantChanged: "tenant.changed"
        case .carrierCreated: "carrier.created"
        case .carrierChanged: "carrier.changed"
        case .numberAdded: "number.added"
        case .numberChanged: "number.changed"
        case .subscriberCreated: "subscriber.created"
        case .subscriberChanged: "subscriber.changed"
        case .entityRemoved: "entity.removed"
        case .tokenIssued: "token.issued"
        case .tokenRevoked: "token.revoked"
        case .registrationsCleared: "subscriber.registrations_cleared"
        case .domainAdded: "domain.added"
        case .domainChanged: "domain.changed"
        case .workerEnrolled: "worker.enrolled"
        case .workerRevoked: "worker.revoked"
        case .journalPosted: "journal.posted"
        case .callStarted: "call.started"
        case .callAnswered: "call.answered"
        case .callUpdated: "call.updated"
        case .callAdopted: "call.adopted"
        case .creditRenewed: "credit.renewed"
        case .callEnded: "call.ended"
        case .cdrRecorded: "cdr.recorded"
        case .subjectErased: "subject.erased"
        case .subjectHoldChanged: "subject.hold_changed"
        case .recordsRead: "records.read"
        case .securityGroupCreated: "security_group.created"
        case .securityGroupChanged: "security_group.changed"
        case .cdrExportCreated: "cdr_export.created"
        case .cdrExportChanged: "cdr_export.changed"
        case .cdrFileExported: "cdr_export.file_exported"
        case .cdrFileDelivered: "cdr_export.file_delivered"
        case .chargeCorrected: "charge.corrected"
        case .rerateStepped: "rerate.stepped"
        case .rateDeckRowsAdded: "rate_deck.rows_added"
        case .feeCharged: "fee.charged"
        case .packageBought: "package.bought"
        case .packageCancelled: "package.cancelled"
        case .userCreated: "user.created"
        case .userChanged: "user.changed"
        case .userLoggedIn: "user.logged_in"
        case .userLoginFailed: "user.login_failed"
        case .letterWanted: "letter.wanted"
        case .letterSent: "letter.sent"
        case .letterFailed: "letter.failed"
        case .letterUsed: "letter.used"
        case .billingChanged: "billing.changed"
        case .invoiceTemplatePublished: "invoice_template.published"
        case .adjustmentRequested: "adjustment.requested"
        case .adjustmentDecided: "adjustment.decided"
        case .vouchersMade: "voucher.batch_made"
        case .voucherRedeemed: "voucher.redeemed"
        case .voucherMissed: "voucher.missed"
        case .alertRaised: "alert.raised"
        case .alertCleared: "alert.cleared"
        case .alertSent: "alert.sent"
        case .invoiceIssued: "invoice.issued"
        case .invoicePrinted: "invoice.printed"
        case .gatewayRegistrationChanged: "gateway.registration_changed"
        case .gatewayServiceChanged: "gateway.service_changed"
        case .recordingStarted: "recording.started"
        case .recordingFinished: "recording.finished"
        case .recordingRemoved: "recording.removed"
        }
    }

    /// Raised when a payload gets a new meaning (a new field needs none); `init` then upcasts the older ones.
    public var schemaVersion: UInt32 { 1 }

    public var message: any Message {
        switch self {
        case .providerCreated(let payload): payload
        case .providerChanged(let payload): payload
        case .contactCreated(let payload): payload
        case .contactChanged(let payload): payload
        case .rateDeckCreated(let payload): payload
        case .rateDeckChanged(let payload): payload
        case .rateDeckVersionPublished(let payload): payload
        case .servicePlanCreated(let payload): payload
        case .servicePlanChanged(let payload): payload
        case .customerCreated(let payload): payload
        case .customerChanged(let payload): payload
        case .dialPlanCreated(let payload): payload
        case .dialPlanChanged(let payload): payload
        case .tenantCreated(let payload): payload
        case .tenantChanged(let payload): payload
        case .carrierCreated(let payload): payload
        case .carrierChanged(let payload): payload
        case .numberAdded(let payload): payload
        case .numberChanged(let payload): payload
        case .subscriberCreated(let payload): payload
        case .subscriberChanged(let payload): payload
        case .entityRemoved(let payload): payload
        case .tokenIssued(let payload): payload
        case .tokenRevoked(let payload): payload
        case .registrationsCleared(let payload): payload
        case .domainAdded(let payload): payload
        case .domainChanged(let payload): payload
        case .workerEnrolled(let payload): payload
        case .workerRevoked(let payload): payload
        case .journalPosted(let payload): payload
        case .callStarted(let payload): payload
        case .callAnswered(let payload): payload
        case .callUpdated(let payload): payload
        case .callAdopted(let payload): payload
        case .creditRenewed(let payload): payload
        case .callEnded(let payload): payload
        case .cdrRecorded(let payload): payload
        case .subjectErased(let payload): payload
        case .subjectHoldChanged(let payload): payload
        case .recordsRead(let payload): payload
        case .securityGroupCreated(let payload): payload
        case .securityGroupChanged(let payload): payload
        case .cdrExportCreated(let payload): payload
        case .cdrExportChanged(let payload): payload
        case .cdrFileExported(let payload): payload
        case .cdrFileDelivered(let payload): payload
        case .chargeCorrected(let payload): payload
        case .rerateStepped(let payload): payload
        case .rateDeckRowsAdded(let payload): payload
        case .feeCharged(let payload): payload
        case .packageBought(let payload): payload
        case .packageCancelled(let payload): payload
        case .userCreated(let payload): payload
        case .userChanged(let payload): payload
        case .userLoggedIn(let payload): payload
        case .userLoginFailed(let payload): payload
        case .letterWanted(let payload): payload
        case .letterSent(let payload): payload
        case .letterFailed(let payload): payload
        case .letterUsed(let payload): payload
        case .billingChanged(let payload): payload
        case .invoiceTemplatePublished(let payload): payload
        case .adjustmentRequested(let payload): payload
        case .adjustmentDecided(let payload): payload
        case .vouchersMade(let payload): payload
        case .voucherRedeemed(let payload): payload
        case .voucherMissed(let payload): payload
        case .alertRaised(let payload): payload
        case .alertCleared(let payload): payload
        case .alertSent(let payload): payload
        case .invoiceIssued(let payload): payload
        case .invoicePrinted(let payload): payload
        case .gatewayRegistrationChanged(let payload): payload
        case .gatewayServiceChanged(let payload): payload
        case .recordingStarted(let payload): payload
        case .recordingFinished(let payload): payload
        case .recordingRemoved(let payload): payload
        }
    }

    /// The payload's protobuf bytes.
    public func serialized() -> [UInt8] {
        switch self {
        // Each call has these: written by code that is made for them.
        case .callStarted(let payload): payload.wireBytes()
        case .callAnswered(let payload): payload.wireBytes()
        case .callUpdated(let payload): payload.wireBytes()
        case .callEnded(let payload): payload.wireBytes()
        case .creditRenewed(let payload): payload.wireBytes()
        case .cdrRecorded(let payload): payload.wireBytes()
        case .journalPosted(let payload): payload.wireBytes()
        default: message.wireBytes()
        }
    }

    public init(storedType: String, schemaVersion: UInt32, payload: [UInt8]) throws(EventDecodingError) {
        guard schemaVersion == 1 else { throw .newerSchema(type: storedType, version: schemaVersion) }
        do {
            switch storedType {
            case "provider.created": self = .providerCreated(try ProviderCreated(serializedBytes: payload))
            case "provider.changed": self = .providerChanged(try ProviderChanged(serializedBytes: payload))
            case "contact.created": self = .contactCreated(try ContactCreated(serializedBytes: payload))
            case "contact.changed": self = .contactChanged(try ContactChanged(serializedBytes: payload))
            case "rate_deck.created": self = .rateDeckCreated(try RateDeckCreated(serializedBytes: payload))
            case "rate_deck.changed": self = .rateDeckChanged(try RateDeckChanged(serializedBytes: payload))
            case "rate_deck.version_published": self = .rateDeckVersionPublished(try RateDeckVersionPublished(serializedBytes: payload))
            case "service_plan.created": self = .servicePlanCreated(try ServicePlanCreated(serializedBytes: payload))
            case "service_plan.changed": self = .servicePlanChanged(try ServicePlanChanged(serializedBytes: payload))
            case "customer.created": self = .customerCreated(try CustomerCreated(serializedBytes: payload))
            case "customer.changed": self = .customerChanged(try CustomerChanged(serializedBytes: payload))
            case "dial_plan.created": self = .dialPlanCreated(try DialPlanCreated(serializedBytes: payload))
            case "dial_plan.changed": self = .dialPlanChanged(try DialPlanChanged(serializedBytes: payload))
            case "tenant.created": self = .tenantCreated(try TenantCreated(serializedBytes: payload))
            case "tenant.changed": self = .tenantChanged(try TenantChanged(serializedBytes: payload))
            case "carrier.created": self = .carrierCreated(try CarrierCreated(serializedBytes: payload))
            case "carrier.changed": self = .carrierChanged(try CarrierChanged(serializedBytes: payload))
            case "number.added": self = .numberAdded(try NumberAdded(serializedBytes: payload))
            case "number.changed": self = .numberChanged(try NumberChanged(serializedBytes: payload))
            case "subscriber.created": self = .subscriberCreated(try SubscriberCreated(serializedBytes: payload))
            case "subscriber.changed": self = .subscriberChanged(try SubscriberChanged(serializedBytes: payload))
            case "entity.removed": self = .entityRemoved(try EntityRemoved(serializedBytes: payload))
            case "token.issued": self = .tokenIssued(try TokenIssued(serializedBytes: payload))
            case "token.revoked": self = .tokenRevoked(try TokenRevoked(serializedBytes: payload))
            case "subscriber.registrations_cleared": self = .registrationsCleared(try RegistrationsCleared(serializedBytes: payload))
            case "domain.added": self = .domainAdded(try DomainAdded(serializedBytes: payload))
            case "domain.changed": self = .domainChanged(try DomainChanged(serializedBytes: payload))
            case "worker.enrolled": self = .workerEnrolled(try WorkerEnrolled(serializedBytes: payload))
            case "worker.revoked": self = .workerRevoked(try WorkerRevoked(serializedBytes: payload))
            case "journal.posted": self = .journalPosted(try JournalPosted(serializedBytes: payload))
            case "call.started": self = .callStarted(try CallStarted(serializedBytes: payload))
            case "call.answered": self = .callAnswered(try CallAnswered(serializedBytes: payload))
            case "call.updated": self = .callUpdated(try CallUpdated(serializedBytes: payload))
            case "call.adopted": self = .callAdopted(try CallAdopted(serializedBytes: payload))
            case "credit.renewed": self = .creditRenewed(try CreditRenewed(serializedBytes: payload))
            case "call.ended": self = .callEnded(try CallEnded(serializedBytes: payload))
            case "cdr.recorded": self = .cdrRecorded(try CdrRecorded(serializedBytes: payload))
            case "subject.erased": self = .subjectErased(try SubjectErased(serializedBytes: payload))
            case "subject.hold_changed": self = .subjectHoldChanged(try SubjectHoldChanged(serializedBytes: payload))
            case "records.read": self = .recordsRead(try RecordsRead(serializedBytes: payload))
            case "security_group.created": self = .securityGroupCreated(try SecurityGroupCreated(serializedBytes: payload))
            case "security_group.changed": self = .securityGroupChanged(try SecurityGroupChanged(serializedBytes: payload))
            case "cdr_export.created": self = .cdrExportCreated(try CdrExportCreated(serializedBytes: payload))
            case "cdr_export.changed": self = .cdrExportChanged(try CdrExportChanged(serializedBytes: payload))
            case "cdr_export.file_exported": self = .cdrFileExported(try CdrFileExported(serializedBytes: payload))
            case "cdr_export.file_delivered": self = .cdrFileDelivered(try CdrFileDelivered(serializedBytes: payload))
            case "charge.corrected": self = .chargeCorrected(try ChargeCorrected(serializedBytes: payload))
            case "rerate.stepped": self = .rerateStepped(try RerateStepped(serializedBytes: payload))
            case "rate_deck.rows_added": self = .rateDeckRowsAdded(try RateDeckRowsAdded(serializedBytes: payload))
            case "fee.charged": self = .feeCharged(try FeeCharged(serializedBytes: payload))
            case "package.bought": self = .packageBought(try PackageBought(serializedBytes: payload))
            case "package.cancelled": self = .packageCancelled(try PackageCancelled(serializedBytes: payload))
            case "user.created": self = .userCreated(try UserCreated(serializedBytes: payload))
            case "user.changed": self = .userChanged(try UserChanged(serializedBytes: payload))
            case "user.logged_in": self = .userLoggedIn(try UserLoggedIn(serializedBytes: payload))
            case "user.login_failed": self = .userLoginFailed(try UserLoginFailed(serializedBytes: payload))
            case "letter.wanted": self = .letterWanted(try LetterWanted(serializedBytes: payload))
            case "letter.sent": self = .letterSent(try LetterSent(serializedBytes: payload))
            case "letter.failed": self = .letterFailed(try LetterFailed(serializedBytes: payload))
            case "letter.used": self = .letterUsed(try LetterUsed(serializedBytes: payload))
            case "billing.changed": self = .billingChanged(try BillingChanged(serializedBytes: payload))
            case "invoice_template.published": self = .invoiceTemplatePublished(try InvoiceTemplatePublished(serializedBytes: payload))
            case "adjustment.requested": self = .adjustmentRequested(try AdjustmentRequested(serializedBytes: payload))
            case "adjustment.decided": self = .adjustmentDecided(try AdjustmentDecided(serializedBytes: payload))
            case "voucher.batch_made": self = .vouchersMade(try VouchersMade(serializedBytes: payload))
            case "voucher.redeemed": self = .voucherRedeemed(try VoucherRedeemed(serializedBytes: payload))
            case "voucher.missed": self = .voucherMissed(try VoucherMissed(serializedBytes: payload))
            case "alert.raised": self = .alertRaised(try AlertRaised(serializedBytes: payload))
            case "alert.cleared": self = .alertCleared(try AlertCleared(serializedBytes: payload))
            case "alert.sent": self = .alertSent(try AlertSent(serializedBytes: payload))
            case "invoice.issued": self = .invoiceIssued(try InvoiceIssued(serializedBytes: payload))
            case "invoice.printed": self = .invoicePrinted(try InvoicePrinted(serializedBytes: payload))
            case "gateway.registration_changed": self = .gatewayRegistrationChanged(try GatewayRegistrationChanged(serializedBytes: payload))
            case "gateway.service_changed": self = .gatewayServiceChanged(try GatewayServiceChanged(serializedBytes: payload))
            case "recording.started": self = .recordingStarted(try RecordingStarted(serializedBytes: payload))
            case "recording.finished": self = .recordingFinished(try RecordingFinished(serializedBytes: payload))
            case "recording.removed": self = .recordingRemoved(try RecordingRemoved(serializedBytes: payload))
            default: throw EventDecodingError.unknownType(storedType)
            }
        } catch let error as EventDecodingError {
            throw error
        } catch {
            throw .malformedPayload(type: storedType)
        }
    }
}

/// Why stored bytes are not an event that this binary knows.
public enum EventDecodingError: Error, Equatable {
    /// Written by a newer binary: stop, do not skip.
    case unknownType(String)
    case newerSchema(type: String, version: UInt32)
    case malformedPayload(type: String)
}
