import LMDB
import Primitives

/// What the open transaction adds to a table of runs: gathered by owner, and put behind the owner's last row when it is flushed.
///
/// An owner's rows are only ever added to at their end, and a question flushes first.
final class RunBuffer {
    enum Kind {
        case records
        case postings
        /// All under one owner, the empty key.
        case statistics
    }

    private let kind: Kind
    /// Owner → what was added, at a fixed width each, in the order of the log.
    private let added = TableBuffer(isIndexed: true)

    init(_ kind: Kind) { self.kind = kind }

    @inline(__always) func add(_ party: UUIDv7, _ number: UInt64) {
        let bytes: InlineArray<1, UInt64> = [number]
        added.append(FixedKey(party), unsafe bytes.span.bytes)
    }

    @inline(__always) func add(_ account: FixedKey, _ movement: PostingRun.Movement) {
        let bytes: InlineArray<4, UInt64> = [
            movement.sequence, UInt64(movement.index), UInt64(bitPattern: movement.amount), UInt64(bitPattern: movement.balance),
        ]
        added.append(account, unsafe bytes.span.bytes)
    }

    /// The rows that it says have to follow.
    @inline(__always) func add(_ head: StatisticsBlock.Head) {
        let words = head.words
        added.append(FixedKey(0, count: 0), unsafe words.span.bytes)
    }

    @inline(__always) func add(_ row: StatisticsRow) {
        let words = row.words
        added.append(FixedKey(0, count: 0), unsafe words.span.bytes)
    }

    var byteCount: Int { added.valueBytes + added.rowCount * 96 }

    func clear() { added.clear() }

    func shrink() { added.shrink() }

    func flush(
        _ table: Table, _ databases: TableDatabases, _ transaction: borrowing WriteTransaction
    ) throws(ViewsError) {
        guard !added.isEmpty else { return }
        defer { added.clear() }
        var rows: [(Key, [UInt8])] = []
        for row in added.sortedRows() {
            let owner = Key(added.key(row))
            let end = Key(owner.bytes + [UInt8](repeating: 0xFF, count: kind == .postings ? 12 : 8))
            let last = try databases.last(in: table, atOrBefore: end, transaction)
            let known = last.flatMap { $0.key.hasPrefix(owner) ? $0 : nil }
            switch kind {
            case .records: rows += try records(behind: known, owner, row)
            case .postings: rows += try postings(behind: known, owner, row)
            case .statistics: rows += try statistics(behind: known, row)
            }
        }
        do {
            try transaction.withWriteCursor(in: databases[table]) { cursor throws(LMDBError) in
                for (key, value) in rows {
                    let result = unsafe key.bytes.withUnsafeBytes { key in
                        unsafe value.withUnsafeBytes { value in
                            Result { () throws(LMDBError) in _ = try unsafe cursor.put(key, value) }
                        }
                    }
                    try result.get()
                }
            }
        } catch {
            throw .storage(error)
        }
    }

    private func records(
        behind last: (key: Key, value: [UInt8])?, _ owner: Key, _ row: Int
    ) throws(ViewsError) -> [(Key, [UInt8])] {
        var rows: [(Key, [UInt8])] = []
        var run: RecordRun?
        if let last {
            run = RecordRun(last.key, last.value)
            if run == nil { throw .unreadable(table: .cdrsByParty) }
        }
        added.withValue(row) { bytes in
            for offset in stride(from: 0, to: bytes.byteCount, by: 8) {
                let number = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
                if run?.append(number) == true { continue }
                if let run { rows.append((owner.adding(run.first), run.value)) }
                run = RecordRun(number)
            }
        }
        if let run { rows.append((owner.adding(run.first), run.value)) }
        return rows
    }

    private func statistics(behind last: (key: Key, value: [UInt8])?, _ row: Int) throws(ViewsError) -> [(Key, [UInt8])] {
        var rows: [(Key, [UInt8])] = []
        var block: StatisticsBlock?
        if let last {
            block = StatisticsBlock(last.key, last.value)
            if block == nil { throw .unreadable(table: .statistics) }
        }
        added.withValue(row) { bytes in
            var offset = 0
            while offset < bytes.byteCount {
                let head = StatisticsBlock.Head(bytes, at: offset)
                offset += StatisticsBlock.Head.byteCount
                let end = offset + head.rows * StatisticsRow.byteCount
                let record = bytes.extracting(offset..<end)
                offset = end
                if block?.append(record) == true { continue }
                if let block { rows.append((block.key, block.value)) }
                block = StatisticsBlock(head, record)
            }
        }
        if let block { rows.append((block.key, block.value)) }
        return rows
    }

    private func postings(
        behind last: (key: Key, value: [UInt8])?, _ owner: Key, _ row: Int
    ) throws(ViewsError) -> [(Key, [UInt8])] {
        var rows: [(Key, [UInt8])] = []
        var run: PostingRun?
        if let last {
            run = PostingRun(last.key, last.value)
            if run == nil { throw .unreadable(table: .postings) }
        }
        func key(_ run: PostingRun) -> Key { owner.adding(run.movements[0].sequence).adding(run.movements[0].index) }
        added.withValue(row) { bytes in
            for offset in stride(from: 0, to: bytes.byteCount, by: 32) {
                func word(_ place: Int) -> UInt64 { unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + place, as: UInt64.self) }
                let movement = PostingRun.Movement(
                    sequence: word(0), index: UInt32(truncatingIfNeeded: word(8)), amount: Int64(bitPattern: word(16)),
                    balance: Int64(bitPattern: word(24)))
                if run?.append(movement) == true { continue }
                if let run { rows.append((key(run), run.value)) }
                run = PostingRun(movement)
            }
        }
        if let run { rows.append((key(run), run.value)) }
        return rows
    }
}
