import Primitives

/// Rows of many call records, one behind the other, so that a question reads few keys.
///
/// The key is the number of the first record. The value begins with when that was recorded (seconds since 1970, 32 bits, least byte
/// first); then come the rows. A block is full when it has `rowsMax` rows before another record comes, and a record's rows stay
/// together: that is so however the records came, so the same log makes the same blocks.
struct StatisticsBlock {
    /// Of 48 bytes: two blocks fill a page of LMDB.
    static let rowsMax = 40
    static let headBytes = 4

    /// What stands before a record's rows while they wait for the flush.
    struct Head {
        static let byteCount = 16
        let record: UInt64
        let recordedSeconds: UInt32
        let rows: Int

        init(record: UInt64, recordedSeconds: UInt32, rows: Int) {
            (self.record, self.recordedSeconds, self.rows) = (record, recordedSeconds, rows)
        }

        init(_ bytes: RawSpan, at offset: Int) {
            record = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let rest = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            recordedSeconds = UInt32(truncatingIfNeeded: rest)
            rows = Int(rest >> 32)
        }

        /// As it stands before the rows.
        var words: InlineArray<2, UInt64> { [record, UInt64(recordedSeconds) | UInt64(rows) << 32] }
    }

    let key: Key
    private(set) var value: [UInt8]

    init(_ head: Head, _ rows: RawSpan) {
        key = Key(head.record)
        value = []
        value.reserveCapacity(Self.headBytes + Self.rowsMax * StatisticsRow.byteCount)
        for shift in [0, 8, 16, 24] as [UInt32] { value.append(UInt8(truncatingIfNeeded: head.recordedSeconds >> shift)) }
        add(rows)
    }

    /// nil: it is none.
    init?(_ key: Key, _ value: [UInt8]) {
        guard key.bytes.count == 8, Self.isWhole(value) else { return nil }
        (self.key, self.value) = (key, value)
    }

    static func isWhole(_ value: [UInt8]) -> Bool {
        value.count > headBytes && (value.count - headBytes).isMultiple(of: StatisticsRow.byteCount)
    }

    /// When its first record was recorded; nil: it is none.
    static func recordedSeconds(_ value: [UInt8]) -> UInt32? {
        guard isWhole(value) else { return nil }
        return (0..<4).reduce(0) { $0 | UInt32(value[$1]) << UInt32($1 * 8) }
    }

    /// false: the block is full.
    mutating func append(_ rows: RawSpan) -> Bool {
        guard (value.count - Self.headBytes) / StatisticsRow.byteCount < Self.rowsMax else { return false }
        add(rows)
        return true
    }

    private mutating func add(_ rows: RawSpan) { unsafe rows.withUnsafeBytes { unsafe value.append(contentsOf: $0) } }

    /// The value of the block as it was when `end` was the newest record.
    static func cut(_ key: Key, _ value: [UInt8], through end: UInt64) -> [UInt8]? {
        guard isWhole(value), key.bytes.count == 8 else { return nil }
        var record = key.bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var length = headBytes
        while length < value.count, record <= end {
            if value[length + 46] & StatisticsRow.Flag.isLast != 0 { record += 1 }
            length += StatisticsRow.byteCount
        }
        return length == headBytes ? [] : Array(value.prefix(length))
    }
}
