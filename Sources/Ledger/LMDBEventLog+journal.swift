import LMDB
import OpenSSL
import Primitives

/// What stands in the journal of a stopped log alone, where it could not be taken in. The log is shown without it.
public enum LeftInJournal: Equatable, Sendable {
    case nothing
    /// So many events that were acknowledged: the directory cannot be written, or the log is damaged.
    case events(UInt64)
    /// The journal is damaged, or goes on elsewhere: events that were acknowledged may be missing. A writer refuses such a log.
    case unusable(LedgerError)
}

/// What is left to do after a process was ended: its journal may hold what the tables do not.
extension LMDBEventLog {
    /// What a process that was ended had made durable in the journal alone goes into the tables.
    func takeInJournal(of directory: String, after head: UInt64, _ leaf: SHA256Digest) throws(LedgerError) {
        let records = try Journal.records(in: directory, after: head, previous: leaf)
        guard !records.isEmpty else { return }
        var envelopes: [[UInt8]] = []
        // What stands under a key in the end: one that was released may have been given again. nil: released.
        var answers: [[UInt8]: [UInt8]?] = [:]
        for record in records {
            let bytes = unsafe record.bytes.span.bytes
            var items = record.items
            while let item = items.next(bytes) {
                switch item {
                case .event(let range): envelopes.append(bytes.array(range))
                case .command(let key, let value): answers.updateValue(bytes.array(value), forKey: bytes.array(key))
                case .release(let key): answers.updateValue(nil, forKey: bytes.array(key))
                }
            }
        }
        try adopt(
            envelopes, commands: answers.compactMap { key, value in value.map { (key, $0) } },
            releasing: answers.compactMap { key, value in value == nil ? key : nil })
    }

    /// Before a log is read that nobody writes: what its writer had made durable belongs to it.
    static func finishJournal(of directory: String, sizeMax: Int) -> LeftInJournal {
        guard Journal.exists(in: directory) else { return .nothing }
        let left: LeftInJournal
        do throws(LedgerError) {
            left = .events(try eventsInJournal(of: directory, sizeMax: sizeMax))
        } catch {
            left = .unusable(error)
        }
        if left == .events(0) { return .nothing }
        do throws(LedgerError) {
            _ = try LMDBEventLog(directory: directory, sizeMax: sizeMax)
            return .nothing
        } catch {
            // Of a log that is being written they are on their way, and a file may be half new.
            if case .directoryInUse = error { return .nothing }
            return left
        }
    }

    private static func eventsInJournal(of directory: String, sizeMax: Int) throws(LedgerError) -> UInt64 {
        let environment = try storage { () throws(LMDBError) in
            try Environment(directory: directory, sizeMax: sizeMax, databasesMax: 8, isReadOnly: true)
        }
        let tables = try storage { () throws(LMDBError) in try existingTables(environment) }
        let transaction = try storage { () throws(LMDBError) in try environment.beginRead() }
        let head = try Self.head(transaction, tables)
        let (_, leaf) = try last(head, transaction, tables)
        return try Journal.records(in: directory, after: head, previous: leaf).reduce(0) { $0 + $1.last - $1.first + 1 }
    }
}
