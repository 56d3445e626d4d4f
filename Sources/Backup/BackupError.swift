package import Ledger

package enum BackupError: Error, Sendable, CustomStringConvertible {
    case ledger(LedgerError)
    case file(path: String, reason: String)
    /// A part's manifest or data is not what was written.
    case damaged(part: String, reason: String)
    /// The log that is to be backed up is not the one that the backup is of.
    case otherLog(reason: String)
    /// The backup does not reach, or there is none.
    case outOfReach(reason: String)

    package var description: String {
        switch self {
        case .ledger(let error): "\(error)"
        case .file(let path, let reason): "\(path): \(reason)"
        case .damaged(let part, let reason): "\(part) is damaged: \(reason); take another copy of the backup, or a new one with --full"
        case .otherLog(let reason): "this is a backup of another log: \(reason); use a directory of its own"
        case .outOfReach(let reason): reason
        }
    }
}

func onLog<R>(_ body: () throws(LedgerError) -> R) throws(BackupError) -> R {
    do throws(LedgerError) {
        return try body()
    } catch {
        throw .ledger(error)
    }
}
