import LMDB
public import Ledger
public import Primitives
public import Subjects

/// The views as they were at one sequence number, for as long as `Views.read` runs; writers go on meanwhile.
///
/// As of an earlier sequence it is made of two: state tables come from views that were brought to that sequence, and
/// journal tables from the running views, cut off there.
public struct ViewSnapshot: ~Copyable, ViewQueries {
    let transaction: ReadTransaction
    let databases: TableDatabases
    public let applied: UInt64
    public let keys: SubjectKeys?
    /// nil: all tables are of one transaction.
    let journals: JournalsAsOf?
    private let log: (any EventLog)?

    init(
        transaction: consuming ReadTransaction, databases: TableDatabases, applied: UInt64, keys: SubjectKeys?,
        log: (any EventLog)?
    ) {
        self.keys = keys
        self.log = log
        self.transaction = transaction
        self.databases = databases
        self.applied = applied
        journals = nil
    }

    init(
        states: consuming ReadTransaction, _ databases: TableDatabases, journals: consuming JournalsAsOf, keys: SubjectKeys?
    ) {
        self.keys = keys
        log = journals.log
        applied = journals.sequence
        transaction = states
        self.databases = databases
        self.journals = consume journals
    }

    /// Of the newest event, for a question about the past; nil: the question is about now.
    public var timeAsOf: WallTime? {
        get throws(ViewsError) {
            switch journals {
            case .some: try applied == 0 ? WallTime(microseconds: 0) : timeOfNewest()
            case .none: nil
            }
        }
    }

    private func timeOfNewest() throws(ViewsError) -> WallTime? {
        do {
            return try log?.event(at: applied)?.time
        } catch {
            throw .log(error)
        }
    }

    public func fact(at sequence: UInt64) throws(ViewsError) -> StoredFact { try StoredFact(at: sequence, in: log) }

    public func stream(_ id: UUIDv7) throws(ViewsError) -> [Envelope] { try StoredFact.stream(id, in: log) }

    public func value(_ key: Key, in table: Table) throws(ViewsError) -> [UInt8]? {
        if case .journal(let bound) = table.kind {
            switch journals {
            case .some(let journals):
                return try journals.value(key, in: table, bound, transaction)
            case .none: break
            }
        }
        return try databases.value(key, in: table, transaction)
    }

    public func scan(
        _ table: Table, from start: Key, _ body: (Key, [UInt8]) throws(ViewsError) -> Bool
    ) throws(ViewsError) {
        if case .journal(let bound) = table.kind {
            switch journals {
            case .some(let journals):
                return try journals.scan(table, bound, from: start, transaction, body)
            case .none: break
            }
        }
        try databases.scan(table, from: start, transaction, body)
    }

    public func last(in table: Table, atOrBefore key: Key) throws(ViewsError) -> (key: Key, value: [UInt8])? {
        if case .journal(let bound) = table.kind {
            switch journals {
            case .some(let journals):
                return try journals.last(in: table, bound, atOrBefore: key, transaction)
            case .none: break
            }
        }
        return try databases.last(in: table, atOrBefore: key, transaction)
    }
}
