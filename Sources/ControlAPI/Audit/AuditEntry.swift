import ControlPlane
import Foundation
import Ledger
import Model
import Primitives
import Projections
import Subjects

/// One event for an auditor: who, when, from where, by which request, and every field before and after.
struct AuditEntry {
    struct Change: Hashable {
        var field: String
        var before: JSON
        var after: JSON
    }

    let stored: Envelope
    let origin: Origin
    var entity: (kind: String, id: UUIDv7)
    var changes: [Change] = []
    /// Something of it belonged to a person who was erased.
    var isErased = false
    /// Where it stands in the tree; nil: nowhere but on the platform.
    var place: Place?
    /// Calls that it is about: whoever sees one of them sees it.
    var calls: [CallID] = []

    /// - Parameter showsOrigin: where somebody of the operator's sat, and for whom, is not a provider's to know.
    func json(showsOrigin: Bool) -> JSON {
        [
            "sequence": .integer(stored.sequence), "time": .string(stored.time.rfc3339), "type": .string(stored.type),
            "entity_kind": .string(entity.kind), "entity_id": .string(entity.id.description),
            "version": .integer(stored.version), "actor": .string(stored.actor),
            "on_behalf_of": .string(showsOrigin ? origin.onBehalfOf : ""),
            "acting_for": .string(origin.actingFor),
            "address": .string(showsOrigin ? origin.address : ""), "request_id": .string(stored.cause),
            "erased": .bool(isErased),
            "changes": .array(changes.map { ["field": .string($0.field), "before": $0.before, "after": $0.after] }),
        ]
    }

    static let schemas: [(String, JSON)] = [
        (
            "AuditChange",
            Schema.object(
                [
                    ("field", Schema.text(max: 64)), ("before", ["description": "null: it was not set."]),
                    ("after", ["description": "null: it is not set any more."]),
                ], required: ["field", "before", "after"])
        ),
        (
            "AuditEntry",
            Schema.object(
                [
                    ("sequence", Schema.sequence), ("time", Schema.time), ("type", Schema.text(max: 64)),
                    ("entity_kind", Schema.text(max: 64)), ("entity_id", Schema.uuid), ("version", Schema.sequence),
                    ("actor", Schema.text(max: 128)), ("on_behalf_of", Schema.text(max: 128)), ("acting_for", Schema.text(max: 64)),
                    ("address", Schema.text(max: 64)), ("request_id", Schema.text(max: 128)), ("erased", Schema.flag),
                    ("changes", Schema.list(Schema.reference("AuditChange"))),
                ],
                required: [
                    "sequence", "time", "type", "entity_kind", "entity_id", "version", "actor", "on_behalf_of", "acting_for", "address",
                    "request_id", "erased", "changes",
                ])
        ), ("AuditPage", Schema.page(of: Schema.reference("AuditEntry"))),
    ]
}

extension AuditEntry {
    /// Steps back in a stream in search of what the entity was before.
    private static let stepsMax = 64

    init(_ stored: Envelope, _ log: any EventLog, in views: borrowing ViewSnapshot) throws {
        self.stored = stored
        do throws(SubjectKeyError) {
            origin = try views.keys?.open(origin: stored.origin, cause: stored.cause) ?? Origin()
        } catch {
            throw ViewsError.personal(error)
        }
        let event = try views.event(in: stored)
        entity = (stored.type.split(separator: ".").first.map(String.init) ?? "", stored.stream)
        let now = try EntityState(of: event, in: views)
        if now != nil || event.isEnd {
            let before = try Self.before(stored, log, in: views)
            changes = Self.difference(before?.fields, now?.fields)
            if let before, let now, before.secret != now.secret {
                changes.append(Change(field: "password", before: "(secret)", after: "(another secret)"))
            }
            if let kind = (now ?? before)?.kind { entity.kind = kind }
            isErased = now?.isErased == true || before?.isErased == true
            place = now?.place ?? before?.place
        } else {
            let fact = try FactFields(of: event, in: views)
            changes = fact.fields.map { Change(field: $0.name, before: .null, after: $0.value) }
            if let kind = fact.kind { entity.kind = kind }
            if let id = fact.entity { entity.id = id }
            calls = fact.calls
            // What was removed stands where it stood last.
            place = try fact.place ?? (event.isOfPerson ? Self.before(stored, log, in: views)?.place : nil)
        }
    }

    private static func before(
        _ stored: Envelope, _ log: any EventLog, in views: borrowing ViewSnapshot
    ) throws -> EntityState? {
        var next = stored.previous
        for _ in 0..<stepsMax where next > 0 {
            guard let earlier = try log.event(at: next) else { return nil }
            if let state = try EntityState(of: try views.event(in: earlier), in: views) { return state }
            next = earlier.previous
        }
        return nil
    }

    /// Field by field, in the order of the fields; a field that is not there is null, and an empty one is no difference to it.
    static func difference(_ before: JSON?, _ after: JSON?) -> [Change] {
        let old = before?.members ?? []
        let new = after?.members ?? []
        var names = old.map(\.name)
        for member in new where !names.contains(member.name) { names.append(member.name) }
        return names.compactMap { name in
            let a = before?[name] ?? .null
            let b = after?[name] ?? .null
            return a == b || a.isNothing && b.isNothing ? nil : Change(field: name, before: a, after: b)
        }
    }

    /// Whether a text is in anything that the entry shows; letters large and small are the same.
    func contains(_ text: String, showsOrigin: Bool) -> Bool {
        var shown = [stored.type, stored.actor, stored.cause, entity.kind, entity.id.description, origin.actingFor]
        if showsOrigin { shown += [origin.address, origin.onBehalfOf] }
        for change in changes {
            shown.append(change.field)
            shown += [change.before, change.after].map { $0.text ?? String(decoding: $0.bytes, as: UTF8.self) }
        }
        return shown.contains { $0.range(of: text, options: .caseInsensitive) != nil }
    }
}

extension JSON {
    fileprivate var isNothing: Bool { self == .null || self == "" || self == [] }
}

extension Event {
    /// The entity is not there any more.
    fileprivate var isEnd: Bool {
        switch self {
        case .entityRemoved, .tokenRevoked, .workerRevoked: true
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished,
            .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged, .dialPlanCreated, .dialPlanChanged,
            .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded, .numberChanged, .subscriberCreated,
            .subscriberChanged, .tokenIssued, .registrationsCleared, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .workerEnrolled, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .subjectErased, .subjectHoldChanged, .recordsRead,
            .securityGroupCreated, .securityGroupChanged, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            false
        }
    }

    fileprivate var isOfPerson: Bool {
        switch self {
        case .subjectErased, .subjectHoldChanged: true
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged, .rateDeckVersionPublished,
            .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged, .dialPlanCreated, .dialPlanChanged,
            .tenantCreated, .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded, .numberChanged, .subscriberCreated,
            .subscriberChanged, .entityRemoved, .tokenIssued, .tokenRevoked, .registrationsCleared, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .workerEnrolled, .workerRevoked, .journalPosted,
            .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .recordsRead,
            .securityGroupCreated, .securityGroupChanged, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            false
        }
    }
}
