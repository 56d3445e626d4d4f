import Glibc
import LMDB
import OpenSSL

/// Where a batch is durable before the tables have it: two files beside them, `journal-0` and `journal-1`, written in turn, each from
/// its beginning. One flush of a file that only grows at its end is all that an acknowledgement waits for; the tables take many
/// batches with one commit.
///
/// Nothing is ever erased: a record is of use while the tables' head is before it, and sequences never come back.
struct Journal: ~Copyable, Sendable {
    /// Of each file. What is larger goes into the tables at once.
    static let capacity = 4 << 20
    /// By which a file grows, with zeros: a flush then waits for the disk alone, not for the file system's own journal.
    private static let step = 256 << 10

    private let directory: String
    private let flushes: Bool
    private var current = 0
    private var position = 0
    private var ends: InlineArray<2, Int> = [0, 0]
    /// −1: not open yet.
    private var descriptors: InlineArray<2, Int32> = [-1, -1]

    init(directory: String, flushes: Bool) {
        self.directory = directory
        self.flushes = flushes
    }

    deinit {
        for index in descriptors.indices where descriptors[index] >= 0 { close(descriptors[index]) }
    }

    func hasRoom(for byteCount: Int) -> Bool { position + byteCount <= Self.capacity }

    /// Returns when the record is durable.
    mutating func write(_ record: JournalRecord) throws(LMDBError) {
        do throws(LMDBError) {
            let descriptor = try openCurrent()
            let end = position + record.bytes.count
            if end > ends[current] {
                let wanted = (end + Self.step - 1) / Self.step * Self.step
                try Self.write([UInt8](repeating: 0, count: wanted - ends[current]), to: descriptor, at: ends[current])
                ends[current] = wanted
            }
            try Self.write(record.bytes, to: descriptor, at: position)
            if flushes, fdatasync(descriptor) != 0 { throw LMDBError(errno) }
            position = end
        } catch {
            spoil()
            throw error
        }
    }

    /// The other file is next: all of its records are in the tables.
    mutating func turn() {
        current = 1 - current
        position = 0
    }

    /// The tables have all of both.
    mutating func restart() { position = 0 }

    /// A batch that was refused must not come back. If the disk takes this neither, the next batch overwrites it.
    private func spoil() {
        let descriptor = descriptors[current]
        guard descriptor >= 0 else { return }
        let zeros = [UInt8](repeating: 0, count: JournalRecord.headBytes)
        _ = unsafe zeros.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, position) }
    }

    private mutating func openCurrent() throws(LMDBError) -> Int32 {
        if descriptors[current] >= 0 { return descriptors[current] }
        let descriptor = unsafe open(Self.path(current, in: directory), O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LMDBError(errno) }
        var file = Glibc.stat()
        guard unsafe fstat(descriptor, &file) == 0 else {
            let code = errno
            close(descriptor)
            throw LMDBError(code)
        }
        descriptors[current] = descriptor
        ends[current] = Int(file.st_size)
        // A name that the directory has lost would take its records with it.
        if flushes { try Self.sync(directory) }
        return descriptor
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) throws(LMDBError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress! + done, $0.count - done, offset + done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw count < 0 ? LMDBError(errno) : .inputOutput }
            done += count
        }
    }

    private static func sync(_ directory: String) throws(LMDBError) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LMDBError(errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LMDBError(errno) }
    }

    private static func path(_ index: Int, in directory: String) -> String { "\(directory)/journal-\(index)" }
}

// MARK: Opening

extension Journal {
    /// What was acknowledged and the tables do not have: records beyond `head`, in order.
    ///
    /// - Parameter previous: the leaf of the tables' last event.
    static func records(in directory: String, after head: UInt64, previous: SHA256Digest) throws(LedgerError) -> [JournalRecord] {
        var records: [JournalRecord] = []
        for index in 0...1 { records += try read(path(index, in: directory), after: head) }
        records.sort { $0.first < $1.first }
        var next = head + 1
        for record in records {
            // Another log's, of an older copy of this one, or one in between is lost.
            guard record.first == next, next > head + 1 || record.previous == previous else { throw .journalOfAnother(continues: record.first - 1, head: head) }
            next = record.last + 1
        }
        return records
    }

    /// Whether a log has or had one.
    static func exists(in directory: String) -> Bool { (0...1).contains { unsafe access(path($0, in: directory), F_OK) == 0 } }

    /// The records of a file that are beyond `head`, up to where those of its last use end.
    private static func read(_ path: String, after head: UInt64) throws(LedgerError) -> [JournalRecord] {
        guard let file = try storage({ () throws(LMDBError) in try contents(path) }) else { return [] }
        let hasher = SHA256Hasher()
        var records: [JournalRecord] = []
        var offset = 0
        while let record = JournalRecord(file, at: offset, hasher) {
            if let before = records.last, record.first != before.last + 1 { break }
            records.append(record)
            offset += record.bytes.count
        }
        // The last one may be torn: nobody was told of it. One that others follow was durable.
        if let torn = JournalRecord.Place(file, at: offset), torn.last > head, records.last.map({ torn.first == $0.last + 1 }) ?? true,
            let next = JournalRecord(file, at: torn.end, hasher), next.first == torn.last + 1
        {
            throw .damaged(sequence: torn.first)
        }
        return records.filter { $0.last > head }
    }

    private static func contents(_ path: String) throws(LMDBError) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw LMDBError(errno)
        }
        defer { close(descriptor) }
        var file = Glibc.stat()
        guard unsafe fstat(descriptor, &file) == 0 else { throw LMDBError(errno) }
        var bytes = [UInt8](repeating: 0, count: Int(file.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress! + done, $0.count - done, done) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw LMDBError(errno) }
            if count == 0 { break }
            done += count
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }
}
