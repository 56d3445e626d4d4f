import SwiftProtobuf

/// The directory's entities as the writer last decoded them: a call asks for the same few again and again.
///
/// An entity that is written or removed is forgotten, so what is found here is always what the table holds. It belongs to
/// the writer and outlives its transactions; whoever drops a transaction clears it.
package final class EntityCache {
    private struct Place: Hashable {
        let table: UInt8
        let key: FixedKey

        static func == (l: Place, r: Place) -> Bool { l.table == r.table && l.key == r.key }

        func hash(into hasher: inout Hasher) { hasher.combine(key.hash ^ UInt64(table) << 56) }
    }

    /// A class is told apart by its type faster than a value behind `any`.
    private final class Entry<M: Message> {
        let message: M
        init(_ message: M) { self.message = message }
    }

    /// About 100 MB of subscribers.
    private static let countMax = 100_000
    private var entries: [Place: AnyObject] = [:]

    func find<M: Message>(_ type: M.Type, _ key: Key, in table: Table) -> M? {
        guard let place = place(key, table), let entry = entries[place] as? Entry<M> else { return nil }
        return entry.message
    }

    func remember<M: Message>(_ message: M, _ key: Key, in table: Table) {
        guard let place = place(key, table) else { return }
        if entries.count >= Self.countMax { entries.removeAll(keepingCapacity: true) }
        entries[place] = Entry(message)
    }

    func forget(_ key: Key, in table: Table) {
        guard let place = place(key, table) else { return }
        entries[place] = nil
    }

    func clear() { entries.removeAll() }

    /// nil: not kept. Longer keys than 40 bytes no entity has.
    private func place(_ key: Key, _ table: Table) -> Place? {
        guard table.isOfEntities, let key = key.fixed else { return nil }
        return Place(table: UInt8(truncatingIfNeeded: table.position), key: key)
    }
}

extension Table {
    /// Rows are entities that change seldom and are read for every call.
    fileprivate var isOfEntities: Bool {
        switch self {
        case .providers, .rateDecks, .servicePlans, .customers, .dialPlans, .tenants, .carriers, .numbers, .subscribers,
            .workers, .deckVersions, .securityGroups:
            true
        case .contacts, .tokens, .cdrExports, .exportFiles, .exportDeliveries, .providersByNamespace, .tenantsByDomain, .subscribersByName, .numbersByE164,
            .gatewaysByAddress, .gateways, .externalIDs, .domains, .domainsByName, .users, .usersByEmail, .logins, .letters, .lettersDue, .tokensBySecret, .references, .deckTimes, .deckImports, .rates, .liveCalls, .liveCallsByWorker,
            .liveCallCounts, .gatewayStarts, .gatewayStates, .statistics, .statisticsParties, .cdrs, .cdrsByCall, .cdrsByParty, .cdrsByStart, .corrections, .correctionsByRecord, .accounts, .postings, .holds, .journals, .spend, .spendHolds, .streams, .history, .changes,
            .subjects, .subjectsErased, .feeItems, .feeOpen, .feePlans, .feePeriods, .fees, .allowances, .allowanceHolds, .packages, .packageEnds, .meta, .billing, .invoiceTemplates, .adjustments, .vouchers, .voucherBatches, .voucherMisses, .alerts, .openAlerts, .alertThresholds, .unsentAlerts, .invoiceSeries, .invoiceHeads, .invoiceBalances, .invoicePrints, .invoices, .invoicesByOwner, .invoicesByNumber:
            false
        }
    }
}
