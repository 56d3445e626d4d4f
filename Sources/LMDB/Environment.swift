internal import CLMDB
internal import Glibc

/// The one owner of an open LMDB environment: noncopyable, so it is closed once.
///
/// Transactions borrow it and must end before it does. One process must not open the same environment twice
/// (LMDB's file locks are the process's).
@safe public struct Environment: ~Copyable, Sendable {
    public enum Durability: Sendable {
        /// A commit returns after its pages and its root are on the disk.
        case full
        /// A commit leaves flushing to the operating system: kill -9 loses nothing, a machine stop may damage
        /// the file. For what can be rebuilt.
        case none
    }

    private nonisolated(unsafe) let raw: OpaquePointer

    /// Opens the environment in the directory, which must exist; its files are made if they are not there.
    ///
    /// - Parameter sizeMax: limit of the file in bytes. Address space is reserved for it, disk is not, so be generous.
    public init(
        directory: String, sizeMax: Int, databasesMax: Int = 32, readersMax: Int = 512, durability: Durability = .full,
        isReadOnly: Bool = false
    ) throws(LMDBError) {
        var created: OpaquePointer?
        try check(unsafe mdb_env_create(&created))
        guard let environment = unsafe created else { throw .other(code: ENOMEM) }
        var flags = UInt32(MDB_NOTLS)
        if durability == .none { flags |= UInt32(MDB_NOSYNC) }
        if isReadOnly { flags |= UInt32(MDB_RDONLY) }
        do throws(LMDBError) {
            try check(unsafe mdb_env_set_mapsize(environment, sizeMax))
            try check(unsafe mdb_env_set_maxdbs(environment, UInt32(databasesMax)))
            try check(unsafe mdb_env_set_maxreaders(environment, UInt32(readersMax)))
            try check(unsafe mdb_env_open(environment, directory, flags, 0o600), path: directory)
            // Slots of readers that were killed would keep old pages alive for ever.
            var dead: Int32 = 0
            try check(unsafe mdb_reader_check(environment, &dead))
            try unsafe Self.checkSize(environment)
        } catch {
            unsafe mdb_env_close(environment)
            throw error
        }
        unsafe raw = unsafe environment
    }

    deinit { unsafe mdb_env_close(raw) }

    /// A file that lost its end would end the process at the first read beyond it: the map has no error to return.
    private static func checkSize(_ environment: OpaquePointer) throws(LMDBError) {
        var info = unsafe MDB_envinfo()
        var stat = MDB_stat()
        var descriptor: mdb_filehandle_t = 0
        var file = Glibc.stat()
        // The root first: the file of a running writer only grows.
        try check(unsafe mdb_env_info(environment, &info))
        try check(unsafe mdb_env_stat(environment, &stat))
        try check(unsafe mdb_env_get_fd(environment, &descriptor))
        guard unsafe fstat(descriptor, &file) == 0 else { throw .other(code: errno) }
        let needed = unsafe (info.me_last_pgno + 1) * Int(stat.ms_psize)
        guard file.st_size >= needed else { throw .corrupted }
    }

    /// A consistent view of everything as of now; costs nothing to others, but keep it short: pages freed since
    /// cannot be used again while it lives.
    public borrowing func beginRead() throws(LMDBError) -> ReadTransaction {
        var transaction: OpaquePointer?
        try check(unsafe mdb_txn_begin(raw, nil, UInt32(MDB_RDONLY), &transaction))
        return unsafe ReadTransaction(raw: transaction!)
    }

    /// The one write transaction; waits for another one to end. It belongs to this thread until it ends.
    public borrowing func beginWrite() throws(LMDBError) -> WriteTransaction {
        var transaction: OpaquePointer?
        try check(unsafe mdb_txn_begin(raw, nil, 0, &transaction))
        return unsafe WriteTransaction(raw: transaction!)
    }

    /// Flushes what was committed without durability.
    public borrowing func sync() throws(LMDBError) { try check(unsafe mdb_env_sync(raw, 1)) }

    /// Writes a compacted copy into an existing empty directory while others go on reading and writing.
    public borrowing func copy(to directory: String) throws(LMDBError) {
        try check(unsafe mdb_env_copy2(raw, directory, UInt32(MDB_CP_COMPACT)), path: directory)
    }

    /// Writes zeros behind the end of the file, unless there is that much behind what is in use already. A commit then
    /// overwrites blocks that the file has, and its flush waits for the disk alone, not for the file system's journal
    /// and the thread that keeps it. Only between write transactions: LMDB itself writes there.
    ///
    /// - Returns: the size of the file. That the disk is full is not told here; the commit that needs the room will meet it.
    public borrowing func extendFile(by byteCount: Int) -> Int {
        var descriptor: mdb_filehandle_t = 0
        var file = Glibc.stat()
        guard unsafe mdb_env_get_fd(raw, &descriptor) == MDB_SUCCESS, unsafe fstat(descriptor, &file) == 0 else { return 0 }
        var end = Int(file.st_size)
        guard end - bytesUsed < byteCount else { return end }
        // Piece by piece to the disk: whoever flushes something else meanwhile waits for one of them and not for all.
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let limit = end + byteCount
        while end < limit {
            let written = unsafe zeros.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, min($0.count, limit - end), end) }
            guard written > 0, fdatasync(descriptor) == 0 else { break }
            end += written
        }
        return end
    }

    /// Whether nothing was ever committed to it.
    public var isNew: Bool {
        var info = unsafe MDB_envinfo()
        return unsafe mdb_env_info(raw, &info) == MDB_SUCCESS && info.me_last_txnid == 0
    }

    /// Bytes of the file that are in use.
    public var bytesUsed: Int {
        var info = unsafe MDB_envinfo()
        var stat = MDB_stat()
        guard unsafe mdb_env_info(raw, &info) == MDB_SUCCESS, unsafe mdb_env_stat(raw, &stat) == MDB_SUCCESS else { return 0 }
        return unsafe (info.me_last_pgno + 1) * Int(stat.ms_psize)
    }
}
