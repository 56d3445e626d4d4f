import Foundation
public import Model
import Primitives

/// How it goes with the gateways that register or are probed. Routing asks it which of them do not answer.
public enum GatewaysProjection: Projection {
    public static let name = "gateways"
    public static let version: UInt32 = 1
    public static let tables: [Table] = [.gatewayStates]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .gatewayRegistrationChanged(let event):
            let (key, before) = try row(event.carrierID, event.gatewayID, context, views)
            var state = before
            if state.registration != event.state || state.registrationSince == 0 { state.registrationSince = context.time.microseconds }
            state.registration = event.state
            state.registrationStatus = event.sipStatus
            state.registrationReason = event.reason
            state.registrationWorker = event.worker
            try views.putMessage(state, key, in: .gatewayStates)
        case .gatewayServiceChanged(let event):
            let (key, before) = try row(event.carrierID, event.gatewayID, context, views)
            var state = before
            state.outOfService = !event.inService
            state.serviceSince = context.time.microseconds
            state.serviceStatus = event.sipStatus
            state.serviceReason = event.reason
            state.serviceWorker = event.worker
            try views.putMessage(state, key, in: .gatewayStates)
        case .carrierChanged(let event): try keep(event.carrier.gateways.map(\.id), of: event.carrier.id, context, in: &views)
        case .entityRemoved(let event) where event.kind == .carrier: try keep([], of: event.id, context, in: &views)
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .rateDeckVersionPublished, .servicePlanCreated, .servicePlanChanged, .customerCreated, .customerChanged,
            .dialPlanCreated, .dialPlanChanged, .tenantCreated, .tenantChanged, .carrierCreated,
            .numberAdded, .numberChanged, .subscriberCreated, .subscriberChanged, .entityRemoved, .tokenIssued,
            .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .journalPosted, .callStarted, .callAnswered, .callUpdated,
            .callAdopted, .creditRenewed, .callEnded, .cdrRecorded, .securityGroupCreated, .securityGroupChanged, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .cdrExportCreated, .cdrExportChanged,
            .cdrFileExported, .cdrFileDelivered, .subjectErased, .subjectHoldChanged, .recordsRead, .chargeCorrected, .rerateStepped, .rateDeckRowsAdded, .feeCharged,
            .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed,
            .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    private static func row(
        _ carrier: Data, _ gateway: Data, _ context: EventContext, _ views: borrowing ViewTransaction
    ) throws(ViewsError) -> (Key, GatewayState) {
        let prefix = try views.key(carrier, "carrier_id", context)
        let key = Key(prefix.bytes + (try views.key(gateway, "gateway_id", context)).bytes)
        var state = try views.message(GatewayState.self, key, in: .gatewayStates) ?? GatewayState()
        state.gatewayID = gateway
        state.carrierID = carrier
        return (key, state)
    }

    /// What was known of gateways that the carrier has no more is forgotten.
    private static func keep(
        _ gateways: [Data], of carrier: Data, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let prefix = try views.key(carrier, "carrier_id", context)
        for (key, _) in try views.page(.gatewayStates, prefix: prefix, limit: .max)
        where !gateways.contains(Data(key.bytes.dropFirst(prefix.bytes.count))) { try views.remove(key, in: .gatewayStates) }
    }
}
