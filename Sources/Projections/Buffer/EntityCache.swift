import SwiftProtobuf

/// The directory's entities as the writer last decoded them: a call asks for the same few again and again.
///
/// An entity that is written or removed is forgotten, so what is found here is always what the table holds. It belongs to
/// the writer and outlives its transactions; whoever drops a transaction clears it.
package final class EntityCache {
    private struct Place: Hashable {
        let table: Table
        let key: Key
    }

    /// About 100 MB of subscribers.
    private static let countMax = 100_000
    private var messages: [Place: any Message] = [:]

    func find<M: Message>(_ type: M.Type, _ key: Key, in table: Table) -> M? {
        guard table.isOfEntities else { return nil }
        return messages[Place(table: table, key: key)] as? M
    }

    func remember(_ message: some Message, _ key: Key, in table: Table) {
        guard table.isOfEntities else { return }
        if messages.count >= Self.countMax { messages.removeAll(keepingCapacity: true) }
        messages[Place(table: table, key: key)] = message
    }

    func forget(_ key: Key, in table: Table) {
        guard table.isOfEntities else { return }
        messages[Place(table: table, key: key)] = nil
    }

    func clear() { messages.removeAll() }
}

extension Table {
    /// Rows are entities that change seldom and are read for every call.
    fileprivate var isOfEntities: Bool {
        switch self {
        case .providers, .rateDecks, .servicePlans, .customers, .dialPlans, .tenants, .carriers, .numbers, .subscribers,
            .workers, .deckVersions:
            true
        case .contacts, .tokens, .cdrExports, .exportFiles, .exportDeliveries, .providersByNamespace, .tenantsByDomain, .subscribersByName, .numbersByE164,
            .gatewaysByAddress, .gateways, .externalIDs, .tokensBySecret, .references, .deckTimes, .rates, .liveCalls, .liveCallsByWorker,
            .liveCallCounts, .cdrs, .cdrsByCall, .cdrsByParty, .cdrsByStart, .corrections, .correctionsByRecord, .accounts, .postings, .holds, .journals, .streams, .history, .changes,
            .subjects, .subjectsErased, .meta:
            false
        }
    }
}
