import OpenSSL
import Primitives

/// A batch of commits as it stands in the journal, and what the tables are given of it later: envelopes, what is stored under
/// idempotency keys, keys that are released. docs/wire/ledger.md gives every byte.
struct JournalRecord: Sendable {
    /// Within the record's bytes.
    enum Item {
        case event(Range<Int>)
        case command(key: Range<Int>, value: Range<Int>)
        case release(key: Range<Int>)
    }

    private(set) var bytes: [UInt8]
    /// Of its events.
    let first: UInt64
    private(set) var last: UInt64

    static let headBytes = 96
    private static let checkedFrom = 32
    /// "LLJOUR", format 1.
    private static let magic: UInt64 = 0x4C4C_4A4F_5552_0001
    /// Leaves and nodes of the tree have 0 and 1.
    private static let domain: UInt8 = 2

    // MARK: Writing

    /// - Parameter head: the sequence of the last event before it.
    init(after head: UInt64) {
        bytes = [UInt8](repeating: 0, count: Self.headBytes)
        first = head + 1
        last = head
    }

    var isEmpty: Bool { last < first }

    /// Room for so many commits of the usual size.
    mutating func reserve(_ commits: Int) { bytes.reserveCapacity(Self.headBytes + commits * 512) }

    mutating func add(event envelope: RawSpan) {
        bytes.append(1)
        append(envelope)
        last += 1
    }

    mutating func add(command key: [UInt8], _ value: [UInt8]) {
        bytes.append(2)
        append(unsafe key.span.bytes)
        append(unsafe value.span.bytes)
    }

    mutating func add(release key: [UInt8]) {
        bytes.append(3)
        append(unsafe key.span.bytes)
    }

    private mutating func append(_ span: RawSpan) {
        bytes.appendBigEndian(UInt64(span.byteCount))
        unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// - Parameter previous: the leaf of the event before its first one. So a journal is never taken for that of another log, nor for
    ///   the continuation of an older copy of its own from which something is missing.
    mutating func seal(after previous: SHA256Digest, _ hasher: borrowing SHA256Hasher) {
        put(Self.magic, at: 32)
        put(UInt64(bytes.count), at: 40)
        put(first, at: 48)
        put(last, at: 56)
        bytes.replaceSubrange(64..<96, with: previous.bytes)
        let check = hasher.hash(prefix: Self.domain, unsafe bytes.span.bytes.extracting(Self.checkedFrom...))
        bytes.replaceSubrange(0..<32, with: check.bytes)
    }

    private mutating func put(_ number: UInt64, at offset: Int) {
        bytes.replaceSubrange(offset..<(offset + 8), with: [UInt8](bigEndian: number))
    }

    // MARK: Reading

    /// What a record's head says, right or wrong.
    struct Place {
        let first: UInt64
        let last: UInt64
        let end: Int

        /// nil: none begins there.
        init?(_ file: [UInt8], at offset: Int) {
            guard offset <= file.count - headBytes else { return nil }
            let rest = unsafe file.span.bytes.extracting(offset...)
            guard rest.bigEndian(at: 32) == magic else { return nil }
            let count = rest.bigEndian(at: 40)
            guard count >= UInt64(headBytes), count <= UInt64(rest.byteCount) else { return nil }
            (first, last) = (rest.bigEndian(at: 48), rest.bigEndian(at: 56))
            guard first > 0, first <= last, last < .max else { return nil }
            end = offset + Int(count)
        }
    }

    /// nil: no whole record begins there.
    init?(_ file: [UInt8], at offset: Int, _ hasher: borrowing SHA256Hasher) {
        guard let place = Place(file, at: offset) else { return nil }
        let whole = unsafe file.span.bytes.extracting(offset..<place.end)
        guard hasher.hash(prefix: Self.domain, whole.extracting(Self.checkedFrom...)) == SHA256Digest(whole) else { return nil }
        (first, last) = (place.first, place.last)
        bytes = whole.array(0..<whole.byteCount)
    }

    /// The leaf of the event before its first one.
    var previous: SHA256Digest { SHA256Digest(unsafe bytes.span.bytes, at: 64) }

    var items: Items { Items(offset: Self.headBytes) }

    /// Goes over the items of a record that was sealed here or found whole: trapping, not undefined, where it is neither.
    struct Items {
        fileprivate var offset: Int

        mutating func next(_ bytes: RawSpan) -> Item? {
            guard offset < bytes.byteCount else { return nil }
            let kind = bytes.byte(at: offset)
            offset += 1
            switch kind {
            case 1: return .event(range(bytes))
            case 2:
                let key = range(bytes)
                return .command(key: key, value: range(bytes))
            case 3: return .release(key: range(bytes))
            default: preconditionFailure("item \(kind) in a record of the journal")
            }
        }

        private mutating func range(_ bytes: RawSpan) -> Range<Int> {
            let start = offset + 8
            offset = start + Int(bytes.bigEndian(at: offset))
            return start..<offset
        }
    }
}
