import LMDB

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
    let accounts = TableBuffer(isIndexed: true)
    let holds = TableBuffer(isIndexed: true)
    // Added to.
    let history = TableBuffer(isIndexed: false)
    let cdrs = TableBuffer(isIndexed: false)
    let cdrsByParty = TableBuffer(isIndexed: false)
    let cdrsByStart = TableBuffer(isIndexed: false)
    let postings = TableBuffer(isIndexed: false)
    let journals = TableBuffer(isIndexed: false)

    let entities = EntityCache()
    /// Records and journals that are not in the log yet, by their sequences.
    var unlogged: [UInt64: StoredFact] = [:]

    /// For building one value at a time.
    let writer = WireWriter()

    private let all: [(table: Table, buffer: TableBuffer)]
    private let byPosition: [TableBuffer?]

    init() {
        all = [
            (.streams, streams), (.liveCalls, liveCalls), (.liveCallsByWorker, liveCallsByWorker),
            (.liveCallCounts, liveCallCounts), (.cdrsByCall, cdrsByCall), (.accounts, accounts), (.holds, holds),
            (.history, history), (.cdrs, cdrs), (.cdrsByParty, cdrsByParty), (.cdrsByStart, cdrsByStart), (.postings, postings), (.journals, journals),
        ]
        var byPosition = [TableBuffer?](repeating: nil, count: Table.allCases.count)
        for (table, buffer) in all { byPosition[table.position] = buffer }
        self.byPosition = byPosition
    }

    /// nil: what is written to the table goes to LMDB at once.
    subscript(table: Table) -> TableBuffer? { byPosition[table.position] }

    /// Memory in use, roughly.
    var byteCount: Int { all.reduce(0) { $0 + $1.buffer.valueBytes + $1.buffer.rowCount * 96 } }

    func flush(_ databases: TableDatabases, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
        for (table, buffer) in all { try buffer.flush(into: databases[table], transaction) }
    }

    func clear() {
        for (_, buffer) in all { buffer.clear() }
    }

    /// Of a transaction that was dropped.
    func drop() {
        clear()
        entities.clear()
        unlogged.removeAll()
    }

    func shrink() {
        for (_, buffer) in all { buffer.shrink() }
    }
}
