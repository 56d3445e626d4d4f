internal import Glibc
import OpenSSL
import Primitives

/// The subjects' keys on the disk: slots of 128 bytes, one after the other, never moved. A key is destroyed where it
/// stands: its slot is overwritten and synced. (LMDB would write the change to another page and leave the old one.)
///
///     slot 0     "ledgerline subject keys 1\n", zeros, then in bytes 64..<96 a check value of the master key
///     slot n     byte 0        0x01 key, 0x02 erased
///                1..<17        subject
///                17..<29       nonce
///                29..<77       the key and a tag, AES-256-GCM under the master key; associated data: subject
///                77..<124      zeros
///                124..<128     the first 4 bytes of the SHA-256 of what is before
///
/// A file has the mode 0600. An erased slot has zeros instead of nonce and key.
final class KeyFile {
    static let slotBytes = 128
    private static let title = Array("ledgerline subject keys 1\n".utf8)
    private static let pageSlots = 512
    private let descriptor: Int32
    let path: String
    /// Slots that are there, the first one included.
    private(set) var count = 0
    private var writes: UInt64 = 0
    private var writesSynced: UInt64 = 0
    private let sealer: Sealer

    enum Slot {
        case key(UUIDv7, SHA256Digest)
        case erased(UUIDv7)
    }

    /// - Parameters:
    ///   - master: 32 bytes; wraps the keys.
    ///   - isReadOnly: beside the process that writes. A file that is not there is one without keys.
    init(_ path: String, master: [UInt8], isReadOnly: Bool) throws(SubjectKeyError) {
        self.path = path
        sealer = Sealer(key: Hash.sha256(Array("ledgerline subject keys: wrapping\0".utf8) + master))
        descriptor = unsafe open(path, (isReadOnly ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0o600)
        if descriptor < 0 {
            if isReadOnly, errno == ENOENT { return }
            throw .file(path: path, code: errno)
        }
        let check = Hash.sha256(Array("ledgerline subject keys: check\0".utf8) + master)
        var head = try read(at: 0, slots: 1)
        if head.isEmpty, !isReadOnly {
            head = Self.title + [UInt8](repeating: 0, count: 64 - Self.title.count) + check
            head += [UInt8](repeating: 0, count: Self.slotBytes - head.count)
            try write(head, at: 0)
            try syncFolder()
            writes += 1
            try sync()
        }
        guard head.count == Self.slotBytes, head.starts(with: Self.title) else {
            if head.isEmpty { return }
            // The same but for the number.
            if head.starts(with: Self.title.dropLast(2)) { throw .newerFormat(path: path) }
            throw .notAKeyFile(path: path)
        }
        guard Array(head[64..<96]) == check else { throw .wrongMasterKey(path: path) }
        count = 1
    }

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

    /// Hands over the slots from `count` on that are there by now. A last one that is not whole was never synced, so
    /// nothing was sealed with it: it is written over.
    func readOn(_ body: (Slot, Int) -> Void) throws(SubjectKeyError) {
        guard descriptor >= 0, count > 0 else { return }
        while true {
            let bytes = try read(at: count, slots: Self.pageSlots)
            var offset = 0
            while offset + Self.slotBytes <= bytes.count {
                let slot = bytes[offset..<(offset + Self.slotBytes)]
                offset += Self.slotBytes
                switch try decode(slot) {
                case .some(let found): body(found, count)
                case nil:
                    // Followed by nothing: torn by a kill. Followed by others: damaged.
                    let isLast = offset == bytes.count && bytes.count < Self.pageSlots * Self.slotBytes
                    guard isLast else { throw .damagedSlot(path: path, slot: count) }
                    return
                }
                count += 1
            }
            guard bytes.count == Self.pageSlots * Self.slotBytes else { return }
        }
    }

    /// - Returns: where it is. On the disk after `sync`.
    func append(_ subject: UUIDv7, _ key: SHA256Digest, nonce: [UInt8]) throws(SubjectKeyError) -> Int {
        let wrapped = sealer.seal(key.bytes, nonce: nonce, associatedData: subject.bytes)
        try write(encode(0x01, subject, nonce + wrapped), at: count)
        count += 1
        writes += 1
        return count - 1
    }

    /// Overwrites the slot; without one, says in a new one that the subject is erased. On the disk when this returns.
    func erase(_ subject: UUIDv7, slot: Int?) throws(SubjectKeyError) -> Int {
        let place = slot ?? count
        try write(encode(0x02, subject, [UInt8](repeating: 0, count: 60)), at: place)
        if slot == nil { count += 1 }
        writes += 1
        try sync()
        return place
    }

    func sync() throws(SubjectKeyError) {
        guard let unsynced else { return }
        try unsynced.flush()
        flushed(unsynced)
    }

    /// What has been written and is not known to be on the disk.
    struct Unsynced {
        fileprivate let descriptor: Int32
        fileprivate let path: String
        fileprivate let writes: UInt64

        /// Waits for the disk; others may write meanwhile.
        func flush() throws(SubjectKeyError) {
            guard fsync(descriptor) == 0 else { throw .file(path: path, code: errno) }
        }
    }

    /// nil: everything is on the disk.
    var unsynced: Unsynced? {
        writes == writesSynced ? nil : Unsynced(descriptor: descriptor, path: path, writes: writes)
    }

    func flushed(_ unsynced: Unsynced) { writesSynced = max(writesSynced, unsynced.writes) }

    private func encode(_ state: UInt8, _ subject: UUIDv7, _ body: [UInt8]) -> [UInt8] {
        var slot = [state] + subject.bytes + body
        slot += [UInt8](repeating: 0, count: Self.slotBytes - 4 - slot.count)
        return slot + Hash.sha256(slot).prefix(4)
    }

    /// nil: not as it was written.
    private func decode(_ slot: ArraySlice<UInt8>) throws(SubjectKeyError) -> Slot? {
        let bytes = Array(slot)
        guard Array(Hash.sha256(Array(bytes.prefix(124))).prefix(4)) == Array(bytes.suffix(4)),
            let subject = UUIDv7(bytes: bytes[1..<17])
        else { return nil }
        switch bytes[0] {
        case 0x01:
            let plain = sealer.open(
                Array(bytes[29..<77]), nonce: Array(bytes[17..<29]), associatedData: subject.bytes)
            guard let plain, let key = SHA256Digest(plain) else { throw .wrongMasterKey(path: path) }
            return .key(subject, key)
        case 0x02: return .erased(subject)
        default: return nil
        }
    }

    private func read(at slot: Int, slots: Int) throws(SubjectKeyError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: slots * Self.slotBytes)
        var have = 0
        while have < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress! + have, buffer.count - have, slot * Self.slotBytes + have)
            }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw .file(path: path, code: errno)
            }
            if count == 0 { break }
            have += count
        }
        return Array(bytes.prefix(have))
    }

    private func write(_ bytes: [UInt8], at slot: Int) throws(SubjectKeyError) {
        let written = unsafe bytes.withUnsafeBytes { buffer in
            unsafe pwrite(descriptor, buffer.baseAddress, buffer.count, slot * Self.slotBytes)
        }
        guard written == bytes.count else { throw .file(path: path, code: written < 0 ? errno : ENOSPC) }
    }

    private func syncFolder() throws(SubjectKeyError) {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let folder = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .file(path: parent, code: errno) }
        defer { _ = Glibc.close(folder) }
        guard fsync(folder) == 0 else { throw .file(path: parent, code: errno) }
    }
}
