internal import CLMDB
internal import Glibc

/// What LMDB or the file system refuses, by name.
public enum LMDBError: Error, Hashable, Sendable {
    /// The environment's size limit is reached; open it with a larger one.
    case mapFull
    /// No space left on the device; nothing of the transaction is there.
    case diskFull
    /// The file is not an environment of this LMDB, or is damaged.
    case corrupted
    /// A larger version of the file format, or of another machine.
    case versionMismatch
    case notFound(path: String)
    case permissionDenied
    /// Too many readers at once.
    case readersFull
    /// The key is empty or longer than 511 bytes, or the value is too large.
    case badSize
    /// With `.append` or `.noOverwrite`: the key is not after the last one, or is there already.
    case keyExists
    case databasesFull
    /// The environment failed while writing and must be opened again.
    case panicked
    case readOnly
    /// A write failed or came up short; LMDB does not tell a full disk from a failing one here.
    case inputOutput
    /// Anything else, by LMDB's or the system's number.
    case other(code: Int32)

    /// - Parameter code: LMDB's or the system's.
    public init(_ code: Int32, path: String = "") {
        switch code {
        case MDB_MAP_FULL, MDB_MAP_RESIZED: self = .mapFull
        case ENOSPC, EDQUOT, EFBIG: self = .diskFull
        case MDB_CORRUPTED, MDB_INVALID, MDB_PAGE_NOTFOUND: self = .corrupted
        case MDB_VERSION_MISMATCH: self = .versionMismatch
        case ENOENT: self = .notFound(path: path)
        case EACCES, EPERM: self = .permissionDenied
        case MDB_READERS_FULL: self = .readersFull
        case MDB_BAD_VALSIZE: self = .badSize
        case MDB_KEYEXIST: self = .keyExists
        case MDB_DBS_FULL: self = .databasesFull
        case MDB_PANIC: self = .panicked
        case EROFS: self = .readOnly
        case EIO: self = .inputOutput
        default: self = .other(code: code)
        }
    }
}

/// Throws for anything but success.
func check(_ code: Int32, path: String = "") throws(LMDBError) {
    guard code == MDB_SUCCESS else { throw LMDBError(code, path: path) }
}
