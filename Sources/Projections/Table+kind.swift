/// What a table says about the past.
///
/// A state table says what is true now, and forgets what was: to know it as of an earlier sequence, its projection has
/// to be run up to there. A journal table only grows, and every entry stands for an event, so that "as of S" is a
/// question of which entries are seen. Snapshots hold the state tables alone, which is what keeps them small.
public enum TableKind: Equatable, Sendable {
    case state
    case journal(JournalBound)
    /// The views' own mark: written by whoever applies events, not by a projection.
    case mark
}

/// How an entry of a journal table tells whether it was there as of a sequence.
public enum JournalBound: Equatable, Sendable {
    /// The key ends with the number of a call record, and records are numbered in the order of the log.
    case recordNumberInKey
    /// A `RecordRun`.
    case recordRun
    /// A `StatisticsBlock`.
    case statisticsBlock
    /// A `PostingRun`.
    case postingRun
    /// The value is the number of a call record.
    case recordNumberInValue
    /// The key has the sequence of its event in it, with so many bytes behind.
    case sequenceInKey(bytesBehind: Int)
    /// The value begins with the sequence of its event.
    case sequenceInValue
    /// A stream's version: the one that its last event up to there has in the log.
    case streamVersion
    /// The key begins with deck and version: it is there if the state says that the version is published; of an import, up to the
    /// row that the state names.
    case deckVersion
}

extension Table {
    public var kind: TableKind {
        switch self {
        case .providers, .contacts, .rateDecks, .servicePlans, .customers, .dialPlans, .tenants, .carriers, .numbers,
            .subscribers, .tokens, .workers, .securityGroups, .cdrExports, .exportFiles, .exportDeliveries, .providersByNamespace, .tenantsByDomain, .subscribersByName,
            .numbersByE164, .gatewaysByAddress, .gateways, .externalIDs, .domains, .domainsByName, .users, .usersByEmail, .tokensBySecret, .references:
            .state
        case .deckVersions, .deckTimes, .deckImports: .state
        case .rates: .journal(.deckVersion)
        case .liveCalls, .liveCallsByWorker, .liveCallCounts, .gatewayStarts, .gatewayStates: .state
        case .statistics: .journal(.statisticsBlock)
        case .statisticsParties: .state
        case .cdrs, .cdrsByStart: .journal(.recordNumberInKey)
        case .cdrsByParty: .journal(.recordRun)
        case .cdrsByCall: .journal(.recordNumberInValue)
        case .accounts, .holds, .spend, .spendHolds: .state
        case .feeItems, .feeOpen, .feePlans, .feePeriods, .allowances, .allowanceHolds, .packages, .packageEnds: .state
        case .fees: .journal(.sequenceInValue)
        case .recordings, .recordingsByCall, .recordingsByParty: .state
        case .postings: .journal(.postingRun)
        case .journals: .journal(.sequenceInValue)
        case .corrections: .journal(.sequenceInValue)
        case .correctionsByRecord: .journal(.sequenceInKey(bytesBehind: 0))
        case .billing, .invoiceTemplates, .adjustments, .vouchers, .voucherBatches, .voucherMisses, .alerts, .openAlerts,
            .alertThresholds, .unsentAlerts, .invoiceSeries, .invoiceHeads, .invoiceBalances, .invoicePrints:
            .state
        case .invoices, .invoicesByNumber: .journal(.sequenceInValue)
        case .invoicesByOwner, .invoicesToProviders: .journal(.sequenceInKey(bytesBehind: 0))
        case .streams: .journal(.streamVersion)
        case .history, .changes: .journal(.sequenceInKey(bytesBehind: 0))
        case .subjects, .subjectsErased, .logins, .letters, .lettersDue: .state
        case .meta: .mark
        }
    }

    var isState: Bool { kind == .state }

    var isJournal: Bool {
        switch kind {
        case .journal: true
        case .state, .mark: false
        }
    }

    /// In the order in which snapshots hold them.
    static let stateTables = allCases.filter(\.isState)
    static let journalTables = allCases.filter(\.isJournal)
}

/// The projections that have to be run to know the state as of a sequence.
let stateProjections: [any Projection.Type] = projections.filter { type in type.tables.contains(where: \.isState) }
