import ControlPlane
import Foundation
import Model
import Primitives
import Projections
import Subjects

/// What an entity is after an event, in the shape of its resource, so without secrets.
struct EntityState {
    var kind: String
    var fields: JSON
    var place: Place?
    var isErased = false
    /// Compared, never shown.
    var secret = Data()

    /// nil: the event says nothing about what an entity is.
    init?(of event: Event, in views: borrowing ViewSnapshot) throws {
        switch event {
        case .providerCreated, .providerChanged: kind = "provider"
        case .contactCreated(let event):
            kind = "contact"
            isErased = event.contact.isErased
        case .contactChanged(let event):
            kind = "contact"
            isErased = event.contact.isErased
        case .rateDeckCreated, .rateDeckChanged: kind = "rate_deck"
        case .servicePlanCreated, .servicePlanChanged: kind = "service_plan"
        case .customerCreated(let event):
            kind = "customer"
            isErased = event.customer.isErased
        case .customerChanged(let event):
            kind = "customer"
            isErased = event.customer.isErased
        case .dialPlanCreated, .dialPlanChanged: kind = "dial_plan"
        case .tenantCreated, .tenantChanged: kind = "tenant"
        case .carrierCreated, .carrierChanged: kind = "carrier"
        case .numberAdded, .numberChanged: kind = "number"
        case .subscriberCreated(let event):
            kind = "subscriber"
            secret = event.subscriber.sealedCredential
            isErased = event.subscriber.isErased
        case .subscriberChanged(let event):
            kind = "subscriber"
            secret = event.subscriber.sealedCredential
            isErased = event.subscriber.isErased
        case .securityGroupCreated, .securityGroupChanged: kind = "security_group"
        case .cdrExportCreated, .cdrExportChanged: kind = "cdr_export"
        case .domainAdded, .domainChanged: kind = "domain"
        case .userCreated(let event):
            kind = "user"
            secret = event.user.sealedSecret
            isErased = event.user.isErased
        case .userChanged(let event):
            kind = "user"
            secret = event.user.sealedSecret
            isErased = event.user.isErased
        case .tokenIssued(let event):
            kind = "token"
            fields = Shape<Token>.token.json(event.token)
            place = try Self.place(ofScope: event.token.scopeID, in: views)
            return
        case .workerEnrolled(let event):
            kind = "worker"
            fields = [
                "name": .string(event.worker.name), "kind": .string(event.worker.kind.literal),
                "public_key": .string(hex(Array(event.worker.curvePublicKey))),
            ]
            return
        case .entityRemoved, .rateDeckVersionPublished, .tokenRevoked, .registrationsCleared, .workerRevoked, .journalPosted, .callStarted,
            .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .subjectErased,
            .subjectHoldChanged, .recordsRead, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged, .packageBought, .packageCancelled,
            .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            return nil
        }
        guard let fields = try HistoryEndpoint.data(of: event, try Redaction(.platform, in: views), in: views) else {
            return nil
        }
        self.fields = fields
        place = try HistoryEndpoint.place(of: event, in: views)
    }

    /// nil: it is the platform's, or gone.
    static func place(ofScope id: Data, in views: borrowing ViewSnapshot) throws -> Place? {
        guard let id = UUIDv7(bytes: id) else { return nil }
        for kind in [EntityKind.provider, .customer, .tenant, .subscriber] {
            if let place = try views.place(of: kind, id) { return place }
        }
        return nil
    }
}
