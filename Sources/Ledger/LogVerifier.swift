import LMDB
public import OpenSSL
import Primitives

/// Reads every byte of a log again and says whether it is what was signed, and if not, where it is not.
public struct LogVerifier: ~Copyable {
    public enum Finding: Hashable, Sendable {
        /// The bytes at that place are not an envelope, or one with another number: flipped or reordered.
        case damaged(sequence: UInt64)
        /// A number is missing: an event was taken out.
        case missing(sequence: UInt64)
        /// The event is not the one whose hash stands in the tree.
        case hashDiffers(sequence: UInt64)
        /// Version or back reference do not follow from the stream's events before.
        case streamBroken(sequence: UInt64)
        /// The tree holds more or fewer leaves than there are events.
        case sizeDiffers(events: UInt64, expected: UInt64)
        /// All events are there and hashed, but the head is not the one that was signed.
        case rootDiffers(size: UInt64)
    }

    public struct Report: Hashable, Sendable {
        public var events: UInt64
        public var root: SHA256Digest
        /// nil: intact.
        public var finding: Finding?
        public var isIntact: Bool { finding == nil }
    }

    private let log: LMDBEventLog

    public init(_ log: LMDBEventLog) { self.log = log }

    /// - Parameters:
    ///   - signed: a checkpoint from outside; the events up to its size must have its root.
    ///   - progress: told the number of events that were read, after each tile of 256.
    public func run(
        against signed: Checkpoint? = nil, progress: (UInt64) -> Void = { _ in }
    ) throws(LedgerError) -> Report {
        let hasher = MerkleHasher()
        var range = CompactRange()
        var streams = StreamSum()
        var tile: (index: UInt64, hashes: [UInt8]) = (UInt64.max, [])
        var finding: Finding?
        var signedRoot: SHA256Digest?
        if signed?.size == 0 { signedRoot = hasher.emptyRoot }
        // One state of the log for events and index, however long it takes beside a writer.
        let transaction = try storage { () throws(LMDBError) in try log.environment.beginRead() }
        try log.readBytes(from: 1, in: transaction) { (sequence, bytes) throws(LedgerError) in
            let expected = range.size + 1
            guard sequence == expected else {
                finding = sequence > expected ? .missing(sequence: expected) : .damaged(sequence: sequence)
                return false
            }
            let leaf = hasher.leaf(bytes)
            let index = (sequence - 1) / TileKey.width
            if tile.index != index { tile = (index, try log.tile(level: 0, index: index) ?? []) }
            let offset = Int((sequence - 1) % TileKey.width) * 32
            guard tile.hashes.count >= offset + 32, unsafe SHA256Digest(tile.hashes.span.bytes, at: offset) == leaf else {
                finding = .hashDiffers(sequence: sequence)
                return false
            }
            guard let envelope = EnvelopeHeader(parsing: bytes), envelope.sequence == sequence else {
                finding = .damaged(sequence: sequence)
                return false
            }
            guard streams.take(envelope) else {
                finding = .streamBroken(sequence: sequence)
                return false
            }
            range.append(leaf, hasher)
            if range.size == signed?.size { signedRoot = range.root(hasher) }
            if sequence % TileKey.width == 0 { progress(sequence) }
            return true
        }
        let root = range.root(hasher)
        var isChained = false
        if finding == nil { isChained = try streams.leads(to: log.tables.streams, transaction) }
        if !isChained, let broken = try firstBroken(range.size, transaction) { finding = broken }
        if finding == nil {
            let stored = log.head
            if stored != range.size {
                finding = .sizeDiffers(events: range.size, expected: stored)
            } else if try log.rootHash(size: range.size) != root {
                finding = .rootDiffers(size: range.size)
            } else if let signed {
                if signed.size > range.size {
                    finding = .sizeDiffers(events: range.size, expected: signed.size)
                } else if signedRoot != signed.root {
                    finding = .rootDiffers(size: signed.size)
                }
            }
        }
        return Report(events: range.size, root: root, finding: finding)
    }

    /// The first event, up to that size, that does not follow from those before it in its stream. Needs memory for every stream, so
    /// it is looked for where something is known to be wrong.
    private func firstBroken(_ size: UInt64, _ transaction: borrowing ReadTransaction) throws(LedgerError) -> Finding? {
        var streams: [UUIDv7: StreamHead] = [:]
        var broken: UInt64?
        guard size > 0 else { return nil }
        try log.readBytes(from: 1, in: transaction) { (sequence, bytes) throws(LedgerError) in
            guard let event = EnvelopeHeader(parsing: bytes) else { return false }
            guard streams[event.stream, default: StreamHead(version: 0, last: 0)].isFollowed(by: event) else {
                broken = sequence
                return false
            }
            return sequence < size
        }
        return broken.map { .streamBroken(sequence: $0) }
    }
}

extension StreamHead {
    /// Takes the event as the newest, if it is the next one of the stream.
    fileprivate mutating func isFollowed(by event: EnvelopeHeader) -> Bool {
        guard event.version == version + 1, event.previous == last else { return false }
        self = StreamHead(version: event.version, last: event.sequence)
        return true
    }
}
