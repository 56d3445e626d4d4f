public import Primitives
public import Subjects
import SwiftProtobuf

/// The directory's entities as the writer last decoded them, and what was made of them: a call asks for the same few again and
/// again.
///
/// An entity that is written or removed is forgotten, and with it all that was made of entities, so what is found here is always
/// what the tables hold. It belongs to the writer and outlives its transactions; whoever drops a transaction clears it.
public final class EntityCache {
    private struct Place: Hashable {
        let table: UInt8
        let isOpened: Bool
        let key: FixedKey

        static func == (l: Place, r: Place) -> Bool { l.table == r.table && l.isOpened == r.isOpened && l.key == r.key }

        func hash(into hasher: inout Hasher) { hasher.combine(key.hash ^ UInt64(table) << 56 ^ (isOpened ? 1 : 0)) }
    }

    /// A class is told apart by its type faster than a value behind `any`.
    private final class Entry<M: Message> {
        let message: M
        init(_ message: M) { self.message = message }
    }

    /// About 100 MB of subscribers.
    private static let countMax = 100_000
    private var entries: [Place: AnyObject] = [:]
    private var made: [UUIDv7: AnyObject] = [:]
    /// Of each running call, what was made of its row: as long as neither the fact that it started by nor its worker is another.
    private var calls: [UUIDv7: AnyObject] = [:]
    /// About 30 MB.
    private static let callsMax = 32_768
    /// Of persons, when what is opened here was opened.
    private var erasures = 0
    /// Rises when an entity changes.
    private var changes: UInt64 = 0

    /// False while a registration is looked at: what is read of one line alone is then not kept. A phone registers for hours between two
    /// calls, and a line that is open takes many times what its contacts take.
    public var keepsLines = true

    /// Of everything.
    var count: Int { entries.count + made.count + calls.count }

    /// What was made of entities is still so as long as this is the same.
    func generation(_ keys: SubjectKeys?) -> UInt64 {
        forgetErased(keys)
        return changes
    }

    /// As it is stored.
    func find<M: Message>(_ type: M.Type, _ key: Key, in table: Table) -> M? {
        guard let place = place(key.fixed, table) else { return nil }
        return (entries[place] as? Entry<M>)?.message
    }

    func remember<M: Message>(_ message: M, _ key: Key, in table: Table) {
        guard let place = place(key.fixed, table) else { return }
        if entries.count >= Self.countMax { entries.removeAll(keepingCapacity: true) }
        entries[place] = Entry(message)
    }

    /// With what is personal, as long as nobody was erased since it was opened.
    func findOpened<M: Message>(_ type: M.Type, _ id: UUIDv7, in table: Table, _ keys: SubjectKeys?) -> M? {
        forgetErased(keys)
        guard let place = place(FixedKey(id), table, isOpened: true) else { return nil }
        return (entries[place] as? Entry<M>)?.message
    }

    func rememberOpened<M: Message>(_ message: M, _ id: UUIDv7, in table: Table) {
        guard keepsLines || !table.isOfLines, let place = place(FixedKey(id), table, isOpened: true) else { return }
        if entries.count >= Self.countMax { entries.removeAll(keepingCapacity: true) }
        entries[place] = Entry(message)
    }

    /// What was made of entities alone and kept; nil: nothing, or an entity has changed since.
    public func made<T: AnyObject>(_ type: T.Type, _ id: UUIDv7, _ keys: SubjectKeys?) -> T? {
        forgetErased(keys)
        return made[id] as? T
    }

    public func keep(_ new: AnyObject, _ id: UUIDv7) {
        if made.count >= Self.countMax { made.removeAll(keepingCapacity: true) }
        made[id] = new
    }

    /// What was kept of a call that runs. Entities have no part in it, so their changes leave it as it is.
    func ofCall<T: AnyObject>(_ type: T.Type, _ id: UUIDv7) -> T? { calls[id] as? T }

    func keep(_ new: AnyObject, ofCall id: UUIDv7) {
        if calls.count >= Self.callsMax { calls.removeAll(keepingCapacity: true) }
        calls[id] = new
    }

    /// It starts, ends, or another worker carries it.
    @inline(__always) func forgetCall(_ key: FixedKey) {
        if !calls.isEmpty { calls[UUIDv7(high: key.a, low: key.b)] = nil }
    }

    func forget(_ key: Key, in table: Table) {
        guard table.isOfEntities else { return }
        changes += 1
        if !made.isEmpty { made.removeAll(keepingCapacity: true) }
        for isOpened in [false, true] {
            if let place = place(key.fixed, table, isOpened: isOpened) { entries[place] = nil }
        }
    }

    func clear() {
        changes += 1
        entries.removeAll()
        made.removeAll()
        calls.removeAll()
    }

    private func forgetErased(_ keys: SubjectKeys?) {
        guard let keys, keys.erasures != erasures else { return }
        erasures = keys.erasures
        clear()
    }

    /// nil: not kept. Longer keys than 40 bytes no entity has.
    private func place(_ key: FixedKey?, _ table: Table, isOpened: Bool = false) -> Place? {
        guard table.isOfEntities, let key else { return nil }
        return Place(table: UInt8(truncatingIfNeeded: table.position), isOpened: isOpened, key: key)
    }
}

extension Table {
    fileprivate var isOfLines: Bool { self == .subscribers || self == .numbers }

    /// Rows are entities that change seldom and are read for every call.
    fileprivate var isOfEntities: Bool {
        switch self {
        case .providers, .rateDecks, .servicePlans, .customers, .dialPlans, .tenants, .carriers, .numbers, .subscribers,
            .workers, .deckVersions, .securityGroups:
            true
        case .contacts, .tokens, .cdrExports, .exportFiles, .exportDeliveries, .recordings, .recordingsByCall, .recordingsByParty, .providersByNamespace, .tenantsByDomain, .subscribersByName, .numbersByE164,
            .gatewaysByAddress, .gateways, .externalIDs, .domains, .domainsByName, .users, .usersByEmail, .logins, .letters, .lettersDue, .tokensBySecret, .references, .deckTimes, .deckImports, .rates, .liveCalls, .liveCallsByWorker,
            .liveCallCounts, .gatewayStarts, .gatewayStates, .statistics, .statisticsParties, .cdrs, .cdrsByCall, .cdrsByParty, .cdrsByStart, .corrections, .correctionsByRecord, .accounts, .postings, .holds, .journals, .spend, .spendHolds, .streams, .history, .changes,
            .subjects, .subjectsErased, .feeItems, .feeOpen, .feePlans, .feePeriods, .fees, .allowances, .allowanceHolds, .packages, .packageEnds, .meta, .billing, .invoiceTemplates, .adjustments, .vouchers, .voucherBatches, .voucherMisses, .alerts, .openAlerts, .alertThresholds, .unsentAlerts, .invoiceSeries, .invoiceHeads, .invoiceBalances, .invoicePrints, .invoices, .invoicesByOwner, .invoicesToProviders, .invoicesByNumber:
            false
        }
    }
}
