import ControlPlane
import Foundation
import HTTPTypes
import Ledger
import Model
import Primitives
import Projections

/// What happened to an entity, a call or a journal: its events, read from the log.
enum HistoryEndpoint {
    private static let after = QueryParameter(
        "after", .number(0...UInt64(Int64.max)), "The `next` of the page before: a sequence of the log.")

    /// Events looked at for one page.
    private static let examinedMax = 5_000

    static let operations = [
        Operation(
            method: .get, path: "/v1/entities/{entity_id}/history", name: "getHistory", tag: "log",
            summary: "Lists the events of an entity, the oldest first, also after it was removed; who looked at it is in the audit.", access: .needs(.readHistory),
            query: [after, .limit],
            success: .init(status: .ok, about: "A page.", schema: Schema.reference("EventPage")),
            reading: "history", handle: { try list($0) })
    ]

    static let schemas: [(String, JSON)] = [
        (
            "Event",
            Schema.object(
                [
                    ("sequence", Schema.sequence), ("time", Schema.time), ("type", Schema.text(max: 64)),
                    ("version", Schema.sequence), ("actor", Schema.text(max: 128)), ("cause", Schema.text(max: 128)),
                    (
                        "data",
                        [
                            "description": "What the entity was after the event; of money, the postings; null where the log alone holds it.",
                            "type": ["object", "null"],
                        ]
                    ),
                ], required: ["sequence", "time", "type", "version", "actor", "cause", "data"])
        ), ("EventPage", Schema.page(of: Schema.reference("Event"))),
    ]

    private static func list(_ exchange: Exchange) throws -> Reply {
        let id = try exchange.id("entity_id")
        let reach = try exchange.reach
        let limit = exchange.query.limit
        return try exchange.read { views in
            guard try isVisible(id, exchange, in: views) else {
                throw Problem(.notFound, "There is nothing with this id.")
            }
            let redaction = try Redaction(reach, in: views)
            var last = exchange.query.number("after") ?? 0
            var items: [JSON] = []
            var examined = 0
            while true {
                let page = try views.history(of: id, after: last, limit: 500)
                for sequence in page {
                    guard let stored = try exchange.platform.log.event(at: sequence) else { continue }
                    // Who looked at it stands in the audit. Here every page would be followed by its own reading, for ever.
                    let isReading = stored.type == "records.read"
                    guard isReading || items.count < limit, examined < examinedMax else {
                        return .page(items, next: String(last))
                    }
                    last = sequence
                    examined += 1
                    if !isReading { items.append(try json(stored, redaction, in: views)) }
                }
                guard page.count == 500 else { return .page(items, next: nil) }
            }
        }
    }

    /// An entity that was removed is judged by what it was last.
    private static func isVisible(
        _ id: UUIDv7, _ exchange: Exchange, in views: borrowing ViewSnapshot
    ) throws -> Bool {
        let reach = try exchange.reach
        if reach == .platform { return try views.version(of: id) > 0 || !views.history(of: id, limit: 1).isEmpty }
        for kind in EntityKind.allCases where try views.place(of: kind, id) != nil {
            return try views.sees(reach, kind, id)
        }
        let redaction = try Redaction(reach, in: views)
        if let call = try views.liveCall(CallID(id)) { return redaction.seen(call) != nil }
        if let cdr = try views.cdr(call: CallID(id)) { return try redaction.seen(cdr, in: views) != nil }
        for sequence in try views.history(of: id, limit: .max).reversed() {
            guard let stored = try exchange.platform.log.event(at: sequence), stored.stream == id,
                let event = try? Event(closed: stored),
                let place = try place(of: event, in: views)
            else { continue }
            return reach.holds(place)
        }
        return false
    }

    private static func json(
        _ stored: Envelope, _ redaction: Redaction, in views: borrowing ViewSnapshot
    ) throws -> JSON {
        let event = try? views.event(in: stored)
        return .object([
            "sequence": .integer(stored.sequence), "time": .string(stored.time.rfc3339), "type": .string(stored.type),
            "version": .integer(stored.version), "actor": .string(stored.actor), "cause": .string(stored.cause),
            "data": try event.flatMap { event in try data(of: event, redaction, in: views) } ?? .null,
        ])
    }

    /// In the same shape as the resource itself, so without credentials.
    static func data(
        of event: Event, _ redaction: Redaction, in views: borrowing ViewSnapshot
    ) throws -> JSON? {
        switch event {
        case .providerCreated(let event): Providers.shape.json(event.provider)
        case .providerChanged(let event): Providers.shape.json(event.provider)
        case .contactCreated(let event): Contacts.shape.json(event.contact)
        case .contactChanged(let event): Contacts.shape.json(event.contact)
        case .rateDeckCreated(let event): RateDecks.shape.json(event.deck)
        case .rateDeckChanged(let event): RateDecks.shape.json(event.deck)
        case .servicePlanCreated(let event):
            ServicePlans.shape.json(event.plan, try ServicePlans.context(of: event.plan, in: views))
        case .servicePlanChanged(let event):
            ServicePlans.shape.json(event.plan, try ServicePlans.context(of: event.plan, in: views))
        case .customerCreated(let event): Customers.shape.json(event.customer)
        case .customerChanged(let event): Customers.shape.json(event.customer)
        case .dialPlanCreated(let event): DialPlans.shape.json(event.plan)
        case .dialPlanChanged(let event): DialPlans.shape.json(event.plan)
        case .tenantCreated(let event): Tenants.shape.json(event.tenant)
        case .tenantChanged(let event): Tenants.shape.json(event.tenant)
        case .carrierCreated(let event): Carriers.shape.json(event.carrier)
        case .carrierChanged(let event): Carriers.shape.json(event.carrier)
        case .numberAdded(let event): Numbers.shape.json(event.number, try Numbers.context(of: event.number, in: views))
        case .numberChanged(let event):
            Numbers.shape.json(event.number, try Numbers.context(of: event.number, in: views))
        case .subscriberCreated(let event): Subscribers.shape.json(SubscriberDraft(event.subscriber))
        case .subscriberChanged(let event): Subscribers.shape.json(SubscriberDraft(event.subscriber))
        case .securityGroupCreated(let event):
            SecurityGroups.shape.json(event.group, try SecurityGroups.context(of: event.group, in: views))
        case .securityGroupChanged(let event):
            SecurityGroups.shape.json(event.group, try SecurityGroups.context(of: event.group, in: views))
        case .cdrExportCreated(let event): CdrExports.shape.json(event.export)
        case .domainAdded(let event): Domains.shape.json(event.domain)
        case .userCreated(let event): Users.shape.json(event.user)
        case .userChanged(let event): Users.shape.json(event.user)
        case .domainChanged(let event): Domains.shape.json(event.domain)
        case .cdrExportChanged(let event): CdrExports.shape.json(event.export)
        case .cdrFileExported(let event): Shape<CdrFileExported>.cdrFile.json(event)
        case .journalPosted(let event):
            try journal(event, redaction, in: views)
        case .cdrRecorded(let event): try redaction.seen(event.cdr, in: views).map { Shape<Cdr>.cdr.json($0) }
        case .rateDeckVersionPublished, .entityRemoved, .tokenIssued, .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked,
            .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded,
            .subjectErased, .subjectHoldChanged, .recordsRead, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled,
            .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            nil
        }
    }

    /// With the postings to accounts that the token sees.
    private static func journal(
        _ event: JournalPosted, _ redaction: Redaction, in views: borrowing ViewSnapshot
    ) throws -> JSON {
        var postings: [JSON] = []
        for posting in event.postings where try redaction.sees(posting.account, in: views) {
            let amount = FieldContext(currency: Currency(posting.account.currency)).amount(micros: posting.amountMicros)
            postings.append(["account_id": .string(posting.account.text), "amount": amount])
        }
        return ["reason": .string(event.reason), "postings": .array(postings)]
    }

    static func place(of event: Event, in views: borrowing ViewSnapshot) throws -> Place? {
        switch event {
        case .providerCreated(let event): try views.place(of: event.provider)
        case .providerChanged(let event): try views.place(of: event.provider)
        case .contactCreated(let event): try views.place(provider: event.contact.providerID)
        case .contactChanged(let event): try views.place(provider: event.contact.providerID)
        case .rateDeckCreated(let event): try views.place(provider: event.deck.providerID)
        case .rateDeckChanged(let event): try views.place(provider: event.deck.providerID)
        case .servicePlanCreated(let event): try views.place(provider: event.plan.providerID)
        case .servicePlanChanged(let event): try views.place(provider: event.plan.providerID)
        case .customerCreated(let event): try views.place(of: event.customer)
        case .customerChanged(let event): try views.place(of: event.customer)
        case .dialPlanCreated(let event): try views.place(provider: event.plan.providerID)
        case .dialPlanChanged(let event): try views.place(provider: event.plan.providerID)
        case .tenantCreated(let event): try views.place(of: event.tenant)
        case .tenantChanged(let event): try views.place(of: event.tenant)
        case .carrierCreated(let event): try views.place(provider: event.carrier.providerID)
        case .carrierChanged(let event): try views.place(provider: event.carrier.providerID)
        case .numberAdded(let event): try views.place(of: event.number)
        case .numberChanged(let event): try views.place(of: event.number)
        case .subscriberCreated(let event): try views.place(of: event.subscriber)
        case .subscriberChanged(let event): try views.place(of: event.subscriber)
        case .securityGroupCreated(let event): try views.place(provider: event.group.providerID)
        case .securityGroupChanged(let event): try views.place(provider: event.group.providerID)
        case .cdrExportCreated(let event): try views.place(of: event.export)
        case .userCreated(let event): try views.place(of: event.user)
        case .userChanged(let event): try views.place(of: event.user)
        case .domainAdded(let event): try views.place(provider: event.domain.providerID)
        case .domainChanged(let event): try views.place(provider: event.domain.providerID)
        case .cdrExportChanged(let event): try views.place(of: event.export)
        case .rateDeckVersionPublished, .entityRemoved, .tokenIssued, .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked,
            .journalPosted, .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded,
            .cdrRecorded, .subjectErased, .subjectHoldChanged, .recordsRead, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled,
            .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            nil
        }
    }
}
