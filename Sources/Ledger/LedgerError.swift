public import LMDB

/// Why the log cannot be opened, read or appended to.
public enum LedgerError: Error, Hashable, Sendable {
    /// Another process has this log open for writing; stop it or use another directory.
    case directoryInUse(path: String)
    /// The directory cannot be made or its lock cannot be taken; `code` is the system's error number.
    case directory(path: String, code: Int32)
    /// Written by a newer binary.
    case newerFormat(have: UInt64, supported: UInt64)
    case storage(LMDBError)
    /// The bytes of this event are not an envelope, or not the one that belongs there.
    case damaged(sequence: UInt64)
    /// The tree lacks a node that a log of this size must have.
    case treeDamaged(level: UInt8, index: UInt64)
    /// A proof or a read beyond the end.
    case outOfRange(asked: UInt64, size: UInt64)
    /// A commit without events, or with an event that is too large.
    case emptyCommit
    case eventTooLarge(have: Int, limit: Int)
    /// An idempotency key that is empty or too long.
    case keySize(have: Int, limit: Int)
    /// The journal goes on where the tables do not end: they are an older copy, or of another log.
    case journalOfAnother(continues: UInt64, head: UInt64)
    /// The log is being closed.
    case stopped
}

extension LedgerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .directoryInUse(let path): "another process writes to \(path): stop it, or use another directory"
        case .directory(let path, let code): "\(path) cannot be used (system error \(code)): check that it can be written"
        case .newerFormat(let have, let supported):
            "the log has format \(have), this binary knows up to \(supported): use the newer binary"
        case .storage(.diskFull): "the disk is full: nothing was recorded, free some space and try again"
        case .storage(.inputOutput): "the disk is full or failing: nothing was recorded, check its free space and its health"
        case .storage(.mapFull): "the log has reached its size limit: nothing was recorded, start with a larger one"
        case .storage(.corrupted):
            "the log's file is damaged: it is left as it is, restore a backup or copy it from another machine"
        case .storage(.versionMismatch):
            "the log's file is of another version of LMDB than the one this binary uses: use the binary that wrote it"
        case .storage(let error): "the log's storage refuses: \(error)"
        case .damaged(let sequence): "event \(sequence) is damaged: run `ledgerline log verify`"
        case .treeDamaged(let level, let index): "the tree lacks tile \(level)/\(index): run `ledgerline log verify`"
        case .outOfRange(let asked, let size): "\(asked) is beyond the end of the log (\(size))"
        case .emptyCommit: "a commit needs at least one event"
        case .eventTooLarge(let have, let limit): "an event of \(have) bytes is larger than \(limit)"
        case .keySize(let have, let limit): "an idempotency key of \(have) bytes: it must have 1 to \(limit)"
        case .journalOfAnother(let continues, let head):
            "the journal goes on after event \(continues), the log's file ends with event \(head): it is an older copy or another log's; "
                + "put back the file that belongs to journal-0 and journal-1, or move them away if what they hold is not wanted"
        case .stopped: "the log is being closed"
        }
    }
}
