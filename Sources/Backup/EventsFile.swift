import Ledger

/// A part of a backup: envelopes byte for byte, then the idempotency keys of their commits.
///
///     "LLEVENT1"
///     0x01, length (4 bytes), envelope
///     0x02, length of the key (4 bytes), key, length of the value (4 bytes), value
enum EventsFile {
    static let title = Array("LLEVENT1".utf8)

    static func event(_ bytes: RawSpan) -> [UInt8] {
        var record: [UInt8] = [0x01] + length(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { unsafe record.append(contentsOf: $0) }
        return record
    }

    static func command(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        [0x02] + length(key.count) + key + length(value.count) + value
    }

    private static func length(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } }

    enum Record {
        case event([UInt8])
        case command(key: [UInt8], value: [UInt8])
    }

    /// Hands over what the file holds, in order; bounded memory.
    static func read(
        _ path: String, _ name: String, _ body: (Record) throws(BackupError) -> Void
    ) throws(BackupError) -> (bytes: UInt64, sha256: String) {
        var pending: [UInt8] = []
        var hasTitle = false
        let digest = try Files.digest(path) { part throws(BackupError) in
            pending.append(contentsOf: part)
            var offset = 0
            if !hasTitle, pending.count >= title.count {
                guard pending.starts(with: title) else { throw .damaged(part: name, reason: "it is no file of events") }
                (hasTitle, offset) = (true, title.count)
            }
            while hasTitle, let (record, end) = try next(pending, offset, name) {
                try body(record)
                offset = end
            }
            pending.removeFirst(offset)
        }
        guard pending.isEmpty, hasTitle else { throw .damaged(part: name, reason: "it ends within a record") }
        return digest
    }

    /// nil: it is not all there yet.
    private static func next(
        _ bytes: [UInt8], _ offset: Int, _ name: String
    ) throws(BackupError) -> (Record, Int)? {
        guard offset < bytes.count, let first = field(bytes, offset + 1) else { return nil }
        switch bytes[offset] {
        case 0x01: return (.event(Array(bytes[first])), first.upperBound)
        case 0x02:
            guard let second = field(bytes, first.upperBound) else { return nil }
            return (.command(key: Array(bytes[first]), value: Array(bytes[second])), second.upperBound)
        default: throw .damaged(part: name, reason: "it holds a record of an unknown kind")
        }
    }

    private static func field(_ bytes: [UInt8], _ offset: Int) -> Range<Int>? {
        guard offset + 4 <= bytes.count else { return nil }
        let count = bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
        guard offset + 4 + count <= bytes.count else { return nil }
        return (offset + 4)..<(offset + 4 + count)
    }
}
