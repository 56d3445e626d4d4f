import ControlPlane
import Foundation
import Model
import Primitives
import Projections

/// What an event says that is about no entity's fields.
struct FactFields {
    var fields: [JSON.Member] = []
    var place: Place?
    var kind: String?
    var entity: UUIDv7?
    var calls: [CallID] = []

    init(of event: Event, in views: borrowing ViewSnapshot) throws {
        switch event {
        case .rateDeckVersionPublished(let event):
            kind = "rate_deck"
            add("version", .integer(event.version.version))
            add("effective_at", .string(WallTime(microseconds: event.version.effectiveAt).rfc3339))
            add("entries", .integer(event.version.rowCount))
            try stand(.rateDeck, event.version.deckID, in: views)
        case .journalPosted(let event):
            kind = "journal"
            add("reason", .string(event.reason))
            if let call = CallID(event.callID) { calls = [call] }
            for posting in event.postings {
                let amount = Decimal.text(micros: posting.amountMicros)
                add("posting " + posting.account.text, .string("\(amount) \(posting.account.currency)"))
                if posting.account.kind == .customer { try stand(.customer, posting.account.ownerID, in: views) }
                if posting.account.kind == .providerPayable, event.callID.isEmpty { try stand(.provider, posting.account.ownerID, in: views) }
            }
        case .subjectErased(let event):
            kind = event.kind.word
            add("person", "erased")
            add("reason", .string(event.reason))
            try stand(event.kind.entity, event.subjectID, in: views)
        case .subjectHoldChanged(let event):
            kind = event.kind.word
            add("held", .bool(event.held))
            add("reason", .string(event.reason))
            try stand(event.kind.entity, event.subjectID, in: views)
        case .registrationsCleared(let event):
            kind = "subscriber"
            add("contacts", .integer(event.contacts))
            try stand(.subscriber, event.subscriberID, in: views)
        case .recordsRead(let event): try show(event, in: views)
        case .cdrFileExported(let event):
            kind = "cdr_export"
            add("file", .string(event.name))
            add("records", .integer(event.records))
            try stand(.cdrExport, event.exportID, in: views)
        case .cdrFileDelivered(let event):
            kind = "cdr_export"
            add("file", .integer(event.file))
            add("host", .string(event.host))
            try stand(.cdrExport, event.exportID, in: views)
        case .userLoggedIn(let event):
            kind = "user"
            try stand(.user, event.userID, in: views)
        case .userLoginFailed(let event):
            kind = "user"
            add("failures", .integer(event.failures))
            if event.lockedUntil != 0 { add("locked_until", JSON.time(microseconds: event.lockedUntil)) }
            try stand(.user, event.userID, in: views)
        case .letterWanted(let event):
            kind = "letter"
            add("kind", .string(event.letter.kind.literal))
            try stand(.provider, event.letter.providerID, in: views)
        case .letterSent(let event): try letter(event.letterID, event.attempt, "", in: views)
        case .letterFailed(let event): try letter(event.letterID, event.attempt, event.reason, in: views)
        case .letterUsed(let event):
            kind = "letter"
            try stand(.user, event.userID, in: views)
        case .chargeCorrected(let event):
            call(event.callID)
            add("correction", .integer(event.number))
            add("difference", .string("\(Decimal.text(micros: event.differenceMicros)) \(event.charge.currency)"))
            add("reason", .string(event.reason))
        case .rerateStepped(let event):
            kind = "rerate"
            add("corrections", .integer(event.corrections))
            add("difference", .string("\(Decimal.text(micros: event.differenceMicros)) \(event.currency)"))
            add("reason", .string(event.reason))
            try stand(.rateDeck, event.deckID, in: views)
        case .rateDeckRowsAdded(let event):
            kind = "rate_deck"
            add("chunk", .integer(event.chunk))
            add("rows", .integer(event.rows))
            try stand(.rateDeck, event.deckID, in: views)
        case .feeCharged(let event):
            kind = "fee"
            add("period", .string(event.period))
            add("amount", .string("\(Decimal.text(micros: event.amountMicros)) \(event.currency)"))
            try stand(event.isProvider ? .provider : .customer, event.payerID, in: views)
        case .packageBought(let event):
            kind = "package"
            add("name", .string(event.package.name))
            add("price", .string("\(Decimal.text(micros: event.package.priceMicros)) \(event.currency)"))
            add("renewals", .integer(event.renewals))
            try stand(.customer, event.customerID, in: views)
        case .packageCancelled(let event):
            kind = "package"
            add("reason", .string(event.reason))
            try stand(.customer, event.customerID, in: views)
        case .billingChanged(let event):
            kind = "billing"
            add("seller", .string(event.billing.seller.name))
            try stand(.provider, event.billing.providerID, in: views)
        case .invoiceTemplatePublished(let event):
            kind = "invoice_template"
            add("hash", .string(hex(Array(event.hash))))
            try stand(.provider, event.providerID, in: views)
        case .adjustmentRequested(let event):
            kind = "adjustment"
            add("amount", .string("\(Decimal.text(micros: event.amount.micros)) \(event.amount.currency)"))
            add("reason", .string(event.reason))
            try stand(.customer, event.customerID, in: views)
            try stand(.provider, event.providerID, in: views)
        case .adjustmentDecided(let event):
            kind = "adjustment"
            add("outcome", .string(event.outcome.literal))
            add("reason", .string(event.reason))
            try stand(.customer, event.customerID, in: views)
            try stand(.provider, event.providerID, in: views)
        case .vouchersMade(let event):
            kind = "voucher_batch"
            add("name", .string(event.name))
            add("vouchers", .integer(event.codes.count))
            add("amount", .string("\(Decimal.text(micros: event.amount.micros)) \(event.amount.currency)"))
            try stand(.provider, event.providerID, in: views)
        case .voucherRedeemed(let event):
            kind = "voucher_batch"
            try stand(.customer, event.customerID, in: views)
        case .voucherMissed(let event):
            kind = "customer"
            add("voucher", "a code that is none")
            try stand(.customer, event.customerID, in: views)
        case .alertRaised(let event):
            kind = "alert"
            add("kind", .string(event.kind.literal))
            add("value", .string("\(Decimal.text(micros: event.value.micros)) \(event.value.currency)"))
            try stand(.customer, event.customerID, in: views)
        case .alertCleared(let event):
            kind = "alert"
            try stand(.customer, event.customerID, in: views)
        case .alertSent(let event):
            kind = "alert"
            add("way", .string(event.way))
            add("delivered", .bool(event.delivered))
        case .invoiceIssued(let event):
            kind = "invoice"
            add("number", .string(event.numberText))
            add("total", .string("\(Decimal.text(micros: event.totalMicros)) \(event.currency)"))
            try stand(.customer, event.customerID, in: views)
            try stand(.provider, event.buyerProviderID, in: views)
        case .invoicePrinted(let event):
            kind = "invoice"
            add("format", .string(event.format))
            add("sha256", .string(hex(Array(event.sha256))))
            add("tool", .string(event.tool))
        case .gatewayRegistrationChanged(let event):
            try gateway(event.gatewayID, event.carrierID, event.worker, event.sipStatus, event.reason, in: views)
            add("registration", .string(event.state.literal))
        case .gatewayServiceChanged(let event):
            try gateway(event.gatewayID, event.carrierID, event.worker, event.sipStatus, event.reason, in: views)
            add("in_service", .bool(event.inService))
        case .recordingStarted(let event):
            kind = "recording"
            add("call_id", .string(UUIDv7(bytes: event.callID)?.description ?? ""))
        case .recordingFinished(let event):
            kind = "recording"
            add("sha256", .string(hex(Array(event.sha256))))
        case .recordingRemoved(let event):
            kind = "recording"
            add("recording_id", .string(UUIDv7(bytes: event.recordingID)?.description ?? ""))
            add("reason", .string(event.reason))
        case .callStarted(let event): call(event.callID)
        case .callAnswered(let event): call(event.callID)
        case .callUpdated(let event): call(event.callID)
        case .callAdopted(let event):
            call(event.callID)
            add("worker", .string(event.worker))
        case .creditRenewed(let event): call(event.callID)
        case .callEnded(let event): call(event.callID)
        case .cdrRecorded(let event):
            call(event.cdr.callID)
            add("number", .integer(event.cdr.number))
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged, .servicePlanCreated,
            .servicePlanChanged, .customerCreated, .customerChanged, .dialPlanCreated, .dialPlanChanged, .tenantCreated,
            .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded, .numberChanged, .subscriberCreated,
            .subscriberChanged, .entityRemoved, .tokenIssued, .tokenRevoked, .workerEnrolled, .workerRevoked,
            .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged, .userCreated, .userChanged, .cdrExportCreated, .cdrExportChanged:
            break
        }
    }

    private mutating func letter(_ id: Data, _ attempt: UInt32, _ reason: String, in views: borrowing ViewSnapshot) throws {
        kind = "letter"
        add("attempt", .integer(attempt))
        if !reason.isEmpty { add("reason", .string(reason)) }
        if let id = LetterID(id), let found = try views.letter(id) { try stand(.provider, found.letter.providerID, in: views) }
    }

    /// A reading is its subject's to know of; one of everything that a token reaches, the token's own node's.
    private mutating func show(_ event: RecordsRead, in views: borrowing ViewSnapshot) throws {
        kind = "records"
        add("what", .string(event.what))
        add("filter", .string(event.filter))
        add("count", .integer(event.count))
        calls = event.ids.compactMap { CallID($0) }
        if let first = calls.first {
            entity = first.value
            kind = "call"
        } else if let scope = UUIDv7(bytes: event.scopeID) {
            entity = scope
            for kind in EntityKind.allCases where place == nil {
                guard let found = try views.place(of: kind, scope) else { continue }
                place = found
                self.kind = kind.parameter
            }
            if place == nil { calls = [CallID(scope)] }
        } else if let token = try TokenID(event.tokenID).flatMap({ id throws(ViewsError) in try views.token(id) }) {
            place = try EntityState.place(ofScope: token.scopeID, in: views)
        }
    }

    private mutating func gateway(
        _ id: Data, _ carrier: Data, _ worker: String, _ status: UInt32, _ reason: String, in views: borrowing ViewSnapshot
    ) throws {
        kind = "gateway"
        entity = UUIDv7(bytes: id)
        add("worker", .string(worker))
        if status != 0 { add("sip_status", .integer(status)) }
        if !reason.isEmpty { add("reason", .string(reason)) }
        try stand(.carrier, carrier, in: views)
    }

    private mutating func add(_ name: String, _ value: JSON) { fields.append(JSON.Member(name, value)) }

    private mutating func call(_ id: Data) {
        kind = "call"
        calls = CallID(id).map { [$0] } ?? []
    }

    private mutating func stand(_ kind: EntityKind, _ id: Data, in views: borrowing ViewSnapshot) throws {
        guard place == nil, let id = UUIDv7(bytes: id) else { return }
        place = try views.place(of: kind, id)
    }
}
