public import Foundation
import Model
import OpenSSL
public import Primitives
import SwiftProtobuf
import Synchronization

/// Every person's key, and the one place where personal fields are sealed and opened.
///
/// A sealed part, as it stands in the field `sealed` of a message:
///
///     byte 0        format: 0x01, or 0x02 for the short form of a part of a call, see `PartCompressor`
///     1..<17        subject
///     17..<29       salt
///     29...         AES-256-GCM ciphertext and tag of the same message with the personal fields alone
///
/// Key: see `PartCipher`. Associated data: format, kind of message, subject, id of the record (an entity's or a call's), so
/// that a part that is moved elsewhere does not open.
///
/// One process writes; others read beside it. Everything is behind one lock, held for some microseconds.
public final class SubjectKeys: Sendable {
    private enum Format {
        static let plain: UInt8 = 0x01
        static let compressed: UInt8 = 0x02
    }
    /// Marks of what every call leaves behind. Entities are few, and the plan of a call (8) goes when it ends: they stay as they are.
    private static let compressedMarks: ClosedRange<UInt8> = 4...7
    private static let headBytes = 29

    private let names: SHA256Digest
    private let isReadOnly: Bool
    private let state: Mutex<State>
    private let erased = Atomic<Int>(0)
    /// Touched inside `state`'s lock alone.
    private nonisolated(unsafe) let cipher = PartCipher()
    private nonisolated(unsafe) let compressor = PartCompressor()
    private nonisolated(unsafe) let file: KeyFile

    private struct State {
        var entries: [UUIDv7: Entry] = [:]
    }

    private enum Entry {
        case key(SHA256Digest, slot: Int)
        case erased
    }

    /// What is known of a subject's key.
    public enum Status: Equatable, Sendable {
        case present
        case erased
        /// Never sealed anything, or the key file is not the log's.
        case unknown
    }

    /// Opens the key file.
    ///
    /// - Parameters:
    ///   - path: made if it is not there, unless it is only read.
    ///   - master: 32 bytes by which the keys are wrapped.
    public init(path: String, master: [UInt8], isReadOnly: Bool = false) throws(SubjectKeyError) {
        let file = try KeyFile(path, master: master, isReadOnly: isReadOnly)
        var state = State()
        try Self.readOn(file, into: &state)
        unsafe self.file = file
        self.state = Mutex(state)
        self.isReadOnly = isReadOnly
        let digest = Hash.sha256(Array("ledgerline subject keys: names\0".utf8) + master)
        names = SHA256Digest(digest) ?? .zero
    }

    private static func readOn(_ file: KeyFile, into state: inout State) throws(SubjectKeyError) {
        try file.readOn { slot, place in
            switch slot {
            case .key(let subject, let key): state.entries[subject] = .key(key, slot: place)
            case .erased(let subject): state.entries[subject] = .erased
            }
        }
    }

    public func status(of subject: UUIDv7) -> Status {
        state.withLock { state in
            switch state.entries[subject] {
            case .key: .present
            case .erased: .erased
            case nil: .unknown
            }
        }
    }

    /// Goes up with every key that is destroyed here: what was opened before is to be forgotten.
    public var erasures: Int { erased.load(ordering: .acquiring) }

    /// How many subjects have a key.
    public var count: Int { state.withLock { $0.entries.count } }

    /// What stands for a name in an index: the same for the same name, and not to be turned back without the master key.
    public func token(ofName name: String) -> [UInt8] {
        Array(Hash.sha256(names.bytes + Array(name.utf8)).prefix(16))
    }

    // MARK: - sealing

    /// Moves the personal fields of a record into sealed parts. A new subject gets a key, which is durable after `sync`.
    /// What belongs to an erased subject is left out.
    public func seal<R: PersonalRecord>(
        _ record: inout R, of id: Data, _ caller: UUIDv7, _ called: UUIDv7, _ random: inout RandomSource
    ) throws(SubjectKeyError) {
        let (first, second) = record.withdrawBytes(isOne: caller == called)
        if !first.isEmpty, let part = try seal(first, mark: R.mark, subject: caller, record: id, &random) {
            record.sealed.append(Data(part))
        }
        if !second.isEmpty, let part = try seal(second, mark: R.mark, subject: called, record: id, &random) {
            record.sealed.append(Data(part))
        }
    }

    /// Bytes of any kind under a subject's key; nil: it is erased.
    public func seal(
        _ plain: [UInt8], mark: UInt8, subject: UUIDv7, record: Data, _ random: inout RandomSource
    ) throws(SubjectKeyError) -> [UInt8]? {
        try seal(prepare(plain, mark: mark), subject: subject, record: record, &random)
    }

    /// Makes the bytes ready to be sealed, for any subject and record and as often as one likes.
    public func prepare(_ plain: [UInt8], mark: UInt8) -> PreparedPart {
        let short = Self.compressedMarks.contains(mark) ? state.withLock { _ in unsafe compressor.compressed(plain) } : nil
        return PreparedPart(mark: mark, format: short == nil ? Format.plain : Format.compressed, content: short ?? plain)
    }

    public func seal(
        _ part: PreparedPart, subject: UUIDv7, record: Data, _ random: inout RandomSource
    ) throws(SubjectKeyError) -> [UInt8]? {
        let salt = random.bytes(PartCipher.saltBytes)
        guard let key = try key(making: subject, &random) else { return nil }
        let associated = Self.associatedData(part.format, part.mark, subject, record)
        return state.withLock { _ in
            var out: [UInt8] = []
            out.reserveCapacity(Self.headBytes + part.content.count + PartCipher.tagBytes)
            out.append(part.format)
            out += subject.bytes
            out += salt
            let partKey = unsafe cipher.partKey(key, salt: salt[...])
            unsafe cipher.seal(part.content, key: partKey, associatedData: associated, into: &out)
            return out
        }
    }

    private func key(making subject: UUIDv7, _ random: inout RandomSource) throws(SubjectKeyError) -> SHA256Digest? {
        let found = state.withLock { $0.entries[subject] }
        switch found {
        case .key(let key, _): return key
        case .erased: return nil
        case nil:
            precondition(!isReadOnly, "keys that are only read make none")
            let key = SHA256Digest(random.bytes(32)) ?? .zero
            let nonce = random.bytes(Sealer.nonceBytes)
            let result = state.withLock { state -> Result<Void, SubjectKeyError> in
                do throws(SubjectKeyError) {
                    let slot = try unsafe file.append(subject, key, nonce: nonce)
                    state.entries[subject] = .key(key, slot: slot)
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
            return key
        }
    }

    /// Makes new keys durable: before the commit of what was sealed with them. Others seal and open while the disk is waited for.
    public func sync() throws(SubjectKeyError) {
        guard let unsynced = state.withLock({ _ in unsafe file.unsynced }) else { return }
        try unsynced.flush()
        state.withLock { _ in unsafe file.flushed(unsynced) }
    }

    // MARK: - opening

    /// Puts the personal fields back. What belongs to an erased subject stays closed, and `isErased` then says so.
    public func open<R: PersonalRecord>(_ record: inout R, of id: Data) throws(SubjectKeyError) {
        guard !record.sealed.isEmpty else { return }
        var closed: [Data] = []
        for part in record.sealed {
            guard let plain = try open(Array(part), mark: R.mark, record: id) else {
                closed.append(part)
                continue
            }
            do {
                try record.restore(plain)
            } catch {
                throw .malformed
            }
        }
        record.sealed = closed
    }

    /// nil: the subject is erased.
    public func open(_ part: [UInt8], mark: UInt8, record: Data) throws(SubjectKeyError) -> [UInt8]? {
        guard part.count >= Self.headBytes + PartCipher.tagBytes, Self.isPart(part),
            let subject = UUIDv7(bytes: part[1..<17])
        else { throw .malformed }
        let associated = Self.associatedData(part[0], mark, subject, record)
        let result = state.withLock { state -> Result<[UInt8]?, SubjectKeyError> in
            if state.entries[subject] == nil, isReadOnly {
                // Made since the file was read.
                do throws(SubjectKeyError) {
                    try Self.readOn(unsafe file, into: &state)
                } catch {
                    return .failure(error)
                }
            }
            switch state.entries[subject] {
            case .key(let key, _):
                let partKey = unsafe cipher.partKey(key, salt: part[17..<29])
                let plain = unsafe cipher.open(part[Self.headBytes...], key: partKey, associatedData: associated)
                guard let plain else { return .failure(.damaged(subject: subject)) }
                guard part[0] == Format.compressed else { return .success(plain) }
                return unsafe compressor.expanded(plain).map { .success($0) } ?? .failure(.malformed)
            case .erased: return .success(nil)
            case nil: return .failure(.missing(subject: subject))
            }
        }
        return try result.get()
    }

    // MARK: - erasing

    /// Destroys the key. On the disk when this returns; idempotent.
    ///
    /// The slot's bytes are overwritten in the file. What a storage device keeps of overwritten blocks, and what is in
    /// backups and snapshots of the file, is beyond a program's reach: docs/erasure.md.
    public func destroy(_ subject: UUIDv7) throws(SubjectKeyError) {
        precondition(!isReadOnly, "keys that are only read are not destroyed")
        let result = state.withLock { state -> Result<Void, SubjectKeyError> in
            do throws(SubjectKeyError) {
                switch state.entries[subject] {
                case .key(_, let slot): _ = try unsafe file.erase(subject, slot: slot)
                case .erased: return .success(())
                case nil: _ = try unsafe file.erase(subject, slot: nil)
                }
                state.entries[subject] = .erased
                erased.add(1, ordering: .releasing)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Whether the bytes may be a sealed part. No protobuf message begins with such a byte.
    public static func isPart(_ bytes: [UInt8]) -> Bool {
        bytes.first == Format.plain || bytes.first == Format.compressed
    }

    private static func associatedData(_ format: UInt8, _ mark: UInt8, _ subject: UUIDv7, _ record: Data) -> [UInt8] {
        var bytes: [UInt8] = [format, mark]
        bytes.reserveCapacity(34)
        bytes += subject.bytes
        bytes += record
        return bytes
    }
}

