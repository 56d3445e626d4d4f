import LMDB
import Primitives

/// What the open write transaction of the views has changed and not yet handed to LMDB, for the tables that calls touch.
///
/// Belongs to the one write transaction that is open; `Views` keeps it for the next one, so that its memory is used again.
final class ViewBuffers {
    // Changed in place.
    let streams = TableBuffer(isIndexed: true)
    let liveCalls = TableBuffer(isIndexed: true)
    let liveCallsByWorker = TableBuffer(isIndexed: true)
    let liveCallCounts = TableBuffer(isIndexed: true)
    let cdrsByCall = TableBuffer(isIndexed: true)
    let statisticsParties = TableBuffer(isIndexed: true)
    let accounts = TableBuffer(isIndexed: true)
    let holds = TableBuffer(isIndexed: true)
    let allowanceHolds = TableBuffer(isIndexed: true)
    // Added to.
    let history = TableBuffer(isIndexed: false)
    let cdrs = TableBuffer(isIndexed: false)
    let cdrsByStart = TableBuffer(isIndexed: false)
    let journals = TableBuffer(isIndexed: false)
    // Runs.
    let cdrsByParty = RunBuffer(.records)
    let postings = RunBuffer(.postings)
    let statistics = RunBuffer(.statistics)

    let entities = EntityCache()
    /// Of each gateway that a record has named, as the table `gateways` has it.
    var carriers: [UUIDv7: UUIDv7] = [:]
    /// Records and journals that are not in the log yet, by their sequences.
    var unlogged: [UInt64: StoredFact] = [:]

    /// - Parameter head: of the log; nil: everything is there.
    func forget(loggedUpTo head: UInt64?) {
        guard !unlogged.isEmpty else { return }
        guard let head else { return unlogged.removeAll() }
        unlogged = unlogged.filter { $0.key > head }
    }

    /// For building one value at a time.
    let writer = WireWriter()

    private let all: [(table: Table, buffer: TableBuffer)]
    private let byPosition: [TableBuffer?]

    init() {
        all = [
            (.streams, streams), (.liveCalls, liveCalls), (.liveCallsByWorker, liveCallsByWorker),
            (.liveCallCounts, liveCallCounts), (.cdrsByCall, cdrsByCall), (.statisticsParties, statisticsParties), (.accounts, accounts), (.holds, holds),
            (.allowanceHolds, allowanceHolds),
            (.history, history), (.cdrs, cdrs), (.cdrsByStart, cdrsByStart), (.journals, journals),
        ]
        var byPosition = [TableBuffer?](repeating: nil, count: Table.allCases.count)
        for (table, buffer) in all { byPosition[table.position] = buffer }
        self.byPosition = byPosition
    }

    /// nil: what is written to the table goes to LMDB at once.
    subscript(table: Table) -> TableBuffer? { byPosition[table.position] }

    /// nil: the table is not one of runs.
    func runs(_ table: Table) -> RunBuffer? {
        if table == .cdrsByParty { return cdrsByParty }
        if table == .statistics { return statistics }
        return table == .postings ? postings : nil
    }

    /// Memory for what LMDB does not have yet, roughly.
    var byteCount: Int {
        all.reduce(cdrsByParty.byteCount + postings.byteCount + statistics.byteCount) { $0 + $1.buffer.addedBytes }
    }

    func flush(_ databases: TableDatabases, _ transaction: borrowing WriteTransaction) throws(ViewsError) {
        for (table, buffer) in all {
            do {
                try buffer.flush(into: databases[table], transaction)
            } catch {
                throw .storage(error)
            }
        }
        try cdrsByParty.flush(.cdrsByParty, databases, transaction)
        try postings.flush(.postings, databases, transaction)
        try statistics.flush(.statistics, databases, transaction)
    }

    func clear() {
        for (_, buffer) in all { buffer.clear() }
        cdrsByParty.clear()
        postings.clear()
        statistics.clear()
    }

    /// Of a transaction that was dropped.
    func drop() {
        clear()
        entities.clear()
        carriers.removeAll()
        unlogged.removeAll()
    }

    /// Sends for what an event of this stream will ask for. A call's stream has its id.
    @inline(__always) func prefetch(_ stream: UUIDv7) {
        let key = FixedKey(stream)
        streams.prefetch(key)
        liveCalls.prefetch(key)
        holds.prefetch(key)
    }

    /// What was decoded of a row that changes.
    @inline(__always) func forget(_ key: Key, in table: Table) {
        entities.forget(key, in: table)
        if table == .gateways { carriers.removeAll() }
    }

    func shrink() {
        for (_, buffer) in all { buffer.shrink() }
        cdrsByParty.shrink()
        postings.shrink()
        statistics.shrink()
    }
}
