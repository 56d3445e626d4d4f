import Foundation
public import Model
import Primitives

/// The prices: every published version of every deck, by prefix.
///
/// A version is never changed, and its prices outlive its deck: which of them are in force is said by the deck's
/// versions and their times. So the prices, by far the largest table, need not be in a snapshot of the state.
public enum RatesProjection: Projection {
    public static let name = "rates"
    public static let version: UInt32 = 3
    public static let tables: [Table] = [.deckVersions, .deckTimes, .rates, .deckImports]

    public static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .rateDeckVersionPublished(let event): try publish(event.version, context, in: &views)
        case .rateDeckRowsAdded(let event): try add(event, context, in: &views)
        case .entityRemoved(let event):
            guard event.kind == .rateDeck else { return }
            let deck = try views.key(event.id, "id", context)
            for table in [Table.deckVersions, .deckTimes] { try views.removeAll(table, prefix: deck) }
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated, .rateDeckChanged,
            .servicePlanCreated,
            .servicePlanChanged, .customerCreated, .customerChanged, .dialPlanCreated, .dialPlanChanged, .tenantCreated,
            .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded, .numberChanged, .subscriberCreated,
            .subscriberChanged, .tokenIssued, .tokenRevoked, .registrationsCleared, .domainAdded, .domainChanged,
            .userCreated, .userChanged, .userLoggedIn, .userLoginFailed, .letterWanted, .letterSent, .letterFailed, .letterUsed, .workerEnrolled, .workerRevoked, .journalPosted,
            .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded, .cdrRecorded,
            .subjectErased, .subjectHoldChanged, .recordsRead, .securityGroupCreated, .securityGroupChanged, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped, .feeCharged, .packageBought, .packageCancelled, .billingChanged, .invoiceTemplatePublished, .adjustmentRequested, .adjustmentDecided, .vouchersMade, .voucherRedeemed, .voucherMissed, .alertRaised, .alertCleared, .alertSent, .invoiceIssued, .invoicePrinted, .gatewayRegistrationChanged, .gatewayServiceChanged, .recordingStarted, .recordingFinished, .recordingRemoved:
            break
        }
    }

    /// Facts of calls change nothing here.
    public static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    private static func publish(
        _ version: RateDeckVersion, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let deck = try views.key(version.deckID, "version.deck_id", context)
        let base = deck.adding(version.version)
        var hasPatterns = version.usesPatterns
        for entry in version.entries {
            try views.putMessage(entry, base.adding(text: entry.key), in: .rates)
            hasPatterns = hasPatterns || !entry.pattern.isEmpty
        }
        var summary = version
        summary.entries = []
        summary.rows = version.rowCount
        summary.usesPatterns = hasPatterns
        var time = deck
        time.add(WallTime(microseconds: version.effectiveAt))
        try views.put(DeckRows.Trait.bytes(of: summary), time.adding(version.version), in: .deckTimes)
        try views.putMessage(summary, base, in: .deckVersions)
        guard !version.importID.isEmpty else { return }
        // So that rows of the import are there for whoever asks as of a time, from this version on.
        let source = try views.key(version.importID, "version.import_id", context)
        try views.putMessage(summary, source.adding(UInt32(0)), in: .deckVersions)
        guard let id = UUIDv7(bytes: version.importID), var progress = try views.deckImport(id) else { return }
        progress.version = version.version
        try views.putMessage(progress, source, in: .deckImports)
    }

    /// Nothing is priced by these rows before a version names the import.
    private static func add(
        _ event: RateDeckRowsAdded, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let source = try views.key(event.importID, "import_id", context)
        guard let entries = event.entries, let id = UUIDv7(bytes: event.importID) else { throw .unreadable(table: .rates) }
        let base = source.adding(UInt32(0))
        var progress = try views.deckImport(id) ?? DeckImport()
        for entry in entries {
            try views.putMessage(entry, base.adding(text: entry.key), in: .rates)
            if !entry.pattern.isEmpty { progress.patternRows += 1 }
            if entry.band > 0 { progress.bands |= 1 << min(entry.band, 31) }
        }
        progress.id = event.importID
        progress.deckID = event.deckID
        progress.chunks = event.chunk + 1
        progress.rows += UInt64(entries.count)
        if let last = entries.last { progress.lastKey = last.key }
        progress.hashes.append(event.hash)
        progress.changedAt = context.time.microseconds
        try views.putMessage(progress, source, in: .deckImports)
    }
}
