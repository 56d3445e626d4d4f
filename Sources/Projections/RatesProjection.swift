import Foundation
package import Model
import Primitives

/// The prices: every published version of every deck, by prefix.
///
/// A version is never changed, and its prices outlive its deck: which of them are in force is said by the deck's
/// versions and their times. So the prices, by far the largest table, need not be in a snapshot of the state.
package enum RatesProjection: Projection {
    package static let name = "rates"
    package static let version: UInt32 = 2
    package static let tables: [Table] = [.deckVersions, .deckTimes, .rates]

    package static func evolve(
        _ event: Event, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        switch event {
        case .rateDeckVersionPublished(let event): try publish(event.version, context, in: &views)
        case .entityRemoved(let event):
            guard event.kind == .rateDeck else { return }
            let deck = try views.key(event.id, "id", context)
            for table in [Table.deckVersions, .deckTimes] { try views.removeAll(table, prefix: deck) }
        case .providerCreated, .providerChanged, .contactCreated, .contactChanged, .rateDeckCreated,
            .servicePlanCreated,
            .servicePlanChanged, .customerCreated, .customerChanged, .dialPlanCreated, .dialPlanChanged, .tenantCreated,
            .tenantChanged, .carrierCreated, .carrierChanged, .numberAdded, .numberChanged, .subscriberCreated,
            .subscriberChanged, .tokenIssued, .tokenRevoked, .registrationsCleared, .workerEnrolled, .workerRevoked, .journalPosted,
            .callStarted, .callAnswered, .callUpdated, .callAdopted, .creditRenewed, .callEnded, .cdrRecorded,
            .subjectErased, .subjectHoldChanged, .recordsRead, .cdrExportCreated, .cdrExportChanged, .cdrFileExported, .cdrFileDelivered, .chargeCorrected, .rerateStepped:
            break
        }
    }

    /// Facts of calls change nothing here.
    package static func evolve(
        _ fact: CallFact, _ payload: RawSpan, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) -> Bool { true }

    private static func publish(
        _ version: RateDeckVersion, _ context: EventContext, in views: inout ViewTransaction
    ) throws(ViewsError) {
        let deck = try views.key(version.deckID, "version.deck_id", context)
        let base = deck.adding(version.version)
        for entry in version.entries { try views.putMessage(entry, base.adding(text: entry.prefix), in: .rates) }
        var time = deck
        time.add(WallTime(microseconds: version.effectiveAt))
        try views.put([], time.adding(version.version), in: .deckTimes)
        var summary = version
        summary.entries = []
        try views.putMessage(summary, base, in: .deckVersions)
    }
}
