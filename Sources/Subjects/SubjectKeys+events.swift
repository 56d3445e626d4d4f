public import Foundation
public import Model
public import Primitives

// An event on its way into the log, and out of it.
extension SubjectKeys {
    /// - Parameter subjects: whom a call's sides belong to, for the facts that name nothing but the call.
    public func seal<E: Error>(
        _ event: inout Event, _ random: inout RandomSource, subjects: (_ call: Data) throws(E) -> CallSubjects?
    ) throws {
        switch event {
        case .contactCreated(var fact):
            try seal(&fact.contact, fact.contact.id, &random)
            event = .contactCreated(fact)
        case .contactChanged(var fact):
            try seal(&fact.contact, fact.contact.id, &random)
            event = .contactChanged(fact)
        case .customerCreated(var fact):
            try seal(&fact.customer, fact.customer.id, &random)
            event = .customerCreated(fact)
        case .customerChanged(var fact):
            try seal(&fact.customer, fact.customer.id, &random)
            event = .customerChanged(fact)
        case .subscriberCreated(var fact):
            try seal(&fact.subscriber, fact.subscriber.id, &random)
            event = .subscriberCreated(fact)
        case .subscriberChanged(var fact):
            try seal(&fact.subscriber, fact.subscriber.id, &random)
            event = .subscriberChanged(fact)
        case .userCreated(var fact):
            try seal(&fact.user, fact.user.id, &random)
            event = .userCreated(fact)
        case .userChanged(var fact):
            try seal(&fact.user, fact.user.id, &random)
            event = .userChanged(fact)
        case .letterWanted(var fact):
            guard let subject = UUIDv7(bytes: fact.letter.subjectID) else { throw SubjectKeyError.malformed }
            try seal(&fact.letter, of: fact.letter.id, subject, subject, &random)
            event = .letterWanted(fact)
        // Every call leaves some of these, and a message that is held twice while it is changed is copied whole.
        case .callStarted(var fact):
            event = .callStarted(CallStarted())
            defer { event = .callStarted(fact) }
            try seal(&fact, of: fact.callID, CallSubjects(fact.caller, fact.called), &random)
        case .callAnswered(var fact):
            guard fact.hasSnapshot, let sides = try subjects(fact.callID) else { return }
            event = .callAnswered(CallAnswered())
            var snapshot = fact.snapshot
            fact.clearSnapshot()
            defer {
                fact.snapshot = snapshot
                event = .callAnswered(fact)
            }
            try seal(&snapshot, of: fact.callID, sides, &random)
        case .callUpdated(var fact):
            guard fact.hasSnapshot, let sides = try subjects(fact.callID) else { return }
            event = .callUpdated(CallUpdated())
            var snapshot = fact.snapshot
            fact.clearSnapshot()
            defer {
                fact.snapshot = snapshot
                event = .callUpdated(fact)
            }
            try seal(&snapshot, of: fact.callID, sides, &random)
        case .callEnded(var fact):
            guard !fact.attempts.isEmpty, let sides = try subjects(fact.callID) else { return }
            event = .callEnded(CallEnded())
            defer { event = .callEnded(fact) }
            try seal(&fact, of: fact.callID, sides, &random)
        case .cdrRecorded(var fact):
            event = .cdrRecorded(CdrRecorded())
            var record = fact.cdr
            fact.clearCdr()
            defer {
                fact.cdr = record
                event = .cdrRecorded(fact)
            }
            try seal(&record, of: record.callID, CallSubjects(record.caller, record.called), &random)
        case .invoiceIssued(var fact):
            guard let buyer = fact.buyerSubject else { throw SubjectKeyError.malformed }
            try seal(&fact, of: fact.id, buyer, buyer, &random)
            event = .invoiceIssued(fact)
        case .providerCreated, .providerChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished, .servicePlanCreated,
            .servicePlanChanged, .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated,
            .carrierChanged, .numberAdded, .numberChanged, .entityRemoved, .tokenIssued, .tokenRevoked, .registrationsCleared, .domainAdded, .domainChanged,
            .userLoggedIn, .userLoginFailed, .letterSent, .letterFailed, .letterUsed,
            .workerEnrolled, .workerRevoked, .journalPosted, .callAdopted, .creditRenewed, .subjectErased,
            .subjectHoldChanged, .recordsRead, .securityGroupCreated, .securityGroupChanged, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    /// Puts the personal fields of an event of the log back.
    public func open(_ event: inout Event) throws(SubjectKeyError) {
        switch event {
        case .contactCreated(var fact):
            try open(&fact.contact, of: fact.contact.id)
            event = .contactCreated(fact)
        case .contactChanged(var fact):
            try open(&fact.contact, of: fact.contact.id)
            event = .contactChanged(fact)
        case .customerCreated(var fact):
            try open(&fact.customer, of: fact.customer.id)
            event = .customerCreated(fact)
        case .customerChanged(var fact):
            try open(&fact.customer, of: fact.customer.id)
            event = .customerChanged(fact)
        case .subscriberCreated(var fact):
            try open(&fact.subscriber, of: fact.subscriber.id)
            event = .subscriberCreated(fact)
        case .subscriberChanged(var fact):
            try open(&fact.subscriber, of: fact.subscriber.id)
            event = .subscriberChanged(fact)
        case .userCreated(var fact):
            try open(&fact.user, of: fact.user.id)
            event = .userCreated(fact)
        case .userChanged(var fact):
            try open(&fact.user, of: fact.user.id)
            event = .userChanged(fact)
        case .letterWanted(var fact):
            try open(&fact.letter, of: fact.letter.id)
            event = .letterWanted(fact)
        case .callStarted(var fact):
            try open(&fact, of: fact.callID)
            event = .callStarted(fact)
        case .callAnswered(var fact):
            guard fact.hasSnapshot else { return }
            try open(&fact.snapshot, of: fact.callID)
            event = .callAnswered(fact)
        case .callUpdated(var fact):
            guard fact.hasSnapshot else { return }
            try open(&fact.snapshot, of: fact.callID)
            event = .callUpdated(fact)
        case .callEnded(var fact):
            try open(&fact, of: fact.callID)
            event = .callEnded(fact)
        case .cdrRecorded(var fact):
            try open(&fact.cdr, of: fact.cdr.callID)
            event = .cdrRecorded(fact)
        case .invoiceIssued(var fact):
            try open(&fact, of: fact.id)
            event = .invoiceIssued(fact)
        case .providerCreated, .providerChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished, .servicePlanCreated,
            .servicePlanChanged, .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated,
            .carrierChanged, .numberAdded, .numberChanged, .entityRemoved, .tokenIssued, .tokenRevoked, .registrationsCleared, .domainAdded, .domainChanged,
            .userLoggedIn, .userLoginFailed, .letterSent, .letterFailed, .letterUsed,
            .workerEnrolled, .workerRevoked, .journalPosted, .callAdopted, .creditRenewed, .subjectErased,
            .subjectHoldChanged, .recordsRead, .securityGroupCreated, .securityGroupChanged, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    private func seal<R: PersonalRecord>(
        _ entity: inout R, _ id: Data, _ random: inout RandomSource
    ) throws(SubjectKeyError) {
        guard let subject = UUIDv7(bytes: id) else { throw .malformed }
        try seal(&entity, of: id, subject, subject, &random)
    }

    private func seal<R: PersonalRecord>(
        _ record: inout R, of call: Data, _ sides: CallSubjects, _ random: inout RandomSource
    ) throws(SubjectKeyError) {
        try seal(&record, of: call, sides.caller, sides.called, &random)
    }
}
